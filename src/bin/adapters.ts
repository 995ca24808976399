/** Which adapter is meant is said by the scheme of `--host`: `sim:` or, else, libvirt's. */
import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../cli/environment.ts';
import { diagnose } from '../host/libvirt/diagnose.ts';
import { openLibvirtHost, openLibvirtView } from '../host/libvirt/open.ts';
import { readHostGroups } from '../host/local/host-groups.ts';
import { localInstaller } from '../host/local/install.ts';
import { lockPartition } from '../host/local/lock.ts';
import {
  diagnoseSimulated,
  isSimulated,
  lockSimulated,
  openSimulatedHost,
  openSimulatedView,
} from '../host/simulated/open.ts';
import { version } from './version.ts';
import { userStateDir } from './user-state-dir.ts';

type Adapter = Pick<Environment, 'openView' | 'openHost' | 'lock' | 'diagnose'>;

const libvirt: Adapter = {
  openView: openLibvirtView,
  openHost: openLibvirtHost,
  lock: ({ stateDir, partition }) => lockPartition(stateDir, partition),
  diagnose,
};

const simulated: Adapter = {
  openView: openSimulatedView,
  openHost: openSimulatedHost,
  lock: lockSimulated,
  diagnose: diagnoseSimulated,
};

const adapterOf = ({ uri }: { readonly uri: string }) => (isSimulated(uri) ? simulated : libvirt);

/** A socket that may not be looked at is there, and the client finds out what is the matter. */
async function findDaemon(path: string): ReturnType<Environment['findDaemon']> {
  if (!(await mayBeThere(path))) return null;
  const [{ daemonClient }, { unixTransport }] = await Promise.all([
    import('../channel/client.ts'),
    import('../channel/client-transport.ts'),
  ]);
  const again = {
    newKey: () => randomUUID(),
    sleep: (ms: number, signal: AbortSignal) =>
      sleep(ms, undefined, { signal }).catch(() => undefined),
  };
  return daemonClient(unixTransport(path), { again, version });
}

/** What could not be looked at is not absent. */
async function mayBeThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code !== 'ENOENT' && code !== 'ENOTDIR';
  }
}

export const adapters: Adapter &
  Pick<
    Environment,
    | 'agent'
    | 'findDaemon'
    | 'forward'
    | 'hostGroups'
    | 'installer'
    | 'isKept'
    | 'runProgram'
    | 'userStateDir'
  > = {
  agent: async (settings, stop) => {
    const { agentOnMachine } = await import('./agent.ts');
    return agentOnMachine(settings, stop);
  },
  findDaemon,
  forward: async (forwarding) => (await import('./forward-tcp.ts')).forwardTcp(forwarding),
  runProgram: async (...words) => (await import('./run-program.ts')).runProgram(...words),
  userStateDir: () => userStateDir(process.env),
  hostGroups: () => readHostGroups(),
  // Where the daemon's store of accepted documents has them.
  isKept: (stateDir, partition) => mayBeThere(join(stateDir, partition, 'accepted')),
  installer: localInstaller({
    node: process.execPath,
    // Where the build puts it, beside the bundle that this is part of.
    program: fileURLToPath(new URL('./unnestd.js', import.meta.url)),
  }),
  openView: (target, signal) => adapterOf(target).openView(target, signal),
  openHost: (target, signal) => adapterOf(target).openHost(target, signal),
  lock: (target) => adapterOf(target).lock(target),
  diagnose: (target, signal) => adapterOf(target).diagnose(target, signal),
};
