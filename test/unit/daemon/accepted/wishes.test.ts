import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Hold as ControlHold } from '../../../../src/channel/control.ts';
import { seal } from '../../../../src/daemon/accepted/sealed-file.ts';
import {
  type Hold,
  type PowerRequest,
  reasonCharactersMax,
  unexpired,
  wishesMax,
} from '../../../../src/daemon/accepted/wish-schema.ts';
import { openWishes, type Wishes } from '../../../../src/daemon/accepted/wishes.ts';
import type { SecondaryName } from '../../../../src/model/names.ts';
import { callFails, writesFail } from '../../../support/virtual-files.ts';
import { type VirtualRuntime, virtualRuntime } from '../../../support/virtual-runtime.ts';
import { at, partition, state } from './submissions.ts';

const path = `${state}/${partition}/wishes.json`;
const [web, db] = ['web', 'db'] as SecondaryName[] as [SecondaryName, SecondaryName];

let runtime: VirtualRuntime;
beforeEach(() => {
  runtime = virtualRuntime();
});

const open = (of = runtime): Promise<Wishes> => openWishes(of.files, state, partition);
const reopened = () => open(runtime.restart({ losePower: true }));

function hold(secondary: SecondaryName | null, overrides: Partial<Hold> = {}): Hold {
  return { secondary, reason: 'maintenance', submitter: 'uid 0', expiresAt: null, ...overrides };
}

function request(secondary: SecondaryName, overrides: Partial<PowerRequest> = {}): PowerRequest {
  return { secondary, action: 'restart', runId: 7, submitter: 'uid 0', at, ...overrides };
}

const ok = { status: 'ok' };

test('a hold is that of the control interface', () => {
  const given: ControlHold = hold(web);
  const taken: Hold = given;
  expect(taken).toEqual(hold(web));
});

describe('what is asked for', () => {
  test('is nothing at first, and nothing is written', async () => {
    const wishes = await open();
    expect(wishes).toMatchObject({ holds: [], requests: [], drain: null, problem: null });
    expect(runtime.files.writes).toBe(0);
  });

  test('outlives the process', async () => {
    const wishes = await open();
    const drain = { submitter: 'uid 0', at };
    expect(await wishes.addHold(hold(web, { expiresAt: '2026-02-01T00:00:00Z' }))).toEqual(ok);
    expect(await wishes.addHold(hold(null))).toEqual(ok);
    expect(await wishes.addRequest(request(db))).toEqual(ok);
    expect(await wishes.setDrain(drain)).toEqual(ok);
    expect(await reopened()).toMatchObject({
      holds: [hold(web, { expiresAt: '2026-02-01T00:00:00Z' }), hold(null)],
      requests: [request(db)],
      drain,
      problem: null,
    });
    expect(runtime.disk.modeOf(path)).toBe(0o600);
  });

  test('is taken back', async () => {
    const wishes = await open();
    for (const each of [hold(web), hold(db), hold(null)]) await wishes.addHold(each);
    await wishes.addRequest(request(web));
    await wishes.setDrain({ submitter: 'uid 0', at });
    await wishes.removeHold(null);
    await wishes.removeHold(db);
    await wishes.removeRequest(request(web));
    await wishes.setDrain(null);
    expect(await reopened()).toMatchObject({ holds: [hold(web)], requests: [], drain: null });
  });

  test('a file of a version that kept no answers is read', async () => {
    const content = { holds: [hold(web)], requests: [request(db)], drain: null };
    runtime.disk.write(path, seal('wishes', content));
    const wishes = await open();
    expect(wishes).toMatchObject({ holds: [hold(web)], requests: [request(db)], problem: null });
    const answer = { party: 'uid 0', key: 'a', request: 'start web', message: 'yes', at };
    expect(await wishes.addRequest(request(web), answer)).toEqual(ok);
    expect((await reopened()).answeredSince('2000-01-01T00:00:00Z')).toEqual([answer]);
  });

  test('the last word counts', async () => {
    const wishes = await open();
    await wishes.addHold(hold(web));
    await wishes.addHold(hold(web, { reason: 'another' }));
    await wishes.addRequest(request(web));
    await wishes.addRequest(request(web, { action: 'stop' }));
    expect(wishes.holds).toEqual([hold(web, { reason: 'another' })]);
    expect(wishes.requests).toEqual([request(web, { action: 'stop' })]);
    await wishes.removeRequest(request(web));
    expect(wishes.requests).toEqual([request(web, { action: 'stop' })]);
  });

  test('what changes nothing is not written', async () => {
    const wishes = await open();
    await wishes.addHold(hold(web));
    const { writes } = runtime.files;
    await wishes.addHold(hold(web));
    await wishes.removeHold(db);
    await wishes.removeRequest(request(web));
    await wishes.setDrain(null);
    await wishes.dropExpired(at);
    expect(runtime.files.writes).toBe(writes);
  });

  test('two at once are both kept', async () => {
    const wishes = await open();
    await Promise.all([wishes.addHold(hold(web)), wishes.addHold(hold(db))]);
    expect((await reopened()).holds).toEqual([hold(web), hold(db)]);
  });

  test.each([
    [
      'a reason with control characters',
      (w: Wishes) => w.addHold(hold(web, { reason: '\u001b[2J' })),
    ],
    ['a reason without end', (w: Wishes) => w.addHold(hold(web, { reason: 'x'.repeat(2000) }))],
    ['no name', (w: Wishes) => w.addHold(hold('../x' as SecondaryName))],
    ['no time', (w: Wishes) => w.addHold(hold(web, { expiresAt: 'tomorrow' }))],
    [
      'a time elsewhere',
      (w: Wishes) => w.addHold(hold(web, { expiresAt: `${at.slice(0, -1)}+01:00` })),
    ],
    ['half a run', (w: Wishes) => w.addRequest(request(web, { runId: 0.5 }))],
  ])('%s is refused', async (_, ask) => {
    const wishes = await open();
    expect(await ask(wishes)).toMatchObject({ status: 'refused', code: 'Invalid' });
    expect(wishes).toMatchObject({ holds: [], requests: [] });
    expect(runtime.files.writes).toBe(0);
  });

  test('there is an end to how many, and that many can be read back', async () => {
    const names = Array.from({ length: wishesMax }, (_, n) => `s${n}` as SecondaryName);
    // A character that takes as many bytes as any.
    const long = (length: number) => '\u20ac'.repeat(length);
    const texts = { reason: long(reasonCharactersMax), submitter: long(256) };
    const content = {
      holds: names.map((name) => hold(name, texts)),
      requests: names.map((name) => request(name, { submitter: long(256) })),
      drain: null,
    };
    runtime.disk.write(path, seal('wishes', content));
    const wishes = await open();
    expect(wishes).toMatchObject({ ...content, problem: null });
    const refused = { status: 'refused', code: 'Invalid' };
    expect(await wishes.addHold(hold(web))).toMatchObject(refused);
    expect(await wishes.addRequest(request(web))).toMatchObject(refused);
    expect(await wishes.removeHold(names[0] ?? null)).toEqual(ok);
    expect(await wishes.addHold(hold(web))).toEqual(ok);
  });

  test.each(['NoSpace', 'ReadOnly', 'Failed'] as const)('%s: nothing has changed', async (code) => {
    const wishes = await open();
    await wishes.addHold(hold(web));
    runtime.files.faults.push(writesFail(code));
    const refused = { status: 'refused', code: 'NotStored' };
    for (const answer of [
      await wishes.addHold(hold(db)),
      await wishes.removeHold(web),
      await wishes.addRequest(request(web)),
      await wishes.setDrain({ submitter: 'uid 0', at }),
    ]) {
      expect(answer).toMatchObject(refused);
    }
    expect(wishes).toMatchObject({ holds: [hold(web)], requests: [], drain: null });
  });
});

describe('holds that expire', () => {
  const until = (expiresAt: string | null) => hold(web, { expiresAt });

  test.each([
    [null, true],
    ['2026-01-31T12:00:00.001Z', true],
    ['2026-01-31T12:00:01Z', true],
    ['2026-01-31T12:00:00.000Z', false],
    ['2026-01-31T11:59:59.999Z', false],
    ['2025-12-31T23:59:59Z', false],
  ])('until %s: %s', (expiresAt, holds) => {
    expect(unexpired([until(expiresAt)], at)).toHaveLength(holds ? 1 : 0);
  });

  test('with and without fractions', () => {
    expect(unexpired([until('2026-01-31T12:00:00Z')], '2026-01-31T12:00:00.500Z')).toEqual([]);
    expect(unexpired([until('2026-01-31T12:00:00.5Z')], '2026-01-31T12:00:00Z')).toHaveLength(1);
  });

  test('are dropped from the file', async () => {
    const wishes = await open();
    await wishes.addHold(until('2026-01-31T11:00:00Z'));
    await wishes.addHold(hold(db));
    expect(await wishes.dropExpired(at)).toEqual(ok);
    expect((await reopened()).holds).toEqual([hold(db)]);
  });
});

describe('what cannot be read holds the whole partition', () => {
  const everything = {
    secondary: null,
    reason: expect.stringMatching(/unnest resume.*wishes\.json/),
    submitter: 'unnestd',
    expiresAt: null,
  };

  beforeEach(async () => {
    const wishes = await open();
    await wishes.addHold(hold(web));
    await wishes.addRequest(request(db));
  });

  test('torn: until an operator resumes, which writes a fresh file', async () => {
    runtime.disk.write(path, (runtime.disk.text(path) ?? '').slice(0, -10));
    const wishes = await reopened();
    expect(wishes).toMatchObject({ holds: [everything], requests: [] });
    expect(wishes.problem).toContain(path);
    expect(await wishes.removeHold(null)).toEqual(ok);
    expect(wishes.problem).toBeNull();
    expect(await reopened()).toMatchObject({ holds: [], requests: [], problem: null });
  });

  test('whatever is asked meanwhile, it stays held, also after another start', async () => {
    runtime.disk.write(path, 'x');
    const wishes = await reopened();
    await wishes.addHold(hold(web));
    await wishes.removeHold(db);
    await wishes.addRequest(request(db));
    expect(wishes.problem).not.toBeNull();
    const again = await reopened();
    expect(again.holds).toEqual([everything, hold(web)]);
    await again.removeHold(null);
    expect((await reopened()).holds).toEqual([hold(web)]);
  });

  test('and cannot be written: it stays held', async () => {
    runtime.disk.write(path, 'x');
    const wishes = await open();
    runtime.files.faults.push(writesFail('ReadOnly'));
    expect(await wishes.removeHold(null)).toMatchObject({ status: 'refused' });
    expect(wishes.holds).toEqual([everything]);
    expect(wishes.problem).not.toBeNull();
  });

  test.each(['PermissionDenied', 'Failed'] as const)(
    '%s may pass, so that it is no answer',
    async (code) => {
      runtime.files.faults.push(callFails('read', code));
      await expect(open()).rejects.toMatchObject({ code });
    },
  );

  test.each(['TooLarge', 'NotAFile'] as const)('%s', async (code) => {
    runtime.files.faults.push(callFails('read', code));
    const wishes = await open();
    expect(wishes.holds).toMatchObject([{ secondary: null }]);
    expect(wishes.problem).not.toBeNull();
  });

  test('an accepted bundle in its place', async () => {
    const text = runtime.disk.text(path) ?? '';
    runtime.disk.write(path, text.replace('"wishes"', '"accepted"'));
    expect((await open()).holds).toEqual([everything]);
  });

  test('any byte that is turned over, and any cut', async () => {
    const bytes = new TextEncoder().encode(runtime.disk.text(path) ?? '');
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (place, turn, cut) => {
          const turned = bytes.map((each, index) => (index === place ? each ^ turn : each));
          runtime.disk.write(path, cut ? bytes.slice(0, place) : turned);
          expect((await open()).holds).toMatchObject([{ secondary: null }]);
        },
      ),
    );
  });
});

test('a crash at any write leaves what was before or what was to be', async () => {
  for (const write of [1, 2, 3, 4]) {
    for (const when of ['before', 'after'] as const) {
      const machine = virtualRuntime();
      const wishes = await open(machine);
      await wishes.addHold(hold(web));
      machine.files.crashAtWrite(machine.files.writes + write, when);
      const answer = await wishes.addHold(hold(db));
      const { holds } = await open(machine.restart({ losePower: true }));
      const allowed = answer.status === 'ok' ? [2] : [1, 2];
      expect(allowed).toContain(holds.length);
      expect([hold(web), hold(db)]).toEqual(expect.arrayContaining([...holds]));
      expect(holds).toContainEqual(hold(web));
    }
  }
});
