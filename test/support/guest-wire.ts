/** Commands typed on a real guest's console, and witnesses of what passes an interface of the host. */
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { appendFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { Host } from '../../src/host/ports.ts';
import type { DomainRef } from '../../src/model/domain.ts';
import { virsh } from './cli.ts';
import { until } from './until.ts';

const client = fileURLToPath(new URL('guest/client.pl', import.meta.url));

/** What a guest of the kit says, and the commands of client.pl that it takes. */
export class GuestConsole {
  #said = '';
  readonly #terminal: string;
  readonly #end = new AbortController();

  private constructor(terminal: string) {
    this.#terminal = terminal;
  }

  /** Of one that runs with `unnest.do=client`, and has just been started. */
  static async open(host: Host, ref: DomainRef): Promise<GuestConsole> {
    const opened = new GuestConsole((await virsh('ttyconsole', ref.domainName)).trim());
    const chunks = await host.domains.console(ref, opened.#end.signal);
    void opened.#listen(chunks).catch(() => undefined);
    return opened;
  }

  async #listen(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of chunks) this.#said += Buffer.from(chunk).toString('latin1');
  }

  /** What it says from now on, once it has said it; or what it has said since `from`. */
  async hears(pattern: RegExp, from = 0): Promise<string> {
    const text = () => this.#said.slice(from);
    await until(`the guest says ${pattern}`, text, (said) => pattern.test(said));
    return pattern.exec(text())?.[1] ?? '';
  }

  /** Such as `GET /facts`; what it answers. One at a time. */
  async do(command: string): Promise<string> {
    const from = this.#said.length;
    await appendFile(this.#terminal, `do ${command}\n`);
    return this.hears(/unnest-guest \S+ answer (.*?)\r?\n/, from);
  }

  async send(frame: string): Promise<void> {
    expect(await this.do(`POST /frame?hex=${frame}`)).toMatch(/^200 sent/);
  }

  /** How many of so many pings were answered. */
  async pings(to: string, count = 3): Promise<number> {
    const answer = await this.do(`GET /echo?to=${to}&count=${count}&every=0.2&wait=1`);
    return Number(/^200 (\d+) of/.exec(answer)?.[1]);
  }

  close(): void {
    this.#end.abort();
  }
}

/**
 * Whether somebody of the host, or in a network namespace, gets an answer to the first packet of a
 * connection: that there is nobody at the port is one.
 */
export function isAnswered(namespace: string | null, to: string, port = 9): boolean {
  const said = request(namespace, `GET /tcp?to=${to}&port=${port}`);
  expect(said).toMatch(/connected|Connection refused|silence|No route/);
  return /connected|Connection refused/.test(said);
}

function request(namespace: string | null, head: string): string {
  const inside = namespace === null ? [] : ['netns', 'exec', namespace, 'perl'];
  const input = `${head} HTTP/1.1\r\n\r\n`;
  const program = namespace === null ? 'perl' : 'ip';
  return execFileSync(program, [...inside, client, 'stdio'], { input, encoding: 'utf8' });
}

/** One frame, out of the `eth0` of somebody in a network namespace of their own. */
export function sendFrom(namespace: string, frame: string): void {
  expect(request(namespace, `POST /frame?hex=${frame}`)).toContain('sent');
}

/** Every frame that passes an interface, either way. */
export class Witness {
  #seen = '';
  readonly #process: ChildProcessByStdio<null, Readable, null>;

  private constructor(name: string) {
    this.#process = spawn('perl', [client, 'frames', name], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process.stdout.on('data', (chunk: Buffer) => (this.#seen += chunk.toString()));
  }

  static async at(name: string): Promise<Witness> {
    const witness = new Witness(name);
    await witness.sees('listens');
    return witness;
  }

  async sees(mark: string): Promise<void> {
    await until(`${mark} passes`, () => this.has(mark));
  }

  has(mark: string): boolean {
    return this.#seen.includes(mark);
  }

  close(): void {
    this.#process.kill('SIGKILL');
  }
}
