/** A real libvirtd that is stopped and started again under the daemon's one connection. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { openLibvirtHosts } from '../../../src/host/libvirt/daemon-hosts.ts';
import type { HostSign } from '../../../src/host/ports.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import { describeDaemonHostsContract } from '../../contract/daemon-hosts-contract.ts';

const run = promisify(execFile);
const libvirtd = (verb: 'start' | 'stop') => run('test/support/rig-libvirtd.sh', [verb]);
const uri = 'qemu:///system';
const never = new AbortController().signal;

function stateDir() {
  const path = mkdtempSync(join(tmpdir(), 'unnest-'));
  return { path, remove: () => rmSync(path, { recursive: true }) };
}

describeDaemonHostsContract('a real libvirt', async () => {
  const dir = stateDir();
  const hosts = await openLibvirtHosts({ uri, stateDir: dir.path }, never);
  return {
    hosts,
    lose: async () => void (await libvirtd('stop')),
    restore: async () => void (await libvirtd('start')),
    dispose: async () => {
      await hosts.close();
      dir.remove();
    },
  };
});

test('a libvirtd that is not there yet when the daemon starts', async () => {
  const dir = stateDir();
  await libvirtd('stop');
  const hosts = await openLibvirtHosts({ uri, stateDir: dir.path }, never);
  const signs: HostSign[] = [];
  const isBack = new Promise<void>((done) => {
    hosts.onSign((sign) => {
      signs.push(sign);
      if (sign.kind === 'back') done();
    });
  });
  expect(signs).toMatchObject([{ kind: 'lost' }]);
  const { domains } = hosts.host('contract' as PartitionName);
  await expect(domains.list(never)).rejects.toMatchObject({ code: 'Unreachable' });
  await libvirtd('start');
  await isBack;
  expect(await domains.list(never)).toEqual([]);
  await hosts.close();
  dir.remove();
});

test('a daemon that is told to end while nothing answers ends', async () => {
  const dir = stateDir();
  const ending = new AbortController();
  const socket = join(dir.path, 'nobody');
  const target = { uri: `qemu+unix:///system?socket=${socket}`, stateDir: dir.path };
  const hosts = await openLibvirtHosts(target, ending.signal);
  ending.abort();
  const { domains } = hosts.host('contract' as PartitionName);
  await expect(domains.list(never)).rejects.toMatchObject({ code: 'Unreachable' });
  dir.remove();
});
