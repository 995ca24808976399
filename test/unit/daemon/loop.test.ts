import { describe, expect, test } from 'vitest';
import { Loop, type Turned } from '../../../src/daemon/loop.ts';
import { slots } from '../../../src/daemon/slots.ts';
import type { WakeReason } from '../../../src/report/event.ts';
import { virtualRuntime } from '../../support/virtual-runtime.ts';

const quiet: Turned = { changed: false, next: { afterMs: 300_000, because: 'resync' } };

interface Rig {
  /** How long each turn takes. */
  takesMs?: number;
  readonly answer?: () => Turned;
  readonly most?: number;
}

function rig({ takesMs = 0, answer = () => quiet, most = 1 }: Rig = {}) {
  const runtime = virtualRuntime();
  const shared = slots(most);
  const turns: { readonly atMs: number; readonly because: readonly WakeReason[] }[] = [];
  const bugs: string[] = [];
  const make = (name = '') =>
    new Loop({
      runtime,
      slots: shared,
      turn: async (because) => {
        turns.push({
          atMs: runtime.clock.now(),
          because: [...because, ...(name ? [name] : [])] as WakeReason[],
        });
        if (takesMs > 0) await runtime.timers.sleep(takesMs, new AbortController().signal);
        return answer();
      },
      onBug: (message) => bugs.push(message),
    });
  return { runtime, loop: make(), make, turns, bugs, shared };
}

describe('a loop', () => {
  test('begins at once', async () => {
    const { runtime, loop, turns } = rig();
    loop.wake('documents');
    await runtime.settle();
    expect(turns).toEqual([{ atMs: 0, because: ['documents'] }]);
  });

  test('makes one pass of what comes together', async () => {
    const { runtime, loop, turns } = rig({ takesMs: 100 });
    loop.wake('started');
    await runtime.advance(10);
    for (let count = 0; count < 1000; count += 1) {
      loop.wake('host-event');
      loop.wake('documents');
    }
    await runtime.advance(1000);
    expect(turns.map(({ because }) => because)).toEqual([['started'], ['host-event', 'documents']]);
  });

  test('works at most half of the time, however often it is woken', async () => {
    const { runtime, loop, turns } = rig({ takesMs: 100 });
    for (let ms = 0; ms < 10_000; ms += 5) {
      loop.wake('documents');
      await runtime.advance(5);
    }
    expect(turns.length).toBeGreaterThanOrEqual(49);
    expect(turns.length).toBeLessThanOrEqual(51);
  });

  test('looks again after it has changed something', async () => {
    const answers: Turned[] = [{ ...quiet, changed: true }, quiet];
    const { runtime, loop, turns } = rig({ answer: () => answers.shift() ?? quiet });
    loop.wake('documents');
    await runtime.settle();
    expect(turns.map(({ because }) => because)).toEqual([['documents'], ['verify']]);
  });

  test('looks again by itself when the turn has said so', async () => {
    const answers: Turned[] = [{ changed: false, next: { afterMs: 1000, because: 'retry' } }];
    const { runtime, loop, turns } = rig({ answer: () => answers.shift() ?? quiet });
    loop.wake('started');
    await runtime.advance(301_000);
    expect(turns.map(({ because, atMs }) => [atMs, ...because])).toEqual([
      [0, 'started'],
      [1000, 'retry'],
      [301_000, 'resync'],
    ]);
  });

  test('slows down when somebody undoes what it does, but not for people', async () => {
    const { runtime, loop, turns } = rig({ answer: () => ({ ...quiet, changed: true }) });
    loop.wake('started');
    await runtime.advance(60_000);
    // Six at once, then after 1, 2, 4, 8, 16 s.
    expect(turns.length).toBeLessThan(15);
    const before = turns.length;
    loop.wake('documents');
    await runtime.settle();
    expect(turns.length).toBe(before + 1);
  });

  test('is not woken by a host more often than every two seconds for long', async () => {
    const { runtime, loop, turns } = rig();
    for (let ms = 0; ms < 60_000; ms += 50) {
      loop.wake('host-event');
      await runtime.advance(50);
    }
    expect(turns.length).toBeGreaterThan(30);
    expect(turns.length).toBeLessThan(45);
    await runtime.advance(60_000);
    loop.wake('host-event');
    const before = turns.length;
    await runtime.settle();
    expect(turns.length).toBe(before + 1);
  });

  test('outlives a bug, tells of it, and tries again', async () => {
    const answers = [
      () => {
        throw new Error('a bug');
      },
    ];
    const { runtime, loop, turns, bugs } = rig({ answer: () => answers.shift()?.() ?? quiet });
    loop.wake('started');
    await runtime.advance(60_000);
    expect(bugs).toEqual(['a bug']);
    expect(turns).toHaveLength(2);
  });

  test('ends what is under way before it closes, and begins nothing more', async () => {
    const { runtime, loop, turns } = rig({ takesMs: 100 });
    loop.wake('started');
    await runtime.advance(10);
    loop.wake('documents');
    let closed = false;
    void loop.close().finally(() => (closed = true));
    await runtime.advance(50);
    expect(closed).toBe(false);
    await runtime.advance(500);
    expect(closed).toBe(true);
    loop.wake('documents');
    await runtime.advance(1000);
    expect(turns).toHaveLength(1);
  });

  test('that is woken all the time does not keep another one waiting', async () => {
    const { runtime, make, turns } = rig({ takesMs: 100 });
    const [busy, calm] = [make('busy'), make('calm')];
    for (let ms = 0; ms < 5000; ms += 5) {
      busy.wake('documents');
      if (ms === 2000) calm.wake('documents');
      await runtime.advance(5);
    }
    const first = turns.find(({ because }) => because.includes('calm' as WakeReason));
    expect(first?.atMs).toBeLessThanOrEqual(2200);
  });
});

test('a slot given back twice is one slot', async () => {
  const shared = slots(1);
  const never = new AbortController().signal;
  const release = await shared.take(never);
  release?.();
  release?.();
  await shared.take(never);
  let second = false;
  void shared.take(never).finally(() => (second = true));
  await new Promise((done) => setImmediate(done));
  expect(second).toBe(false);
  expect(shared.waiting).toBe(1);
});

test('who waits for a slot and gives up leaves it to the next', async () => {
  const shared = slots(1);
  const never = new AbortController().signal;
  const release = await shared.take(never);
  const ending = new AbortController();
  const given = shared.take(ending.signal);
  const next = shared.take(never);
  ending.abort();
  expect(await given).toBeNull();
  release?.();
  expect(await next).not.toBeNull();
});

test("a slot that was given back during a turn is another one's", async () => {
  const runtime = virtualRuntime();
  const shared = slots(1);
  const begun: string[] = [];
  const make = (name: string) =>
    new Loop({
      runtime,
      slots: shared,
      turn: async (_because, _stop, release) => {
        begun.push(name);
        release();
        await runtime.timers.sleep(1000, new AbortController().signal);
        return quiet;
      },
      onBug: () => undefined,
    });
  make('first').wake('started');
  make('second').wake('started');
  await runtime.advance(10);
  expect(begun).toEqual(['first', 'second']);
});
