import { expect, test } from 'vitest';
import { secondaryNamed } from '../../support/virtual-daemon.ts';
import { listed, settledIn } from '../../../src/cli/settled.ts';
import type { Condition } from '../../../src/report/condition.ts';
import type { SecondaryReport } from '../../../src/report/partition-status.ts';
import { partitionStatus, secondaryReport } from '../channel/fake-control.ts';

const since = '2026-01-01T00:00:00.000Z';
const says = (type: Condition['type'], reason: string, message = ''): Condition => ({
  type,
  status: 'True',
  reason,
  message,
  since,
  generation: 7,
});

const of = (...secondaries: readonly Partial<SecondaryReport>[]) =>
  settledIn(
    partitionStatus({
      sync: secondaries.every(({ sync }) => sync === undefined) ? 'Synced' : 'OutOfSync',
      secondaries: secondaries.map(secondaryReport),
    }),
  );

test('what is in sync is settled; what is on its way is not', () => {
  expect(of({}, {})).toEqual({ status: 'synced', waiting: [] });
  expect(of({}, { sync: 'OutOfSync', health: 'Progressing' })).toMatchObject({ status: 'moving' });
  expect(of({ sync: 'OutOfSync', health: 'Healthy' })).toMatchObject({ status: 'moving' });
  expect(of({ sync: 'Unknown' })).toMatchObject({ status: 'moving', now: 'web is Unknown' });
});

test('changes that wait for a restart are nothing that anybody does now', () => {
  const waits = [says('RestartRequired', 'ChangesWait', 'spec.vcpus')];
  const waiting = { sync: 'OutOfSync', conditions: waits } as const;
  expect(of({ ...waiting, health: 'Healthy' })).toEqual({
    status: 'synced',
    waiting: ['web (spec.vcpus)'],
  });
  expect(of({ ...waiting, health: 'Progressing' })).toMatchObject({ status: 'moving' });
});

test('what is blocked is stuck, unless it is tried again by itself, or others are still under way', () => {
  const held = { sync: 'Blocked', conditions: [says('Blocked', 'Held', 'paused')] } as const;
  const backOff = { sync: 'Blocked', conditions: [says('Blocked', 'BackOff', 'failed')] } as const;
  expect(of(held)).toEqual({ status: 'stuck', why: ['web: Held: paused'] });
  expect(of(backOff)).toMatchObject({ status: 'moving', now: 'web is tried again: failed' });
  expect(of(held, backOff)).toMatchObject({ status: 'moving' });
  expect(of(held, { sync: 'OutOfSync', health: 'Progressing' })).toMatchObject({
    status: 'moving',
  });
});

test('what a whole partition is held for is said once', () => {
  const words = 'team-a asks for 3 vCPUs';
  const blocked = [says('Blocked', 'HostOvercommitted', words)];
  const status = partitionStatus({
    sync: 'Blocked',
    conditions: [{ ...says('FitsHost', 'HostOvercommitted', words), status: 'False' }],
    secondaries: ['web', 'db'].map((name) =>
      secondaryReport({ name: secondaryNamed(name), sync: 'Blocked', conditions: blocked }),
    ),
  });
  expect(settledIn(status)).toEqual({
    status: 'stuck',
    why: [`the whole partition: HostOvercommitted: ${words}`],
  });
});

test('resources count as Secondaries do', () => {
  const blocked = { kind: 'volume', name: 'data', sync: 'Blocked', phase: null } as const;
  const with_ = (message: string) =>
    settledIn(partitionStatus({ sync: 'Blocked', resources: [{ ...blocked, message }] }));
  expect(with_('ShrinkRefused: larger')).toEqual({
    status: 'stuck',
    why: ['volume data is Blocked: ShrinkRefused: larger'],
  });
  expect(with_('BackOff: failed')).toMatchObject({ status: 'moving' });
  expect(with_('Fetching: 1 of 2')).toMatchObject({ status: 'moving' });
});

test('a host that does not answer is waited for; documents that cannot be read back are not', () => {
  const lost = { ...says('HostReachable', 'NoAnswer', 'refused'), status: 'False' } as const;
  expect(
    settledIn(partitionStatus({ sync: 'Unknown', secondaries: [], conditions: [lost] })),
  ).toEqual({ status: 'moving', now: 'the host does not answer: refused' });
  const torn = { ...says('Accepted', 'Torn', 'cut off'), status: 'False' } as const;
  expect(settledIn(partitionStatus({ conditions: [torn] }))).toEqual({
    status: 'stuck',
    why: ['cut off'],
  });
});

test('nobody reads more than a few', () => {
  expect(listed(['a', 'b'])).toBe('a, b');
  expect(listed(['a', 'b', 'c', 'd', 'e', 'f', 'g'])).toBe('a, b, c, d, e, and 2 more');
});
