/** A real libvirt does what the simulated host does: the same lines for both. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLibvirtHost, openLibvirtView } from '../../../src/host/libvirt/open.ts';
import { storePath } from '../../../src/host/local/store.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import { describeHostContract } from '../../contract/host-contract.ts';
import { virsh } from '../../support/cli.ts';

describeHostContract('a real libvirt', async () => {
  const partition = 'contract' as PartitionName;
  const stateDir = mkdtempSync(join(tmpdir(), 'unnest-'));
  const store = storePath(stateDir, partition);
  const kit = process.env['UNNEST_GUEST_KIT'] ?? '';
  mkdirSync(store, { recursive: true });
  for (const file of ['vmlinuz', 'initrd.img']) copyFileSync(join(kit, file), join(store, file));
  const target = { uri: 'qemu:///system', stateDir, partition };
  const { signal } = new AbortController();
  const [opened, view] = await Promise.all([
    openLibvirtHost(target, signal),
    openLibvirtView(target, signal),
  ]);
  return {
    host: opened.host,
    view: view.host,
    partition,
    suspend: async ({ domainName }) => void (await virsh('suspend', domainName)),
    dispose: async () => {
      for (const { domainName } of await opened.host.domains.list(signal)) {
        await virsh('destroy', domainName).catch(() => undefined);
        await virsh('undefine', domainName).catch(() => undefined);
      }
      await Promise.all([opened.close(), view.close()]);
      rmSync(stateDir, { recursive: true });
    },
  };
});
