/** Commands typed on a real guest's console, and witnesses of what passes an interface of the host. */
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { appendFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { Host } from '../../src/host/ports.ts';
import type { DomainRef } from '../../src/model/domain.ts';
import { virsh } from './cli.ts';
import { ipHex, marker } from './frames-of.ts';
import { lookUntil, until } from './until.ts';

/** A guest under emulation takes its time, and so does whoever else is on the machine. */
const patient = { msMax: 100_000, everyMs: 20 };

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
    await until(`the guest says ${pattern}`, text, (said) => pattern.test(said), patient);
    return pattern.exec(text())?.[1] ?? '';
  }

  /**
   * Once it takes commands, and has answered all that was typed. What is typed before then may be lost, or
   * be answered late; so it is another line each time.
   */
  async answers(): Promise<void> {
    const isAnswered = async () => {
      const mark = marker();
      await appendFile(this.#terminal, `do POST /run?line=echo%20${mark}\n`);
      const hears = () => this.#said.includes(`answer 200 ${mark}`);
      return (await lookUntil(hears, Boolean, { ...patient, msMax: 3000 })).isSo;
    };
    await until('the guest takes commands', isAnswered, Boolean, patient);
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

  /** Whether so many pings come to be answered, at once or later. */
  async reaches(to: string, count = 3): Promise<boolean> {
    const isAll = (answered: number) => answered === count;
    return (await lookUntil(() => this.pings(to, count), isAll, patient)).isSo;
  }

  /** How many of so many pings were answered in time. */
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

/** Whether there comes to be such an answer, at once or later. */
export async function reaches(namespace: string | null, to: string, port = 9): Promise<boolean> {
  return (await lookUntil(() => isAnswered(namespace, to, port), Boolean, patient)).isSo;
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
    await until(`${mark} passes`, () => this.has(mark), Boolean, patient);
  }

  /** Once what the host itself sends there now has passed: whatever it has sent on there before has, too. */
  async seesHostSendTo(address: string): Promise<void> {
    const mark = marker();
    const socket = createSocket('udp4');
    const passes = () => {
      // It waits for the other's MAC address, if the host does not know it, and is lost if that takes long.
      socket.send(Buffer.from(mark, 'hex'), 1068, address);
      return this.has(mark);
    };
    await until(`the host sends to ${address}`, passes, Boolean, { ...patient, everyMs: 100 });
    socket.close();
  }

  /** How many pings from one to another have passed, and how many of those were answered. */
  pings(from: string, to: string): { readonly asked: number; readonly answered: number } {
    const numbers = (type: string, source: string, destination: string) => {
      const addresses = ipHex(source) + ipHex(destination);
      // The type, a checksum, and which ping of which program.
      const frame = `^.{24}080045.{16}01.{4}${addresses}${type}00.{4}(.{8})`;
      const found = this.#seen.matchAll(new RegExp(frame, 'gm'));
      return new Set([...found].map(([, number]) => number));
    };
    const [asked, answers] = [numbers('08', from, to), numbers('00', to, from)];
    return { asked: asked.size, answered: [...asked].filter((each) => answers.has(each)).length };
  }

  has(mark: string): boolean {
    return this.#seen.includes(mark);
  }

  close(): void {
    this.#process.kill('SIGKILL');
  }
}
