/** By what something is seen to have changed, so that what was given up is tried again. */
import { expect, test } from 'vitest';
import { stateOf } from '../../../src/daemon/resource-state.ts';
import { fieldsOf } from '../../../src/model/domain.ts';
import { desired, look, secondary } from '../../support/passes.ts';
import { domainNamed, domainOf, testHost, worldOf } from '../../support/simulation.ts';

test('a guest that has let go of a disk at last is another one, with the same definition', async () => {
  const defined = { ...fieldsOf(secondary('web')), volumes: 'data:raw' };
  const domains = [domainOf('web', { defined, power: { status: 'running' } })];
  const host = testHost(worldOf({ recorded: true, domains }));
  const state = async () => stateOf('secondary/web', await look(host, desired(secondary('web'))));
  const before = await state();
  expect(await state()).toBe(before);
  const { guest } = domainNamed(host, 'web');
  Object.assign(guest ?? {}, { fields: { ...guest?.fields, volumes: '' } });
  expect(await state()).not.toBe(before);
});
