/** Invariant 2 at the last moment: an operator's entry may have come since the plan was made. */
import { expect, test } from 'vitest';
import type { SecondaryName } from '../../../src/model/names.ts';
import { applyPass, desired, planPass, runPlan, secondary } from '../../support/passes.ts';
import { networkOf, networkRef, testHost, worldOf } from '../../support/simulation.ts';

const web = secondary('web', { network: 'Partition' });
const name = 'web' as SecondaryName;
const theirs = { mac: '52:54:00:11:22:33', address: '10.20.0.50', inDns: true };

const sidesOf = (host: ReturnType<typeof testHost>) => {
  const network = host.world.networks.get(networkRef.uuid);
  return [network?.definition, network?.live].flatMap((side) => side?.reservations ?? []);
};

test.each([
  ['given', 'network.reserve/web', desired(), desired(web)],
  ['taken', 'network.unreserve/web', desired(web), desired()],
])('no address is %s in its place', async (_what, id, before, wanted) => {
  const host = testHost(worldOf({ recorded: true, network: networkOf() }));
  await applyPass(host, before);
  const plan = await planPass(host, wanted, true);
  for (const reservations of sidesOf(host)) reservations.set(name, theirs);
  const { outcomes } = await runPlan(plan, host);
  expect(outcomes.find(({ operation }) => operation.id === id)?.result).toMatchObject({
    failure: { code: 'Conflict' },
  });
  expect(sidesOf(host).map((reservations) => reservations.get(name))).toEqual([theirs, theirs]);
});
