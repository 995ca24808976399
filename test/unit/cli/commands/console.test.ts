/** `unnest console`: on a terminal the console itself, elsewhere lines of text; and who types. */
import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import type { ConsoleLine } from '../../../../src/channel/api-reads.ts';
import type { DaemonClient } from '../../../../src/channel/client.ts';
import { DaemonError } from '../../../../src/channel/daemon-error.ts';
import type { Terminal, TerminalSigns } from '../../../../src/cli/environment.ts';
import { partition } from '../../../support/passes.ts';
import { run as runCommand, type Surroundings } from '../run.ts';

/** A terminal, and somebody at it. */
class Person {
  screen = '';
  isRaw = false;
  opened = 0;
  #signs: TerminalSigns | null = null;

  readonly terminal: Terminal = {
    open: (signs) => {
      this.#signs = signs;
      this.isRaw = true;
      this.opened += 1;
      return {
        write: (bytes) => void (this.screen += Buffer.from(bytes).toString('latin1')),
        taken: async () => undefined,
        close: () => void (this.isRaw = false),
      };
    },
  };

  types(text: string): void {
    this.#signs?.onBytes(Buffer.from(text, 'latin1'));
  }

  hangsUp(): void {
    this.#signs?.onHangUp();
  }
}

/** One that a guest's console is asked of. */
class Daemon {
  readonly typed: string[] = [];
  readonly claims: unknown[] = [];
  claim: () => Promise<string> = async () => 'it types now';
  type: () => Promise<string> = async () => 'on its way';
  partition: string | null = partition;
  opens: readonly ConsoleLine[] = [{ kind: 'opened', reader: '1-x' }];
  #waiting: ConsoleLine[] = [];
  #wake = () => {};

  say(line: ConsoleLine | string): void {
    const data = (text: string) => Buffer.from(text, 'latin1').toString('base64');
    this.#waiting.push(typeof line === 'string' ? { kind: 'data', data: data(line) } : line);
    this.#wake();
  }

  end(): void {
    this.say({ kind: 'end', message: null });
  }

  // Border: only what the command uses.
  readonly client = {
    about: async () => ({ version: '1', host: null, stateDir: null, partition: this.partition }),
    console: async (_partition: unknown, _secondary: unknown, signal: AbortSignal) =>
      this.#lines(signal),
    claimConsole: async (_partition: unknown, _secondary: unknown, wish: unknown) => {
      this.claims.push(wish);
      return this.claim();
    },
    typeOnConsole: async (
      _partition: unknown,
      _secondary: unknown,
      typed: { readonly bytes: Uint8Array },
      signal: AbortSignal,
    ) => {
      const said = await this.type();
      if (signal.aborted) throw new DaemonError('Cancelled', 'interrupted');
      this.typed.push(Buffer.from(typed.bytes).toString('latin1'));
      return said;
    },
  } as unknown as DaemonClient;

  async *#lines(signal: AbortSignal): AsyncGenerator<ConsoleLine> {
    yield* this.opens;
    signal.addEventListener('abort', () => this.#wake());
    while (!signal.aborted) {
      const line = this.#waiting.shift();
      if (line === undefined) await new Promise<void>((done) => (this.#wake = done));
      else yield line;
    }
  }
}

let person: Person;
let daemon: Daemon;
let ctrlC: AbortController;
beforeEach(() => {
  person = new Person();
  daemon = new Daemon();
  ctrlC = new AbortController();
});

async function settled(): Promise<void> {
  for (let count = 0; count < 20; count += 1) await turn();
}

const begin = (argv: readonly string[], more: Surroundings = {}) =>
  runCommand(['console', 'web', '-p', partition, ...argv], {
    findDaemon: async () => daemon.client,
    stop: ctrlC.signal,
    ...more,
  });

/** In an object, so that it is not waited for. */
async function held(...argv: readonly string[]) {
  const running = begin(argv, { terminal: person.terminal });
  await expect.poll(() => person.opened).toBe(1);
  await settled();
  return { running };
}

describe('on a terminal', () => {
  test('bytes go both ways as they are, until Ctrl-]', async () => {
    const { running } = await held();
    const bytes = 'login: \u001b[31mred\u0007\u0080\r\n';
    daemon.say(bytes);
    await expect.poll(() => person.screen).toContain(bytes);
    person.types('ls\u0003\r');
    await expect.poll(() => daemon.typed.join('')).toBe('ls\u0003\r');
    expect(person.isRaw).toBe(true);
    person.types('x\u001dnever');
    const { code, stderr } = await running;
    expect(code).toBe(0);
    expect(stderr).toContain('Ctrl-] leaves');
    expect(person.isRaw).toBe(false);
    // Colours, the mouse and the other screen are switched off.
    expect(person.screen).toContain('\u001b[?1047l');
    expect(person.screen.endsWith('\u001b[!p\u001b[0m')).toBe(true);
    await expect.poll(() => daemon.typed.join('')).toBe('ls\u0003\rx');
  });

  test.each([
    ['the guest ends', () => daemon.end(), 0],
    ['somebody ends us', () => ctrlC.abort(), 130],
    ['the terminal hangs up', () => person.hangsUp(), 0],
    ['it breaks off', () => daemon.say({ kind: 'end', message: 'libvirt is gone' }), 5],
  ] as const)('it is as it was when %s', async (_what, act, code) => {
    const { running } = await held();
    expect(person.isRaw).toBe(true);
    act();
    expect((await running).code).toBe(code);
    expect(person.isRaw).toBe(false);
  });

  test('where another types it only reads, and says so', async () => {
    daemon.claim = async () => {
      throw new DaemonError('SomebodyTypes', 'uid 7, pid 8 types on the console of web');
    };
    const { running } = await held();
    await expect
      .poll(() => person.screen)
      .toContain('unnest: only reading: uid 7, pid 8 types on the console of web (--force');
    person.types('rm\r');
    daemon.say('still read');
    await expect.poll(() => person.screen).toContain('still read');
    person.types('\u001d');
    expect((await running).code).toBe(0);
    expect(daemon.typed).toEqual([]);
  });

  test('whoever is replaced is told, and types no more', async () => {
    const { running } = await held('--force');
    expect(daemon.claims).toEqual([{ reader: '1-x', force: true }]);
    daemon.say({ kind: 'replaced', message: 'uid 7, pid 8 types now' });
    await expect.poll(() => person.screen).toContain('only reading: uid 7, pid 8 types now');
    person.types('rm\r');
    await settled();
    person.types('\u001d');
    await running;
    expect(daemon.typed).toEqual([]);
  });

  test('a guest that takes nothing is said to, and can be left', async () => {
    daemon.type = async () => {
      throw new DaemonError('GuestReadsNothing', 'web leaves what was typed where it is');
    };
    const { running } = await held();
    person.types('x');
    await expect.poll(() => person.screen).toContain('not typed: web leaves what was typed');
    daemon.type = () => new Promise<never>(() => undefined);
    person.types('y');
    person.types('z'.repeat(300 * 2 ** 10));
    expect(person.screen).toContain('\u0007');
    person.types('\u001d');
    expect((await running).code).toBe(0);
  });

  test('what is refused for coming too fast is typed later', async () => {
    let refusals = 0;
    daemon.type = async () => {
      refusals += 1;
      if (refusals < 3) throw new DaemonError('TooManyRequests', 'too many in a second');
      return 'on its way';
    };
    const { running } = await held();
    person.types('once');
    await expect.poll(() => daemon.typed.join('')).toBe('once');
    person.types('\u001d');
    await running;
    expect(daemon.typed).toEqual(['once']);
  });

  test('what is typed before it is known who types waits for that', async () => {
    let answer = (_said: string): void => undefined;
    daemon.claim = () => new Promise((done) => (answer = done));
    const { running } = await held();
    person.types('early ');
    await settled();
    expect(daemon.typed).toEqual([]);
    answer('it types now');
    await expect.poll(() => daemon.typed.join('')).toBe('early ');
    person.types('\u001d');
    await running;
  });

  test('what was typed before Ctrl-] is on its way before it is left', async () => {
    daemon.type = () => new Promise((done) => void setTimeout(done, 100, 'on its way'));
    const { running } = await held();
    person.types('exit');
    await settled();
    person.types('\r\u001d');
    await running;
    expect(daemon.typed).toEqual(['exit', '\r']);
  });

  test('an older unnestd is said to take no typing', async () => {
    daemon.opens = [{ kind: 'data', data: 'aGVsbG8=' }];
    const { running } = await held();
    await expect.poll(() => person.screen).toContain('of before there was typing');
    person.types('\u001d');
    await running;
  });

  test.each([['--read-only'], ['--lines', '1']])('%s is text all the same', async (...argv) => {
    daemon.say('\u001b[31mred\r\n');
    daemon.end();
    const { code, stdout } = await begin(argv, { terminal: person.terminal });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'red\n' });
    expect(person.opened).toBe(0);
    expect(daemon.claims).toEqual([]);
  });
});

describe('without a terminal', () => {
  test('it only reads, whatever comes on standard input', async () => {
    daemon.say('one\r\n');
    daemon.end();
    expect(await begin([], { stdin: 'rm\n' })).toMatchObject({ code: 0, stdout: 'one\n' });
    expect(daemon.claims).toEqual([]);
    expect(daemon.typed).toEqual([]);
  });

  test('--write types what comes there, in pieces', async () => {
    const text = 'x'.repeat(10_000);
    const running = begin(['--write', '--lines', '1'], { stdin: text });
    await expect.poll(() => daemon.typed.join('').length).toBe(10_000);
    expect(daemon.typed.map(({ length }) => length)).toEqual([4096, 4096, 1808]);
    daemon.say('answer\n');
    expect(await running).toMatchObject({ code: 0, stdout: 'answer\n' });
  });

  test('--write fails where another types', async () => {
    daemon.claim = async () => {
      throw new DaemonError('SomebodyTypes', 'uid 7, pid 8 types on the console of web');
    };
    const { code, stderr } = await begin(['--write'], { stdin: 'rm\n' });
    expect(code).toBe(7);
    expect(stderr).toContain('uid 7, pid 8 types on the console of web');
    expect(stderr).toContain('--force');
    expect(daemon.typed).toEqual([]);
  });

  test('reading and typing are not both asked for', async () => {
    expect((await begin(['--read-only', '--write'])).code).toBe(64);
  });
});

test('what unnestd does not look after is asked of the host itself', async () => {
  daemon.partition = null;
  const lost = { ...daemon.client, console: async () => Promise.reject(unknown) };
  const unknown = new DaemonError('NoPartition', 'no such partition');
  const more = { findDaemon: async () => lost as DaemonClient };
  expect((await begin([], more)).stderr).toContain('/nonexistent/libvirt-sock');
  daemon.partition = partition;
  expect((await begin([], more)).stderr).toContain('no such partition');
});
