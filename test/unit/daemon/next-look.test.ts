import { expect, test } from 'vitest';
import { nextLook, type NextLookFacts } from '../../../src/daemon/next-look.ts';
import { nothingRemembered } from '../../../src/daemon/turn.ts';
import { secondaryNamed } from '../../support/virtual-daemon.ts';

const quiet: NextLookFacts = {
  memory: nothingRemembered,
  nowMs: 1000,
  holdOverMs: null,
  resyncMs: 300_000,
  unreachable: 0,
  filesMissing: false,
  unseenForMs: null,
  rules: { attemptsMax: 5, delayMsMin: 1000, delayMsMax: 60_000 },
  random: 0,
};

const failing = (nextTryMs: number | null) => ({
  ...nothingRemembered,
  failures: new Map([['secondary/web', { attempts: 1, nextTryMs, message: '', state: null }]]),
});

const waiting = {
  ...nothingRemembered,
  runs: new Map([[secondaryNamed('web'), { run: null, endings: 3, notBeforeMs: 21_000 }]]),
};

test.each([
  ['nothing', {}, { afterMs: 300_000, because: 'resync' }],
  ['a failure', { memory: failing(5000) }, { afterMs: 4000, because: 'retry' }],
  [
    'a failure that was given up',
    { memory: failing(null) },
    { afterMs: 300_000, because: 'resync' },
  ],
  [
    'a failure that is due and blocked',
    { memory: failing(500) },
    { afterMs: 300_000, because: 'resync' },
  ],
  [
    'a guest that waits for its start',
    { memory: waiting },
    { afterMs: 20_000, because: 'hold-over' },
  ],
  [
    'a file of the store that is missing',
    { filesMissing: true },
    { afterMs: 60_000, because: 'retry' },
  ],
  [
    'something that could not be listed, or be seen',
    { unseenForMs: 0 },
    { afterMs: 10_000, because: 'retry' },
  ],
  ['the same, for a minute', { unseenForMs: 60_000 }, { afterMs: 30_000, because: 'retry' }],
  ['the same, for an hour', { unseenForMs: 3_600_000 }, { afterMs: 300_000, because: 'resync' }],
  ['a pause', { holdOverMs: 7000 }, { afterMs: 7000, because: 'hold-over' }],
  ['a host that is away', { unreachable: 3 }, { afterMs: 4000, because: 'retry' }],
  ['a host that is away for long', { unreachable: 99 }, { afterMs: 60_000, because: 'retry' }],
] as const)('after %s', (_, facts, expected) => {
  expect(nextLook({ ...quiet, ...facts })).toEqual(expected);
});
