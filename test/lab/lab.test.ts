/** `npm run test:lab`: each scenario, and each of them sabotaged, which must fail where it says. */
import { expect, test } from 'vitest';
import { build } from './built.ts';
import { HostGaveUp } from './emulation.ts';
import { LabFailure } from './host.ts';
import { runMsMax, runScenario } from './scenario.ts';
import { scenarioNamed, scenarios } from './scenarios/index.ts';
import { States } from './states.ts';
import { Timeline } from './timeline.ts';

const { UNNEST_LAB_ONLY: only, UNNEST_LAB_BREAK: broken, UNNEST_LAB_SET: set } = process.env;
const named = only ?? broken;
const inSet = scenarios.filter((each) => set === 'full' || each.set === 'quick');
const chosen = named === undefined ? inSet : [scenarioNamed(named)];
const timeline = new Timeline();
const states = new States(build(), timeline);

for (const scenario of chosen) {
  const { name, about, breaks } = scenario;
  test(`${name}: ${about}`, { timeout: runMsMax }, async () => {
    expect(await runScenario(scenario, states, timeline, broken === name)).toBeUndefined();
  });
  if (broken !== undefined) continue;
  test(`${name}, sabotaged, fails`, { timeout: runMsMax }, async () => {
    const failure = await runScenario(scenario, states, timeline, true).catch(
      (error: unknown) => error,
    );
    // A host that has given up says more by itself.
    if (failure instanceof HostGaveUp) throw failure;
    expect(failure).toBeInstanceOf(LabFailure);
    expect((failure as LabFailure).claim).toMatch(new RegExp(`^${breaks}`));
  });
}
