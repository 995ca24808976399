/** What a status tells in events: each change, but never so many that they bury everything else. */
import { expect, test } from 'vitest';
import { conditionEvents } from '../../../src/daemon/happenings.ts';
import type { SecondaryName } from '../../../src/model/names.ts';
import type { Condition } from '../../../src/report/condition.ts';
import { partitionStatus, secondaryReport, teamA } from '../channel/fake-control.ts';

const said = (type: Condition['type']): Condition => ({
  type,
  status: 'False',
  reason: 'Pending',
  message: '',
  since: '2026-01-01T00:00:00.000Z',
  generation: 1,
});

const statusOf = (count: number) =>
  partitionStatus({
    conditions: [said('Synced')],
    secondaries: Array.from({ length: count }, (_, index) =>
      secondaryReport({
        name: `web-${index}` as SecondaryName,
        conditions: [said('Ready'), said('Synced'), said('Blocked')],
      }),
    ),
  });

test('a change each, as long as they can be read', () => {
  const events = conditionEvents(null, statusOf(33));
  expect(events).toHaveLength(100);
  expect(new Set(events.map(({ kind }) => kind))).toEqual(new Set(['condition-changed']));
  expect(events[0]).toMatchObject({ secondary: null, type: 'Synced', reason: 'Pending' });
});

test('of more than a hundred only how many more, the partition’s own first', () => {
  const events = conditionEvents(null, statusOf(20_000));
  expect(events).toHaveLength(101);
  expect(events[0]).toMatchObject({ kind: 'condition-changed', secondary: null });
  expect(events.at(-1)).toEqual({ kind: 'conditions-changed', partition: teamA, count: 59_901 });
});

test('what has not changed is not told', () => {
  expect(conditionEvents(statusOf(40), statusOf(40))).toEqual([]);
});
