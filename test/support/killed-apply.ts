/**
 * `unnest ARGS`, but this process is killed (SIGKILL, no handler, no finally) at one write to the
 * host: before it is sent, or after its answer has come. `KILL_AT` is `3 before`; without it nobody
 * is killed, and the moments worth a kill are printed at the end, one a line. Where nothing else was
 * under way, the host after a write is the host before the next: that is one moment, and not two.
 */
import { Readable } from 'node:stream';
import { adapters } from '../../src/bin/adapters.ts';
import { main } from '../../src/cli/main.ts';
import type { Environment } from '../../src/cli/environment.ts';
import { openLibvirtHost, openLibvirtView } from '../../src/host/libvirt/open.ts';
import { newInstallationId } from '../../src/host/local/installation.ts';
import { lockPartition } from '../../src/host/local/lock.ts';
import type { Host } from '../../src/host/ports.ts';

const [at = '0', when = ''] = (process.env['KILL_AT'] ?? '').split(' ');
/** Everything that the ports of readers do not have. */
const reads = new Set(['facts', 'list', 'read', 'watch', 'console', 'find']);
let count = 0;
let underWay = 0;
let lastAnswered = 0;
const moments: string[] = [];

function killing<T extends object>(port: T): T {
  return new Proxy(port, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function' || reads.has(String(name))) return method;
      return async (...args: unknown[]): Promise<unknown> => {
        count += 1;
        const number = count;
        const mine = number === Number(at);
        if (mine && when === 'before') process.kill(process.pid, 'SIGKILL');
        moments.push(`${number} before`);
        underWay += 1;
        const result: unknown = await method.apply(target, args);
        if (mine && when === 'after') process.kill(process.pid, 'SIGKILL');
        underWay -= 1;
        lastAnswered = number;
        if (underWay > 0) moments.push(`${number} after`);
        return result;
      };
    },
  });
}

const openHost: Environment['openHost'] = async (target, signal) => {
  const opened = await openLibvirtHost(target, signal);
  const { domains, volumes, images, intakes, networks, filters, slices, primaries, installation } =
    opened.host;
  const { store, seeds, uplinks, imageDisks } = opened.host;
  const host: Host = {
    domains: killing(domains),
    volumes: killing(volumes),
    images: killing(images),
    intakes: killing(intakes),
    imageDisks: killing(imageDisks),
    seeds: killing(seeds),
    networks: killing(networks),
    filters: killing(filters),
    slices: killing(slices),
    primaries: killing(primaries),
    installation: killing(installation),
    store,
    uplinks,
  };
  return { host, close: () => opened.close() };
};

const never = new AbortController().signal;
const output = {
  write: () => undefined,
  taken: async () => undefined,
  isTerminal: false,
  columns: 80,
};
process.exitCode = await main(process.argv.slice(2), 'test', {
  variables: new Map(Object.entries(process.env).map(([name, value]) => [name, value ?? ''])),
  stdout: output,
  stderr: { ...output, write: (text) => process.stderr.write(text) },
  ask: null,
  userStateDir: () => Promise.reject(new Error('not here')),
  runProgram: () => Promise.reject(new Error('not here')),
  forward: () => Promise.reject(new Error('not here')),
  terminal: null,
  standardInput: () => Readable.from([]),
  readStandardInput: async () => new Uint8Array(),
  openView: openLibvirtView,
  openHost,
  lock: ({ stateDir, partition }) => lockPartition(stateDir, partition),
  diagnose: async () => [],
  hostGroups: async () => null,
  isKept: async () => false,
  agent: async () => undefined,
  findDaemon: adapters.findDaemon,
  installer: adapters.installer,
  newInstallationId,
  now: () => performance.now(),
  stop: never,
  abort: never,
});
process.stdout.write([...moments, `${lastAnswered} after`, ''].join('\n'));
