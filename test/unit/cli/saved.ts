/** Plans for tests of saved ones, and ways to edit them as somebody may who computes digests. */
import { readSavedPlan, writeSavedPlan } from '../../../src/cli/saved-plan.ts';
import type { OperationId } from '../../../src/plan/operation.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import {
  applyPass,
  desiredWith,
  image,
  partition,
  planPass,
  secondary,
  volume,
} from '../../support/passes.ts';
import { testHost } from '../../support/simulation.ts';
import { networkFields } from '../../support/network-fields.ts';

const network = networkFields({ cidr: '10.20.0.0/24' });
export const all = desiredWith({
  secondaries: [
    secondary('db', { network: 'Partition' }),
    secondary('web', { updatePolicy: 'Restart' }),
  ],
  volumes: [volume('data', { deletionPolicy: 'Delete' })],
  images: [image('debian')],
  network,
});

/** Everything is made. */
export const creation = () => planPass(testHost(), all);

/** One guest is restarted, the other deleted, and so are the Volume, the Image and its network. */
export async function mixture(): Promise<Plan> {
  const host = testHost();
  await applyPass(host, all);
  const web = secondary('web', { vcpus: 2, updatePolicy: 'Restart' });
  return planPass(host, desiredWith({ secondaries: [web], network: null }));
}

/** As it is read back from a file with a digest that is right. */
export function readBack(plan: Plan): Plan {
  const secondaries = ['db', 'web'].map((name) => [name, 'seen'] as const);
  return readSavedPlan(
    writeSavedPlan({ plan, basis: new Map(secondaries) }),
    'plan.json',
    partition,
  ).plan;
}

export const id = (text: string) => text as OperationId;

/** @throws Error if there is no such operation, so that no test is about nothing */
export function withOperation(plan: Plan, which: string, change: object): Plan {
  if (plan.operations.every((each) => each.id !== which)) throw new Error(`there is no ${which}`);
  const operations = plan.operations.map((each) =>
    each.id === which ? { ...each, ...change } : each,
  );
  return { ...plan, operations };
}

export function withEntry(plan: Plan, name: string, change: object): Plan {
  if (plan.entries.every(({ resource }) => resource.name !== name)) {
    throw new Error(`there is no ${name}`);
  }
  const entries = plan.entries.map((each) =>
    each.resource.name === name ? { ...each, ...change } : each,
  );
  return { ...plan, entries };
}
