/** A plan from a file is the one that was written. */
import { describe, expect, test } from 'vitest';
import { planPass } from '../../support/passes.ts';
import { imageOf, testHost, volumeOf, worldOf } from '../../support/simulation.ts';
import { all, creation, mixture, readBack } from './saved.ts';

describe('what nobody edited is read back', () => {
  const leftovers = worldOf({
    recorded: true,
    volumes: [volumeOf('data', { state: 'deleting' }), volumeOf('old', { state: 'creating' })],
    images: [imageOf('debian', { digest: `sha256:${'b'.repeat(64)}` })],
  });
  test.each([
    ['of all kinds', creation],
    ['with restarts and deletions', mixture],
    ['over leftovers, and an Image replaced', () => planPass(testHost(leftovers), all)],
  ])('%s', async (_what, make) => {
    const plan = await make();
    expect(plan.operations.length).toBeGreaterThan(5);
    expect(readBack(plan)).toEqual(plan);
  });
});
