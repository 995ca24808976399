import { expect, test } from 'vitest';
import { eventLine, eventWords } from '../../../../src/cli/render/events.ts';
import { plain } from '../../../../src/cli/render/paint.ts';
import type { DaemonEvent } from '../../../../src/report/event.ts';
import { teamA, web } from '../../channel/fake-control.ts';

const secondary = web;
const partition = teamA;
const submitter = 'uid 0, pid 1';

test.each<[DaemonEvent, string]>([
  [{ kind: 'daemon-started', version: '1.2' }, 'unnestd 1.2 has started'],
  [{ kind: 'host-lost', message: 'refused' }, 'the host does not answer: refused'],
  [
    {
      kind: 'submission-accepted',
      partition,
      generation: 7,
      source: 'Apply',
      submitter,
      documents: 3,
    },
    'accepted generation 7: 3 documents, by Apply (uid 0, pid 1)',
  ],
  [
    {
      kind: 'submission-refused',
      partition,
      source: 'Directory',
      submitter: '/srv',
      code: 'Invalid',
      message: 'a.yaml:1:1: bad',
    },
    'refused documents by Directory (/srv): Invalid: a.yaml:1:1: bad',
  ],
  [
    { kind: 'pass-started', partition, because: ['documents', 'retry'] },
    'looks, because of documents, retry',
  ],
  [
    {
      kind: 'operation-finished',
      partition,
      operation: 'domain.set-memory',
      resource: { kind: 'secondary', name: secondary },
      outcome: 'failed',
      durationMs: 1500,
      detail: 'Timeout: no answer',
    },
    'web: set memory: failed: Timeout: no answer, 1.5 s',
  ],
  [
    {
      kind: 'operation-finished',
      partition,
      operation: 'installation.record',
      resource: null,
      outcome: 'applied',
      durationMs: 3,
      detail: '',
    },
    'host: record: done, 3 ms',
  ],
  [
    {
      kind: 'condition-changed',
      partition,
      secondary,
      type: 'Ready',
      status: 'False',
      reason: 'Stopped',
      message: '',
    },
    'web: Ready is False: Stopped',
  ],
  [
    { kind: 'conditions-changed', partition, count: 59_900 },
    'and 59900 more conditions have changed: ask for the status',
  ],
  [
    { kind: 'guest-ended', partition, secondary, reason: 'crashed', times: 3, waitMs: 4000 },
    'web: the guest crashed, 3 times in a row; its next start waits 4.0 s',
  ],
  [
    { kind: 'guest-ended', partition, secondary, reason: 'unknown', times: 1, waitMs: 0 },
    'web: the guest has ended',
  ],
  [
    { kind: 'requested', partition, action: 'restart', secondary, submitter, message: '' },
    'uid 0, pid 1 asked: restart web',
  ],
])('%j', (event, text) => {
  expect(eventWords(event, plain)).toBe(text);
});

test('a line has the time, the partition, and nothing that a terminal would obey', () => {
  const at = '2026-01-02T03:04:05.678Z';
  const event = {
    kind: 'pass-failed',
    partition,
    because: [],
    message: '\u001b[2Jgone\n',
  } as const;
  expect(eventLine({ seq: 1, at, event }, plain)).toBe(
    '2026-01-02 03:04:05  team-a        looking failed: \\u001b[2Jgone\\u000a',
  );
  const started = { kind: 'daemon-started', version: '1' } as const;
  expect(eventLine({ seq: 1, at, event: started }, plain)).toMatch(/05 {2}- {13}unnestd 1/);
});

test('an event that this version does not know is shown as it is', () => {
  const event = { kind: 'moon-landing', where: '\u001b[1m' } as unknown as DaemonEvent;
  expect(eventWords(event, plain)).toBe('{"kind":"moon-landing","where":"\\u001b[1m"}');
});
