/**
 * From a file that is renamed into the folder that an agent watches to the first call that libvirtd gets for
 * it: a real agent hands the folder in over the channel (the Unix socket of a VM, as Firecracker's is), and a real
 * unnestd reads, writes down and begins a pass, as in `daemon-file-to-read`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { PartitionName } from '../../../src/model/names.ts';
import { daemonPlace } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';
import { editedDocument } from '../edited-document.ts';
import { openProxy } from '../libvirt-proxy.ts';
import { sockets } from '../raw-rpc.ts';
import { type Row, rowOf } from '../row.ts';

const changes = 60;
/** More than it is after which a change counts as one that comes alone. */
const restMs = 700;
const partition = 'bench-edit' as PartitionName;
const proxyPath = '/run/bench-edit-libvirt.sock';

const cache = fileURLToPath(new URL('../../../.cache', import.meta.url));
const program = fileURLToPath(new URL('../../../dist/bin/unnest.js', import.meta.url));

export async function channelEdit(): Promise<readonly Row[]> {
  mkdirSync(cache, { recursive: true });
  const proxy = await openProxy(proxyPath, sockets.readWrite);
  // A socket's path is short.
  const vm = '/run/bench-edit';
  mkdirSync(vm, { recursive: true });
  chmodSync(vm, 0o700);
  const place = daemonPlace({
    logLevel: 'info',
    spec: [
      'resyncSeconds: 86400',
      `host: qemu:///system?socket=${proxyPath}`,
      `channel: { sockets: { ${partition}: ${vm}/v.sock } }`,
    ],
    folder: cache,
  });
  const primary = { domain: 'bench-edit-vm', reserved: { vcpus: 1, memory: '64MiB' } };
  place.describe(partition, 'Apply', { source: 'Channel', primary });
  const folder = join(place.at(''), 'in-primary');
  mkdirSync(folder);
  const daemon = await place.start();
  put(folder, editedDocument(0));
  const agent = spawn(
    process.execPath,
    [
      program,
      'agent',
      '--watch',
      folder,
      '--run-dir',
      join(vm, 'agent'),
      '--host-socket',
      `${vm}/v.sock_1021`,
    ],
    { stdio: 'ignore' },
  );
  const accepted = () => daemon.lines('submission-accepted').length;
  try {
    await until('the agent has handed in the folder', accepted, (count) => count > 0);
    // Until the folder has rested so long that what is there counts as all there is to be.
    await sleep(4000);
    const values: number[] = [];
    for (let change = 1; change <= changes; change += 1) {
      const call = proxy.nextCall();
      const startedMs = performance.now();
      put(folder, editedDocument(change));
      values.push((await call) - startedMs);
      await until('it is accepted', accepted, (count) => count === change + 1);
      await sleep(restMs + (change % 10) * 10);
    }
    const samples = { values };
    return [
      rowOf({ name: 'channel-edit-to-read, p50', samples }, null),
      rowOf({ name: 'channel-edit-to-read, p99', samples, percentile: 99 }, null),
    ];
  } finally {
    agent.kill();
    if (agent.exitCode === null) await once(agent, 'close');
    await place.end();
    proxy.close();
    rmSync(place.at(''), { recursive: true, force: true });
    rmSync(vm, { recursive: true, force: true });
  }
}

function put(folder: string, text: string): void {
  writeFileSync(join(folder, '.new'), text);
  renameSync(join(folder, '.new'), join(folder, 'vm.yaml'));
}
