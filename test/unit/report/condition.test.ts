import { expect, test } from 'vitest';
import { conditionsFrom, type Statement } from '../../../src/report/condition.ts';

const ready: Statement = { type: 'Ready', status: 'True', reason: 'Healthy', message: '' };

test('since when is kept as long as the status is the same, whatever the reason', () => {
  const first = conditionsFrom([ready], [], '2030-01-01T00:00:00.000Z', 1);
  const second = conditionsFrom(
    [{ ...ready, reason: 'Other' }],
    first,
    '2030-01-02T00:00:00.000Z',
    2,
  );
  expect(second).toEqual([
    { ...ready, reason: 'Other', since: '2030-01-01T00:00:00.000Z', generation: 2 },
  ]);
});

test('since when begins anew with another status', () => {
  const first = conditionsFrom([ready], [], '2030-01-01T00:00:00.000Z', 1);
  const [second] = conditionsFrom(
    [{ ...ready, status: 'False' }],
    first,
    '2030-01-02T00:00:00.000Z',
    1,
  );
  expect(second?.since).toBe('2030-01-02T00:00:00.000Z');
});

test('a message is cut, and not in the middle of a character', () => {
  const messageOf = (message: string) =>
    conditionsFrom([{ ...ready, message }], [], '2030-01-01T00:00:00.000Z', 1)[0]?.message;
  expect(messageOf('x'.repeat(1024))).toBe('x'.repeat(1024));
  expect(messageOf('x'.repeat(1025))).toBe(`${'x'.repeat(1023)}…`);
  expect(messageOf(`${'x'.repeat(1022)}😀${'x'.repeat(9)}`)).toBe(`${'x'.repeat(1022)}…`);
});
