import { describe, expect, test } from 'vitest';
import type { ObservedDomain, Power } from '../../../src/model/domain.ts';
import { fieldsOf } from '../../../src/model/domain.ts';
import { absent, type Observation, present, unknown } from '../../../src/model/observation.ts';
import type { PlanEntry } from '../../../src/plan/entry.ts';
import { type SecondaryFacts, secondaryReport } from '../../../src/report/secondary-report.ts';
import { secondary } from '../../support/passes.ts';
import { secondaryNamed } from '../../support/virtual-daemon.ts';

const resource = { kind: 'secondary', name: 'web' } as const;
const unchanged: PlanEntry = { kind: 'unchanged', resource, waiting: [] };
const dating = { before: [], at: '2030-01-01T00:00:00.000Z', generation: 3 };

function blocked(code: string): PlanEntry {
  return { kind: 'blocked', resource, block: { code, message: 'why' } } as PlanEntry;
}

function work(kind: 'create' | 'update' | 'delete'): PlanEntry {
  const nothing = { reasons: ['not-running'], fields: [], waiting: [], operations: [] };
  return { kind, resource, impact: 'none', ...nothing } as unknown as PlanEntry;
}

function domain(power: Power): Observation<ObservedDomain> {
  const fields = fieldsOf(secondary('web', { labels: new Map([['app', 'shop']]) }));
  const live = power.status === 'stopped' ? null : { ...fields, vcpus: 2 };
  return present({
    domainName: 'unnest.team-a.web',
    uuid: '9d0d1f5c-93a1-4c38-8f0e-6a3f6a1f0001',
    power,
    defined: fields,
    live,
  } as ObservedDomain);
}

const running = domain({ status: 'running' });
const stopped = domain({ status: 'stopped', reason: 'guest-shutdown' });
const crashed = domain({ status: 'stopped', reason: 'crashed' });

function report(facts: Partial<SecondaryFacts>) {
  const whole: SecondaryFacts = {
    name: secondaryNamed('web'),
    seen: running,
    entry: unchanged,
    address: null,
    awaits: null,
    held: null,
    failure: null,
    waitsFor: null,
    gaveUp: false,
    ...facts,
  };
  return secondaryReport(whole, dating);
}

function words(facts: Partial<SecondaryFacts>): string {
  const { status, sync, health } = report(facts);
  return `${status} ${sync} ${health}`;
}

describe('one Secondary in three words', () => {
  test.each([
    ['as it is to be', {}, 'Running Synced Healthy'],
    ['declared stopped, and so', { seen: stopped }, 'Stopped Synced Healthy'],
    [
      'wanted and not there',
      { seen: absent, entry: work('create') },
      'Pending OutOfSync Progressing',
    ],
    [
      'not there and blocked',
      { seen: absent, entry: blocked('FileMissing') },
      'Blocked Blocked Degraded',
    ],
    [
      'off and blocked',
      { seen: stopped, entry: blocked('FileMissing') },
      'Stopped Blocked Degraded',
    ],
    ['there and blocked', { entry: blocked('SavedState') }, 'Running Blocked Healthy'],
    ['to go', { entry: work('delete') }, 'Deleting OutOfSync Progressing'],
    ['to be started', { seen: stopped, entry: work('update') }, 'Stopped OutOfSync Progressing'],
    [
      'not ready yet',
      { awaits: { reason: 'AwaitsTcpPort', message: 'it waits' } },
      'Starting Synced Progressing',
    ],
    ['crashed', { seen: crashed }, 'Crashed Synced Degraded'],
    [
      'ending again and again',
      { seen: crashed, entry: blocked('CrashLoop') },
      'CrashLoop Blocked Degraded',
    ],
    ['suspended', { seen: domain({ status: 'paused' }) }, 'Paused Synced Suspended'],
    ['on its way out', { seen: domain({ status: 'stopping' }) }, 'Stopping Synced Progressing'],
    ['left alone', { entry: blocked('Held') }, 'Running Blocked Suspended'],
    ['failing', { failure: 'Timeout: too slow' }, 'Running Synced Degraded'],
    [
      'not to be read',
      { seen: unknown('no answer'), entry: blocked('HostUnknown') },
      'Unknown Unknown Unknown',
    ],
  ] as const)('%s', (_, facts, expected) => {
    expect(words(facts)).toBe(expected);
  });
});

describe('conditions', () => {
  const of = (facts: Partial<SecondaryFacts>, type: string) =>
    report(facts).conditions.find((each) => each.type === type);

  test('say of which documents and since when', () => {
    expect(of({}, 'Ready')).toEqual({
      type: 'Ready',
      status: 'True',
      reason: 'Running',
      message: '',
      since: dating.at,
      generation: 3,
    });
  });

  test('say what is waited for until it is ready, unless something has failed', () => {
    const awaits = { reason: 'AwaitsHeartbeat', message: 'it waits for its heartbeat' };
    expect(of({ awaits }, 'Ready')).toMatchObject({ status: 'False', ...awaits });
    expect(of({ awaits, failure: 'Refused: no' }, 'Ready')).toMatchObject({
      reason: 'Starting',
      message: 'Refused: no',
    });
  });

  test('list every field that waits for a restart, and say nothing where none does', () => {
    const waiting = [{ path: 'spec.vcpus' }, { path: 'spec.memory' }];
    const entry = { ...unchanged, waiting } as unknown as PlanEntry;
    expect(of({ entry }, 'RestartRequired')?.message).toBe('spec.vcpus, spec.memory');
    expect(of({ entry }, 'Synced')?.status).toBe('False');
    expect(of({}, 'RestartRequired')).toBeUndefined();
  });

  test('give the reason of a block', () => {
    expect(of({ entry: blocked('FileMissing') }, 'Blocked')).toMatchObject({
      reason: 'FileMissing',
      message: 'why',
    });
    expect(of({ entry: blocked('Held') }, 'Paused')?.status).toBe('True');
    expect(of({ entry: blocked('CrashLoop') }, 'CrashLoop')?.status).toBe('True');
  });

  test('say what has failed, and that it is no longer tried', () => {
    const failure = 'Refused: no such machine';
    expect(of({ failure }, 'Ready')).toMatchObject({ status: 'False', message: failure });
    expect(of({ failure }, 'GaveUp')).toBeUndefined();
    expect(of({ failure, gaveUp: true }, 'GaveUp')?.message).toBe(failure);
  });
});

test('what runs is told before what is defined', () => {
  expect(report({}).vcpus).toBe(2);
  expect(report({ seen: stopped }).vcpus).toBe(1);
  expect(report({ seen: absent, entry: work('create') })).toMatchObject({
    vcpus: null,
    uuid: null,
  });
  expect(report({}).labels).toEqual({ app: 'shop' });
});
