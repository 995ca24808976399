/** What a plan from a file may say of Volumes: data goes only if the documents said that it may. */
import { describe, expect, test } from 'vitest';
import type { ObservedVolume } from '../../../src/model/volume.ts';
import { desiredWith, planPass, runPlan } from '../../support/passes.ts';
import { testHost, volumeOf, worldOf } from '../../support/simulation.ts';

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

test('one whose record says Delete is deleted', async () => {
  expect((await deletionOf({ deletionPolicy: 'Delete' })).result).toEqual({
    status: 'applied',
    detail: '',
  });
});
