/** Consoles that somebody reads: opened once, kept for newcomers, held back, and let go of. */
import { beforeEach, expect, test } from 'vitest';
import { Consoles } from '../../../src/daemon/consoles.ts';
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
    return this.#chunks(waiting, signal, (act) => (wake = act));
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
  consoles = new Consoles(guests, time.timers);
});

function reader() {
  const heard: string[] = [];
  const ends: (string | null)[] = [];
  const stop = consoles.read(web, {
    onBytes: (bytes) => heard.push(Buffer.from(bytes).toString()),
    onEnd: (failure) => ends.push(failure),
  });
  return { heard, ends, stop };
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
