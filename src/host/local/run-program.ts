/**
 * The one way in which programs are run: an argument list and never a shell, nothing to read but
 * what it is given, next to no environment, and an end in any case. When this settles, the program and what it started
 * have been killed or have ended, so whoever cleans up after it races with nobody.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { HostError } from '../host-error.ts';
import { endSandboxed } from '../sandbox/start.ts';

export interface ProgramRun {
  readonly command: string;
  readonly args: readonly string[];
  /** What it is called in messages, where its command and first argument would say nothing. */
  readonly title?: string;
  /** What it reads from standard input; nothing if not given. */
  readonly input?: string;
  /** What a person is to do if there is no such program, such as `install qemu-utils`. */
  readonly remedy: string;
  readonly timeLimitMs: number;
  /** Of standard output and standard error together. */
  readonly outputBytesMax: number;
  /** What it is ended by where it has to be. Default: SIGKILL. By anything else it ends when it sees fit. */
  readonly endBy?: 'SIGTERM';
  /** Lines of standard error that are no complaint. */
  readonly noise?: RegExp;
  /** By which it does not fail. Default: 0 alone. */
  readonly exitCodes?: readonly number[];
  /**
   * Gives a program what it waits for at its fifth descriptor, where it is to begin only then; `over`
   * fires when it has ended. If it rejects, so does the run.
   */
  readonly begin?: (child: ChildProcess, over: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
}

const environment = { LC_ALL: 'C', PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' };

/** How much of what a program complains about is passed on. */
const complaintLinesMax = 3;
const complaintCharactersMax = 500;

/**
 * @returns what it wrote to standard output
 * @throws HostError `Refused` with the first lines of standard error if it fails, `Timeout`,
 *   `Cancelled`, `Protocol` if it writes more than it may, `Unsupported` if there is no such program
 */
export async function runProgram(run: ProgramRun): Promise<string> {
  if (run.signal.aborted) throw cancelled(run);
  const child = spawn(run.command, run.args, {
    cwd: '/',
    env: environment,
    stdio: [
      run.input === undefined ? 'ignore' : 'pipe',
      'pipe',
      'pipe',
      ...(run.begin === undefined ? [] : (['ignore', 'pipe'] as const)),
    ],
    shell: false,
    // A process group of its own, to be killed as one.
    detached: true,
  });
  const output = new Output(run.outputBytesMax);
  const cut = await ending(child, run, output);
  if (cut !== null) throw cut;
  const { exitCodes = [0] } = run;
  if (!exitCodes.includes(child.exitCode ?? -1)) throw failed(run, child, output);
  return output.text('stdout');
}

/** @returns why it was killed, or could not be started; null if it has ended by itself */
function ending(child: ChildProcess, run: ProgramRun, output: Output): Promise<HostError | null> {
  return new Promise((done) => {
    let cut: HostError | null = null;
    const kill = (why: HostError) => {
      cut ??= why;
      killGroup(child, run.endBy ?? 'SIGKILL');
    };
    const onAbort = () => kill(cancelled(run));
    const timer = setTimeout(() => kill(tooLong(run)), run.timeLimitMs);
    run.signal.addEventListener('abort', onAbort);
    const over = new AbortController();
    const begun = run.begin?.(child, over.signal).catch((cause: unknown) => {
      kill(new HostError('Refused', `starting ${run.title ?? run.command}`, { cause }));
    });
    const settle = async () => {
      clearTimeout(timer);
      run.signal.removeEventListener('abort', onAbort);
      over.abort();
      await begun;
      done(cut);
    };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream]?.on('data', (chunk: Buffer) => {
        if (!output.take(stream, chunk)) kill(tooMuch(run));
      });
    }
    child.once('error', (error) => {
      cut ??= notStarted(run, error);
      // Nothing was started, so nothing will be closed.
      if (child.pid === undefined) void settle();
    });
    child.once('close', () => void settle());
    // One that ends before it has read it all says by its exit code what that was about.
    child.stdin?.once('error', () => undefined);
    child.stdin?.end(run.input);
  });
}

/** What a program has written, up to a limit. */
class Output {
  readonly #chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  #bytesLeft: number;

  constructor(bytesMax: number) {
    this.#bytesLeft = bytesMax;
  }

  /** @returns whether it was still within the limit */
  take(stream: 'stdout' | 'stderr', chunk: Buffer): boolean {
    this.#bytesLeft -= chunk.length;
    if (this.#bytesLeft < 0) return false;
    this.#chunks[stream].push(chunk);
    return true;
  }

  text(stream: 'stdout' | 'stderr'): string {
    return Buffer.concat(this.#chunks[stream]).toString('utf8');
  }
}

function killGroup(child: ChildProcess, by: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, by);
    endSandboxed(child);
  } catch {
    // It has ended by itself.
  }
}

function failed(run: ProgramRun, child: ChildProcess, output: Output): HostError {
  const said = output.text('stderr').split('\n');
  const lines = said.filter((line) => run.noise?.test(line) !== true).slice(0, complaintLinesMax);
  const words = lines.join('\n').trim().slice(0, complaintCharactersMax);
  const how = child.exitCode === null ? `by signal ${child.signalCode}` : `with ${child.exitCode}`;
  const cause = new Error(words === '' ? `it ended ${how}` : words);
  const context = { exitCode: child.exitCode ?? -1 };
  const doing = run.title ?? `${run.command} ${run.args[0] ?? ''}`.trim();
  return new HostError('Refused', `running ${doing}`, { cause, context });
}

function notStarted({ command, remedy }: ProgramRun, cause: Error): HostError {
  const missing = 'code' in cause && cause.code === 'ENOENT';
  if (!missing) return new HostError('Refused', `starting ${command}`, { cause });
  return new HostError('Unsupported', `there is no ${command} on this machine: ${remedy}`);
}

const cancelled = ({ command, title = command }: ProgramRun) =>
  new HostError('Cancelled', `running ${title} was given up`);
const tooLong = ({ command, title = command, timeLimitMs }: ProgramRun) =>
  new HostError('Timeout', `${title} had not ended after ${timeLimitMs} ms`, {
    context: { limit: 'time' },
  });
const tooMuch = ({ command, title = command, outputBytesMax }: ProgramRun) =>
  new HostError('Protocol', `${title} wrote more than ${outputBytesMax} bytes`, {
    context: { limit: 'output' },
  });
