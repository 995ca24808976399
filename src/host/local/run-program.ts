/**
 * The one way in which programs are run: an argument list and never a shell, nothing to read but
 * what it is given, next to no environment, and an end in any case. When this settles, the program and what it started
 * have been killed or have ended, so whoever cleans up after it races with nobody.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { HostError } from '../host-error.ts';

export interface ProgramRun {
  readonly command: string;
  readonly args: readonly string[];
  /** What it reads from standard input; nothing if not given. */
  readonly input?: string;
  /** What a person is to do if there is no such program, such as `install qemu-utils`. */
  readonly remedy: string;
  readonly timeLimitMs: number;
  /** Of standard output and standard error together. */
  readonly outputBytesMax: number;
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
    stdio: [run.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    shell: false,
    // A process group of its own, to be killed as one.
    detached: true,
  });
  const output = new Output(run.outputBytesMax);
  const cut = await ending(child, run, output);
  if (cut !== null) throw cut;
  if (child.exitCode !== 0) throw failed(run, child, output);
  return output.text('stdout');
}

/** @returns why it was killed, or could not be started; null if it has ended by itself */
function ending(child: ChildProcess, run: ProgramRun, output: Output): Promise<HostError | null> {
  return new Promise((done) => {
    let cut: HostError | null = null;
    const kill = (why: HostError) => {
      cut ??= why;
      killGroup(child);
    };
    const onAbort = () => kill(cancelled(run));
    const timer = setTimeout(() => kill(tooLong(run)), run.timeLimitMs);
    run.signal.addEventListener('abort', onAbort);
    const settle = () => {
      clearTimeout(timer);
      run.signal.removeEventListener('abort', onAbort);
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
      if (child.pid === undefined) settle();
    });
    child.once('close', settle);
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

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function failed(run: ProgramRun, child: ChildProcess, output: Output): HostError {
  const lines = output.text('stderr').split('\n').slice(0, complaintLinesMax);
  const words = lines.join('\n').trim().slice(0, complaintCharactersMax);
  const how = child.exitCode === null ? `by signal ${child.signalCode}` : `with ${child.exitCode}`;
  const cause = new Error(words === '' ? `it ended ${how}` : words);
  return new HostError('Refused', `running ${run.command} ${run.args[0] ?? ''}`.trim(), { cause });
}

function notStarted({ command, remedy }: ProgramRun, cause: Error): HostError {
  const missing = 'code' in cause && cause.code === 'ENOENT';
  if (!missing) return new HostError('Refused', `starting ${command}`, { cause });
  return new HostError('Unsupported', `there is no ${command} on this machine: ${remedy}`);
}

const cancelled = ({ command }: ProgramRun) =>
  new HostError('Cancelled', `running ${command} was given up`);
const tooLong = ({ command, timeLimitMs }: ProgramRun) =>
  new HostError('Timeout', `${command} had not ended after ${timeLimitMs} ms`);
const tooMuch = ({ command, outputBytesMax }: ProgramRun) =>
  new HostError('Protocol', `${command} wrote more than ${outputBytesMax} bytes`);
