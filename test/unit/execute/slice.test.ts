/** The slice is there, with what the kernel shows of its limits, before a guest is in it. */
import { describe, expect, test } from 'vitest';
import { slicePath } from '../../../src/model/identity.ts';
import { nothingGuaranteed, type Share } from '../../../src/model/share.ts';
import {
  applyPass,
  converge,
  desiredWith,
  installation,
  partition,
  planPass,
  runPlan,
  secondary,
} from '../../support/passes.ts';
import { domainNamed, onCall, testHost } from '../../support/simulation.ts';

const limits = {
  vcpus: 4,
  memoryBytes: 4 * 2 ** 30,
  storageBytes: 2 ** 30,
  secondaries: 3,
  diskBytesPerSecond: null,
  diskOperationsPerSecond: null,
};
const share: Share = { limits, guarantees: nothingGuaranteed, enforcement: 'Cgroup' };
const web = secondary('web', { slice: 'Partition' });
const wanted = desiredWith({ secondaries: [web], share });
const path = slicePath({ installation, partition });
const statuses = ({ outcomes }: Awaited<ReturnType<typeof applyPass>>) =>
  outcomes.map(({ operation: { id }, result }) => `${id} ${result.status}`);

describe('a slice', () => {
  test('is made before the guest is started in it, and goes after it', async () => {
    const host = testHost();
    await converge(host, wanted);
    const calls = host.writes.map((call) => call.replace(/ .*/, ''));
    expect(calls.indexOf('slices.apply')).toBeLessThan(calls.indexOf('start'));
    expect(host.world.slices.get(path)).toMatchObject({ cpus: 4, memoryMaxBytes: 4 * 2 ** 30 });
    expect(domainNamed(host, 'web').guest?.inSlice).toBe(true);
    await converge(host, desiredWith({ share: null }));
    expect(host.world.slices.size).toBe(0);
  });

  test('that cannot be made keeps the guest from being started, and nothing else', async () => {
    const host = testHost();
    host.rules.push(onCall('slices.apply', { kind: 'error', error: new Error('no') }));
    const report = statuses(await applyPass(host, wanted));
    expect(report).toContain('domain.start/web skipped');
    expect(report).toContain('domain.define/web applied');
  });

  test('of which the kernel takes less than it was told is not there', async () => {
    const host = testHost();
    const plan = await planPass(host, wanted);
    const forgetful: typeof host.slices = {
      ...host.slices,
      apply: (ref, fields, signal) =>
        host.slices.apply(ref, { ...fields, memoryMaxBytes: null }, signal),
    };
    const { outcomes } = await runPlan(plan, { ...host, slices: forgetful });
    const failed = outcomes.find(({ result }) => result.status === 'failed')?.result;
    expect(failed).toMatchObject({
      failure: { message: expect.stringContaining('memoryMaxBytes 4294967296 (it has null)') },
    });
  });

  test('that has vanished when a guest comes up costs the guest its power', async () => {
    const host = testHost();
    const act = () => host.world.slices.clear();
    host.rules.push(onCall('start', { kind: 'meanwhile', act }));
    const report = await applyPass(host, wanted);
    expect(statuses(report)).toContain('domain.start/web failed');
    expect(domainNamed(host, 'web').guest).toBeNull();
  });

  test('changed by hand is set right, under its guests', async () => {
    const host = testHost();
    await converge(host, wanted);
    const fields = host.world.slices.get(path);
    if (fields === undefined) throw new Error('there is no slice');
    host.world.slices.set(path, { ...fields, memoryMaxBytes: null });
    expect(statuses(await applyPass(host, wanted))).toEqual([`slice.apply/${partition} applied`]);
    expect(host.world.slices.get(path)).toEqual(fields);
  });

  test('is never made smaller than what its guests have', async () => {
    const host = testHost();
    await converge(host, wanted);
    const small = { ...limits, memoryBytes: 64 * 2 ** 20 };
    await converge(host, desiredWith({ secondaries: [web], share: { ...share, limits: small } }));
    // 128 MiB for its guest, and 106 for its virtual machine.
    expect(host.world.slices.get(path)?.memoryMaxBytes).toBe(234 * 2 ** 20);
    const halted = { ...web, runPolicy: 'Halted' as const };
    await converge(
      host,
      desiredWith({ secondaries: [halted], share: { ...share, limits: small } }),
    );
    expect(host.world.slices.get(path)?.memoryMaxBytes).toBe(64 * 2 ** 20);
  });

  test('that is not to be any more stays until its guests are out of it', async () => {
    const host = testHost();
    await converge(host, wanted);
    const without = { secondaries: [{ ...web, slice: 'None' as const }], share: null };
    await converge(host, desiredWith(without));
    expect(host.world.slices.size).toBe(1);
    const restarted = { ...web, slice: 'None' as const, updatePolicy: 'Restart' as const };
    await converge(host, desiredWith({ secondaries: [restarted], share: null }));
    expect(host.world.slices.size).toBe(0);
  });

  test('that no document speaks of stays, and so does who is in it', async () => {
    const host = testHost();
    await converge(host, wanted);
    const plan = await planPass(host, desiredWith({ secondaries: [secondary('web')] }));
    expect(plan.operations).toEqual([]);
  });
});
