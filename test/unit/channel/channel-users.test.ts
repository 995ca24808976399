/** Whose Primary may speak: what the operator's documents say. */
import { expect, test } from 'vitest';
import { channelUsers } from '../../../src/channel/channel-users.ts';
import { descriptionOf } from '../../support/virtual-daemon.ts';

const primary = (domain: string) => ({ domain, reserved: { vcpus: 1, memory: '64MiB' } });
const usersOf = (specs: Readonly<Record<string, Readonly<Record<string, unknown>>>>) =>
  Object.fromEntries(
    channelUsers(new Map(Object.entries(specs).map(([name, spec]) => descriptionOf(name, spec)))),
  );

test('that of a partition whose source is the channel', () => {
  const users = usersOf({
    a: { source: 'Channel', primary: primary('vm-a') },
    b: { source: 'Apply', primary: primary('vm-b') },
    c: { source: 'Directory', primary: primary('vm-c') },
    d: { source: 'Channel', primary: primary('vm-d') },
  });
  expect(users).toEqual({ 'vm-a': 'a', 'vm-d': 'd' });
});

test('none of two partitions, whatever the sources are', () => {
  const channel = { source: 'Channel', primary: primary('vm') };
  expect(
    usersOf({ a: channel, b: channel, c: { source: 'Channel', primary: primary('c') } }),
  ).toEqual({ c: 'c' });
  expect(usersOf({ a: channel, b: { source: 'Apply', primary: primary('vm') } })).toEqual({});
  expect(usersOf({ b: { source: 'Apply', primary: primary('vm') }, c: channel })).toEqual({});
});

test('none of a document that is not valid, or of one that names no Primary', () => {
  expect(
    usersOf({
      a: { source: 'Channel', primary: primary('vm'), nonsense: 1 },
      b: { source: 'Channel' },
    }),
  ).toEqual({});
});
