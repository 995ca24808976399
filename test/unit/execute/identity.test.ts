/** A plan from a file may say anything; nothing is acted on but what an operation is about. */
import { expect, test } from 'vitest';
import { checkTarget } from '../../../src/execute/identity.ts';
import type { Operation } from '../../../src/plan/operation.ts';
import {
  desiredWith,
  image,
  partition,
  planPass,
  secondary,
  volume,
} from '../../support/passes.ts';
import { installation } from '../../support/passes.ts';
import { testHost, worldOf } from '../../support/simulation.ts';

const us = { installation, partition };
const elsewhere = { installation, partition: 'team-b' as typeof partition };

const operations = async () => {
  const wanted = desiredWith({
    secondaries: [secondary('web', { network: 'Partition' })],
    volumes: [volume('data')],
    images: [image('debian')],
    network: { cidr: '10.20.0.0/24', mode: 'nat', uplink: null },
  });
  return (await planPass(testHost(worldOf({ recorded: true })), wanted)).operations;
};

test('every operation of an honest plan is about its own', async () => {
  for (const operation of await operations()) {
    expect(() => checkTarget(operation, us)).not.toThrow();
    // What the store keeps is found by the partition; the others have names of their own.
    if (operation.kind.startsWith('volume.') || operation.kind.startsWith('image.')) continue;
    expect(() => checkTarget(operation, elsewhere)).toThrow(`${operation.id} does not act on`);
  }
});

test('one that is said to be about something else is refused', async () => {
  const resources = [
    { kind: 'volume', name: 'other' },
    { kind: 'image', name: 'other' },
    { kind: 'secondary', name: 'other' },
    { kind: 'network', name: 'team-b' },
    null,
  ] as const;
  const all = await operations();
  expect(all.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(['volume.create', 'image.import', 'network.define', 'domain.define']),
  );
  for (const operation of all) {
    for (const resource of resources) {
      const lie = { ...operation, resource } as Operation;
      expect(() => checkTarget(lie, us)).toThrow(`${operation.id} does not act on`);
    }
  }
});
