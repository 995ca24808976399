/**
 * One status file: at most one write at a time and one per 100 ms, the last state always written.
 * A failed write is said once, and tried again with the next change or after 10 s.
 */
import { explainError } from '../../host/host-error.ts';
import type { PartitionStatus, PassReport } from '../../report/partition-status.ts';
import { FileError, type Files, type Timers } from '../runtime.ts';

/** Between two writes, so that a thousand changes a second are ten writes. */
const gapMs = 100;
const retryMs = 10_000;
const fileMode = 0o640;

interface Machine {
  readonly files: Pick<Files, 'swap' | 'remove'>;
  readonly timers: Timers;
}

/** `gone`: there is to be no file. */
type Wanted = PartitionStatus | 'gone';

export class StatusFile {
  readonly #path: string;
  readonly #machine: Machine;
  readonly #onFailure: (message: string) => void;
  #wanted: Wanted | null = null;
  /** What the last attempt was to write, be it written or not. */
  #tried: Wanted | null = null;
  /** What the file says; null: not known. */
  #written: Saying | null = null;
  #writing: Promise<void> | null = null;
  #stopGap: (() => void) | null = null;
  #stopRetry: (() => void) | null = null;
  #hasFailed = false;
  #isClosed = false;

  constructor(path: string, machine: Machine, onFailure: (message: string) => void) {
    this.#path = path;
    this.#machine = machine;
    this.#onFailure = onFailure;
  }

  want(wanted: Wanted): void {
    if (this.#isClosed) return;
    this.#wanted = wanted;
    this.#endRetry();
    this.#goOn();
  }

  /** Writes what is still to be written, once. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopGap?.();
    this.#endRetry();
    await this.#writing;
    if (this.#wanted !== null && this.#differs(this.#wanted)) await this.#write(this.#wanted);
  }

  #goOn(): void {
    const wanted = this.#wanted;
    if (this.#isClosed || this.#writing !== null || this.#stopGap !== null) return;
    if (wanted === null || !this.#differs(wanted)) return;
    this.#tried = wanted;
    this.#writing = this.#write(wanted).finally(() => {
      this.#writing = null;
      if (!this.#isClosed)
        this.#stopGap = this.#machine.timers.after(gapMs, () => this.#afterGap());
    });
  }

  #afterGap(): void {
    this.#stopGap = null;
    if (!this.#hasFailed || this.#wanted !== this.#tried) return this.#goOn();
    this.#stopRetry = this.#machine.timers.after(retryMs - gapMs, () => {
      this.#stopRetry = null;
      this.#goOn();
    });
  }

  #endRetry(): void {
    this.#stopRetry?.();
    this.#stopRetry = null;
  }

  #differs(wanted: Wanted): boolean {
    return this.#written === null || !saysTheSame(sayingOf(wanted), this.#written);
  }

  async #write(wanted: Wanted): Promise<void> {
    const { files } = this.#machine;
    try {
      if (wanted === 'gone') await files.remove(this.#path);
      else await files.swap(this.#path, `${JSON.stringify(wanted, null, 2)}\n`, fileMode);
      this.#written = sayingOf(wanted);
      this.#hasFailed = false;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      if (!this.#hasFailed) this.#onFailure(explainError(error));
      this.#hasFailed = true;
    }
  }
}

/** A status as it is compared. */
interface Saying {
  readonly text: string;
  /** Null: the pass has done nothing, so that it makes no difference. */
  readonly pass: string | null;
}

function sayingOf(wanted: Wanted): Saying {
  if (wanted === 'gone') return { text: '', pass: null };
  const { lastPass } = wanted;
  const pass = hasDoneNothing(lastPass) ? null : JSON.stringify(lastPass);
  return { text: JSON.stringify({ ...wanted, lastPass: null }), pass };
}

function saysTheSame(wanted: Saying, written: Saying): boolean {
  return wanted.text === written.text && (wanted.pass === null || wanted.pass === written.pass);
}

/** What is as it is wanted already (`already`) is not something done. */
function hasDoneNothing(pass: PassReport | null): boolean {
  if (pass === null) return true;
  return pass.applied + pass.failed + pass.skipped + pass.cancelled + pass.failures.length === 0;
}
