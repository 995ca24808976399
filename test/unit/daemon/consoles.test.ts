/** Consoles that somebody reads: opened once, kept for newcomers, held back, and let go of. */
import { beforeEach, describe, expect, test } from 'vitest';
import { Consoles } from '../../../src/daemon/consoles.ts';
import type { DomainConsole } from '../../../src/host/ports.ts';
import type { DomainRef } from '../../../src/model/domain.ts';
import type { DomainUuid } from '../../../src/model/identity.ts';
import { virtualTime } from '../../support/virtual-time.ts';
import { settled } from '../../support/virtual-caller.ts';

const web: DomainRef = {
  domainName: 'unnest.team-a.web',
  uuid: '7b0c6f0e-0c0a-5d0e-8c1f-000000000001' as DomainUuid,
};

/** What guests say, and who has their consoles open. */
class Guests {
  opened = 0;
  open = 0;
  failure: Error | null = null;
  #say: (bytes: Uint8Array | 'end') => void = () => undefined;
  taken = 0;
  readonly typed: string[] = [];
  /** Whether it reads what is typed. */
  reads = true;

  readonly console = async (_ref: DomainRef, signal: AbortSignal) => {
    if (this.failure !== null) throw this.failure;
    this.opened += 1;
    this.open += 1;
    const waiting: (Uint8Array | 'end')[] = [];
    let wake = () => {};
    this.#say = (bytes) => {
      waiting.push(bytes);
      wake();
    };
    signal.addEventListener('abort', () => wake());
    const chunks = this.#chunks(waiting, signal, (act) => (wake = act));
    return Object.assign(chunks, {
      type: async (bytes: Uint8Array) => {
        if (!this.reads) return new Promise<void>(() => undefined);
        this.typed.push(Buffer.from(bytes).toString());
      },
    });
  };

  async *#chunks(
    waiting: (Uint8Array | 'end')[],
    signal: AbortSignal,
    onWake: (act: () => void) => void,
  ): AsyncGenerator<Uint8Array> {
    try {
      while (!signal.aborted) {
        const next = waiting.shift();
        if (next === 'end') return;
        if (next === undefined) await new Promise<void>((done) => onWake(done));
        else {
          this.taken += 1;
          yield next;
        }
      }
    } finally {
      this.open -= 1;
    }
  }

  say(text: string): Promise<void> {
    this.#say(Buffer.from(text));
    return settled();
  }

  end(): Promise<void> {
    this.#say('end');
    return settled();
  }
}

let guests: Guests;
let time: ReturnType<typeof virtualTime>;
let consoles: Consoles;
beforeEach(() => {
  guests = new Guests();
  time = virtualTime();
  consoles = new Consoles(guests, { timers: time.timers, random: () => 0.5 });
});

function reader() {
  const heard: string[] = [];
  const ends: (string | null)[] = [];
  const names: string[] = [];
  const replacedBy: string[] = [];
  const stop = consoles.read(web, {
    onOpen: (name) => names.push(name),
    onReplaced: (by) => replacedBy.push(by),
    onBytes: (bytes) => heard.push(Buffer.from(bytes).toString()),
    onEnd: (failure) => ends.push(failure),
  });
  const claim = (who: string, force = false) =>
    consoles.claim(web.domainName, { reader: names[0] ?? '', who }, force);
  const type = (text: string) => consoles.type(web.domainName, names[0] ?? '', Buffer.from(text));
  return { heard, ends, replacedBy, claim, type, stop };
}

test('many read one console, and who comes later is given what was said', async () => {
  const first = reader();
  await settled();
  await guests.say('boots\n');
  await time.advance(100);
  const second = reader();
  await guests.say('up\n');
  expect(first.heard).toEqual(['boots\n', 'up\n']);
  expect(second.heard).toEqual(['boots\n', 'up\n']);
  expect(guests.opened).toBe(1);
});

test('it is let go of with its last reader, and opened anew for the next', async () => {
  const [first, second] = [reader(), reader()];
  await settled();
  first.stop();
  await settled();
  expect(guests.open).toBe(1);
  second.stop();
  await settled();
  expect(guests.open).toBe(0);
  reader();
  await settled();
  expect(guests).toMatchObject({ opened: 2, open: 1 });
  consoles.close();
  await settled();
  expect(guests.open).toBe(0);
});

test('readers are told when it ends, and why it could not be opened', async () => {
  const first = reader();
  await settled();
  await guests.end();
  expect(first.ends).toEqual([null]);
  guests.failure = new Error('somebody else has it');
  const second = reader();
  await settled();
  expect(second.ends).toEqual(['somebody else has it']);
});

test('who stopped reading hears nothing more', async () => {
  const [first, second] = [reader(), reader()];
  await settled();
  first.stop();
  await guests.say('x');
  await time.advance(10);
  await guests.end();
  expect(first).toMatchObject({ heard: [], ends: [] });
  expect(second).toMatchObject({ heard: ['x'], ends: [null] });
});

test('a guest that writes without end is held back, and what is kept of it is bounded', async () => {
  reader();
  await settled();
  const chunk = 'x'.repeat(2 ** 20);
  for (let count = 0; count < 5; count += 1) await guests.say(chunk);
  // A mebibyte a second.
  expect(guests.taken).toBe(1);
  await time.advance(3000);
  await settled();
  expect(guests.taken).toBe(3);
  expect(reader().heard.join('').length).toBe(64 * 2 ** 10);
});

test('guests of one partition are held back together', async () => {
  const others = ['db', 'mail'].map((name) => ({ ...web, domainName: `unnest.team-a.${name}` }));
  let taken = 0;
  const flooding: Pick<DomainConsole, 'console'> = {
    console: async () => ({
      async *[Symbol.asyncIterator]() {
        for (;;) {
          taken += 1;
          yield Buffer.from('x');
        }
      },
      type: async () => undefined,
    }),
  };
  consoles = new Consoles(flooding, { timers: time.timers, random: () => 0.5 });
  const listener = { onOpen: () => 0, onBytes: () => 0, onReplaced: () => 0, onEnd: () => 0 };
  for (const ref of [web, ...others]) consoles.read(ref, listener);
  await time.advance(1000);
  // 500 a second of all, and one of each before the first wait.
  expect(taken).toBeLessThan(510);
  expect(taken).toBeGreaterThan(450);
  consoles.close();
});

describe('typing', () => {
  test('one of the readers types; another is told who does, until that one stops reading', async () => {
    const [first, second] = [reader(), reader()];
    await settled();
    expect(await first.type('a')).toBe('not-its-writer');
    expect(first.claim('uid 1')).toEqual({ status: 'claimed' });
    expect(second.claim('uid 2')).toEqual({ status: 'taken', by: 'uid 1' });
    expect(await first.type('ls\n')).toBe('typed');
    expect(await second.type('rm\n')).toBe('not-its-writer');
    first.stop();
    expect(await first.type('x')).toBe('not-its-writer');
    expect(second.claim('uid 2')).toEqual({ status: 'claimed' });
    expect(await second.type('pwd\n')).toBe('typed');
    expect(guests.typed).toEqual(['ls\n', 'pwd\n']);
  });

  test('whoever takes it by force has it, and the one before is told', async () => {
    const [first, second] = [reader(), reader()];
    await settled();
    first.claim('uid 1');
    expect(second.claim('uid 2', true)).toEqual({ status: 'claimed' });
    expect(first.replacedBy).toEqual(['uid 2']);
    expect(await first.type('a')).toBe('not-its-writer');
    expect(await second.type('b')).toBe('typed');
    // Who does not type any more takes nothing from others by going.
    first.stop();
    expect(await second.type('c')).toBe('typed');
  });

  test('nobody types who does not read', async () => {
    const only = reader();
    await settled();
    const elsewhere = { reader: '9-x', who: 'uid 1' };
    expect(consoles.claim(web.domainName, elsewhere, true)).toEqual({ status: 'no-reader' });
    expect(consoles.claim('unnest.team-a.db', elsewhere, true)).toEqual({ status: 'no-reader' });
    only.claim('uid 1');
    await guests.end();
    expect(only.ends).toEqual([null]);
    expect(await only.type('a')).toBe('not-its-writer');
  });

  test('a guest that reads nothing is given no more, and keeps nobody waiting for ever', async () => {
    const only = reader();
    await settled();
    only.claim('uid 1');
    guests.reads = false;
    const typing = only.type('a');
    await settled();
    expect(await only.type('b')).toBe('not-taken');
    await time.advance(10_000);
    expect(await typing).toBe('not-taken');
    expect(await only.type('c')).toBe('not-taken');
    const waiting = reader();
    waiting.stop();
    only.stop();
    await settled();
    expect(guests.open).toBe(0);
  });

  test('what waits for a guest that stops is answered', async () => {
    const only = reader();
    await settled();
    only.claim('uid 1');
    guests.reads = false;
    const typing = only.type('a');
    only.stop();
    expect(await typing).toBe('not-its-writer');
  });
});
