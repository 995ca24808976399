/** What a plan may do and show is checked when it comes from a file: no honest one is refused. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readSavedPlan, writeSavedPlan } from '../../src/cli/saved-plan.ts';
import { partition, planPass } from '../support/passes.ts';
import { testHost } from '../support/simulation.ts';
import { anyDesired, anyWorld, names, runs, soakMs } from './arbitraries.ts';

test(
  'any plan is read back from its file as it was',
  async () => {
    const basis = new Map(names.map((name) => [name, 'seen'] as const));
    await fc.assert(
      fc.asyncProperty(anyDesired, anyWorld, fc.boolean(), async (wanted, world, everything) => {
        const plan = await planPass(testHost(structuredClone(world)), wanted, everything);
        const text = writeSavedPlan({ plan, basis });
        expect(JSON.stringify(readSavedPlan(text, 'plan.json', partition).plan)).toBe(
          JSON.stringify(JSON.parse(JSON.stringify(plan))),
        );
      }),
      runs(300),
    );
  },
  soakMs,
);
