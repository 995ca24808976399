/** A plan from a file may say anything; nothing is acted on but what an operation is about. */
import { describe, expect, test } from 'vitest';
import { checkTarget } from '../../../src/execute/identity.ts';
import { macAddress, tapName } from '../../../src/model/identity.ts';
import type { SecondaryName } from '../../../src/model/names.ts';
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
import { networkFields } from '../../support/network-fields.ts';

const us = { installation, partition };
const elsewhere = { installation, partition: 'team-b' as typeof partition };

const operations = async (recorded = true) => {
  const wanted = desiredWith({
    secondaries: [secondary('web', { network: 'Partition' })],
    volumes: [volume('data')],
    images: [image('debian')],
    network: networkFields({ cidr: '10.20.0.0/24' }),
  });
  return (await planPass(testHost(worldOf({ recorded })), wanted)).operations;
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

describe('what it leaves behind is its own too:', () => {
  const someone = { installation, partition, secondary: 'other' as SecondaryName };
  const lies: readonly (readonly [string, string, readonly object[]])[] = [
    [
      'the mark in a definition',
      'domain.define/web',
      [{ definition: { owner: someone } }, { definition: { owner: { partition: 'team-b' } } }],
    ],
    [
      'the id of the installation',
      'installation.record',
      [{ installation: '00000000-0000-4000-8000-000000000000' }],
    ],
    [
      'the ports of a packet filter',
      'filter.apply/team-a',
      [
        { ports: [{ secondary: 'web', tap: tapName(someone), mac: macAddress(someone) }] },
        { filter: { bridge: 'un-000000000000' } },
      ],
    ],
    [
      'the MAC address of a reservation',
      'network.reserve/web',
      [{ reservation: { mac: macAddress(someone) } }, { secondary: 'other' }],
    ],
  ];
  test.each(lies)('%s', async (_what, id, all) => {
    const operation = (await operations(false)).find((each) => each.id === id);
    if (operation === undefined) throw new Error(`there is no ${id}`);
    expect(() => checkTarget(operation, us)).not.toThrow();
    for (const lie of all) {
      expect(() => checkTarget(merged(operation, lie) as Operation, us)).toThrow(
        `${id} does not act on`,
      );
    }
  });
});

/** Part by part, so that a lie is about one field. */
function merged(truth: object, lie: object): object {
  const parts = Object.entries(lie).map(([key, value]: [string, unknown]) => {
    const old = (truth as Readonly<Record<string, unknown>>)[key];
    const isPart = isRecord(old) && isRecord(value);
    return [key, isPart ? merged(old, value) : value];
  });
  return { ...truth, ...(Object.fromEntries(parts) as object) };
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
