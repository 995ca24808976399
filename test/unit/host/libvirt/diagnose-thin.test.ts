/** What `unnest doctor` says of a thin pool. */
import { expect, test } from 'vitest';
import { HostError } from '../../../../src/host/host-error.ts';
import { diagnoseThinPool } from '../../../../src/host/libvirt/diagnose-thin.ts';
import type { Lvm } from '../../../../src/host/local/lvm.ts';
import { MEMORY_POOL, memoryLvm } from '../../../support/memory-lvm.ts';

const never = new AbortController().signal;
const ruled = { requireRule: async () => undefined };
const findings = async (lvm: Lvm, udev = ruled) =>
  (await diagnoseThinPool(MEMORY_POOL, never, lvm, udev)).map(
    ({ status, finding }) => `${status}: ${finding}`,
  );

test('nothing, where there is none', async () => {
  expect(await diagnoseThinPool(null, never, memoryLvm(), ruled)).toEqual([]);
});

test('that all is well', async () => {
  expect(await findings(memoryLvm())).toEqual([
    'ok: vg/thin has room for 1GiB',
    'ok: udev and LVM leave the disks of guests alone',
  ]);
});

test('what is the matter with it', async () => {
  const lvm = memoryLvm();
  const pool = lvm.volumes.get('thin')!;
  lvm.volumes.set('thin', { ...pool, isZeroing: false });
  expect((await findings(lvm))[0]).toMatch(/^warning: .*does not zero/);
  lvm.volumes.delete('thin');
  expect((await findings(lvm))[0]).toBe('warning: there is no vg/thin');
});

test('who would look into the disks of guests', async () => {
  const unruled = async () => {
    throw new HostError('Unsupported', 'no rule');
  };
  expect((await findings(memoryLvm(), { requireRule: unruled }))[1]).toBe('warning: no rule');
  const scanning = { ...memoryLvm(), scansVolumes: async () => true };
  expect((await findings(scanning))[1]).toMatch(/^warning: LVM looks for physical volumes/);
});
