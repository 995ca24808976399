/** Changes that libvirt gives no event of are told by the files that it writes. */
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLibvirtHosts } from '../../../src/host/libvirt/daemon-hosts.ts';
import type { HostSign } from '../../../src/host/ports.ts';

const run = promisify(execFile);
const virsh = (...args: readonly string[]) => run('virsh', ['--quiet', ...args]);
const domainName = 'unnest.files.web';

const xml = `<domain type='qemu'><name>${domainName}</name><memory unit='MiB'>64</memory>
  <vcpu current='1'>2</vcpu><os><type arch='x86_64' machine='q35'>hvm</type></os></domain>`;

test.each([
  ['setvcpus --config', ['setvcpus', domainName, '2', '--config']],
  ['setmem --config', ['setmem', domainName, '32M', '--config']],
])('%s', async (_name, args) => {
  const dir = mkdtempSync(join(tmpdir(), 'unnest-'));
  writeFileSync(join(dir, 'domain.xml'), xml);
  await virsh('define', join(dir, 'domain.xml'));
  const ending = new AbortController();
  const hosts = await openLibvirtHosts({ uri: 'qemu:///system', stateDir: dir }, ending.signal);
  try {
    const told = new Promise<HostSign>((done) => {
      hosts.onSign((sign) => {
        if (sign.kind === 'domain-file') done(sign);
      });
    });
    await virsh(...args);
    expect(await told).toEqual({ kind: 'domain-file', domainName });
  } finally {
    ending.abort();
    await virsh('undefine', domainName);
    rmSync(dir, { recursive: true });
  }
});
