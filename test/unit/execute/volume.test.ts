/** What a plan from a file may say of Volumes: data goes only if the documents said that it may. */
import { describe, expect, test } from 'vitest';
import { fieldsOf } from '../../../src/model/domain.ts';
import type { VolumeName } from '../../../src/model/names.ts';
import type { ObservedVolume } from '../../../src/model/volume.ts';
import { desiredWith, planPass, runPlan, secondary, volume } from '../../support/passes.ts';
import { domainOf, testHost, volumeOf, worldOf } from '../../support/simulation.ts';

/** The Volume is deleted by an honest plan, and has become `parts` before that is carried out. */
async function deletionOf(parts: Partial<ObservedVolume>) {
  const worldWith = (volume: ObservedVolume) => worldOf({ recorded: true, volumes: [volume] });
  const deletable = testHost(worldWith(volumeOf('data', { deletionPolicy: 'Delete' })));
  const plan = await planPass(deletable, desiredWith({}), true);
  const host = testHost(worldWith(volumeOf('data', parts)));
  const { outcomes } = await runPlan(plan, host);
  return { result: outcomes.at(-1)?.result, writes: host.writes };
}

describe('a Volume whose record says Retain', () => {
  test('is not deleted, whatever the plan says', async () => {
    const { result, writes } = await deletionOf({ deletionPolicy: 'Retain' });
    expect(result).toMatchObject({ failure: { code: 'Refused', retryable: false } });
    expect(writes).toEqual([]);
  });

  test.each(['creating', 'deleting'] as const)(
    'is, where it is only half made: %s',
    async (state) => {
      const { result } = await deletionOf({ deletionPolicy: 'Retain', state });
      expect(result).toEqual({ status: 'applied', detail: '' });
    },
  );
});

describe('a copy of a Volume', () => {
  const desired = desiredWith({
    volumes: [
      volume('data', { sizeBytes: 2 ** 30 }),
      volume('monday', { sizeBytes: 2 ** 30, copyOf: 'data' as VolumeName }),
    ],
  });
  const worldWith = (isLive: boolean) => {
    const defined = { ...fieldsOf(secondary('web')), volumes: 'data:raw' };
    const power = isLive ? ({ status: 'running' } as const) : off;
    const domain = domainOf('web', { defined, power });
    return worldOf({ recorded: true, volumes: [volumeOf('data')], domains: [domain] });
  };
  const off = { status: 'stopped', reason: 'powered-off' } as const;

  test.each([
    ['is made while nobody writes to it', false, { status: 'applied' }],
    [
      'is not where somebody has begun to since',
      true,
      { failure: { code: 'Conflict', retryable: true } },
    ],
  ])('%s', async (_what, isLive, as) => {
    const plan = await planPass(
      testHost(worldOf({ recorded: true, volumes: [volumeOf('data')] })),
      desired,
      true,
    );
    const host = testHost(worldWith(isLive));
    const { outcomes } = await runPlan(plan, host);
    const result = outcomes.find(({ operation }) => operation.kind === 'volume.create')?.result;
    expect(result).toMatchObject(as);
    expect(host.writes.some((write) => write.startsWith('volumes.create'))).toBe(!isLive);
  });
});

test('one whose record says Delete is deleted', async () => {
  expect((await deletionOf({ deletionPolicy: 'Delete' })).result).toEqual({
    status: 'applied',
    detail: '',
  });
});
