/** The operator's domain gets and loses exactly one NIC, whatever a plan from a file says. */
import { expect, test } from 'vitest';
import { readSavedPlan, writeSavedPlan } from '../../../src/cli/saved-plan.ts';
import { checkTarget } from '../../../src/execute/identity.ts';
import { plugOf } from '../../../src/model/plug.ts';
import type { Operation } from '../../../src/plan/operation.ts';
import { converge, desiredWith, installation, partition, planPass } from '../../support/passes.ts';
import { simulatedPrimary, testHost, worldOf } from '../../support/simulation.ts';
import { networkFields } from '../../support/network-fields.ts';

const us = { installation, partition };
const wanted = (...grants: readonly 'network'[]) =>
  desiredWith({
    network: networkFields({ cidr: '10.20.0.0/24' }),
    primary: {
      domainName: 'team-a',
      reserved: { vcpus: 1, memoryBytes: 2 ** 28 },
      grants,
      imageDiskBytes: null,
    },
  });

/** Plugged in, and taken out. */
async function plans() {
  const host = testHost(worldOf({ recorded: true, primaries: { 'team-a': simulatedPrimary() } }));
  const plug = await planPass(host, wanted('network'));
  await converge(host, wanted('network'));
  return [plug, await planPass(host, wanted())] as const;
}

test.each<[string, string, object]>([
  ['the alias of an operator’s NIC', 'primary.unplug/team-a', { alias: 'ua-eth0' }],
  ['that of another partition', 'primary.unplug/team-a', { alias: 'ua-un-000000000000' }],
  [
    'another network',
    'primary.plug/team-a',
    { plug: { ...plugOf(us), networkName: 'unnest.team-b' } },
  ],
  ['another MAC', 'primary.plug/team-a', { plug: { ...plugOf(us), mac: '52:54:00:00:00:01' } }],
  ['a Secondary', 'primary.plug/team-a', { primary: { domainName: 'unnest.team-b.web' } }],
  ['another partition', 'primary.plug/team-a', { resource: { kind: 'nic', name: 'team-b' } }],
])('%s is refused', async (_what, id, lie) => {
  const operation = (await plans())
    .flatMap((plan) => plan.operations)
    .find((each) => each.id === id);
  if (operation === undefined) throw new Error(`there is no ${id}`);
  expect(() => checkTarget(operation, us)).not.toThrow();
  // Border: what a file may say.
  const said = { ...operation, ...lie } as Operation;
  expect(() => checkTarget(said, us)).toThrow(`${id} does not act on`);
});

test('a plan that is put aside is read back as it was', async () => {
  for (const plan of await plans()) {
    const text = writeSavedPlan({ plan, basis: new Map() });
    expect(readSavedPlan(text, 'plan.json', partition).plan.operations).toEqual(plan.operations);
  }
});
