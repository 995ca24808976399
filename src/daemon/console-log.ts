/**
 * What one Secondary has written to its console, in files: of the run that goes on and of the one before, and
 * of each the last mebibyte or two. A file's name says of which run it is and which part, so that nothing else
 * has to be kept, and nothing is ever written over: NAME.NUMBER-RUN.PART.log, where RUN is libvirt's id of it.
 */
import { join } from 'node:path';
import { explainError } from '../host/host-error.ts';
import type { Files } from './runtime.ts';

export const consoleLogLimits = {
  /** A part is begun below it. */
  partBytesMax: 2 ** 20,
  partsMax: 2,
  /** This one and the one before. */
  runsMax: 2,
  /** That wait for the disk; what comes then is lost, and said to be. */
  waitingBytesMax: 2 ** 20,
} as const;

const fileMode = 0o600;
const folderMode = 0o700;
const fileName = /^([a-z0-9-]{1,32})\.(\d{6})-(\d{1,10})\.(\d{6})\.log$/;
const gap = '\r\n[unnest: what was written here is not kept]\r\n';

export type LogFiles = Pick<Files, 'append' | 'facts' | 'list' | 'makeFolder' | 'read' | 'remove'>;

export interface Part {
  readonly of: string;
  readonly run: number;
  readonly runId: number;
  readonly part: number;
  /** Of the file. */
  readonly name: string;
}

export interface LogReader {
  readonly onBytes: (bytes: Uint8Array) => void;
  /** All that is kept was given; what comes now is new. */
  readonly onNow: () => void;
  /** Nothing more comes. */
  readonly onEnd: (failure: string | null) => void;
}

export interface ConsoleLogOptions {
  readonly files: LogFiles;
  /** With those of others in it. */
  readonly folder: string;
  /** Whose. */
  readonly name: string;
  /** What the folder has of it. */
  readonly parts: Promise<readonly Part[]>;
  readonly onFailure: (message: string) => void;
}

export class ConsoleLog {
  readonly #options: ConsoleLogOptions;
  /** Oldest first. */
  #parts: readonly Part[] = [];
  readonly #listeners = new Set<(bytes: Uint8Array | 'end') => void>();
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** One after the other. */
  #work: Promise<void> = Promise.resolve();
  #isFlushing = false;
  /** What is added to, and how large it is; null: no run goes on. */
  #current: { readonly part: Part; bytes: number } | null = null;
  #hasFailed = false;

  constructor(options: ConsoleLogOptions) {
    this.#options = options;
    this.#do(async () => void (this.#parts = await options.parts));
  }

  /** A run that was kept before goes on, with a gap. */
  begin(runId: number): void {
    this.#do(async () => {
      const last = this.#parts.at(-1);
      if (last?.runId === runId) {
        const { bytes } = await this.#options.files.facts(this.#pathOf(last));
        this.#current = { part: last, bytes };
        await this.#append(Buffer.from(gap));
      } else await this.#beginPart((last?.run ?? 0) + 1, runId, 1);
    });
  }

  add(bytes: Uint8Array): void {
    for (const tell of this.#listeners) tell(bytes);
    if (this.#waitingBytes + bytes.length > consoleLogLimits.waitingBytesMax) {
      if (this.#waiting.at(-1) !== lost) this.#waiting.push(lost);
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#do(() => this.#flush());
  }

  end(): void {
    for (const tell of this.#listeners) tell('end');
    this.#listeners.clear();
    this.#do(async () => void (this.#current = null));
  }

  /** @param previous of the run before the last one @returns how to stop */
  read(previous: boolean, follow: boolean, reader: LogReader): () => void {
    let isOver = false;
    let early: (Uint8Array | 'end')[] | null = [];
    const tell = (next: Uint8Array | 'end') => {
      if (early !== null) early.push(next);
      else if (next === 'end') finish(null);
      else reader.onBytes(next);
    };
    const finish = (failure: string | null) => {
      if (isOver) return;
      isOver = true;
      this.#listeners.delete(tell);
      reader.onEnd(failure);
    };
    const giveWhatIsKept = async () => {
      await this.#flush();
      // All that was said before this moment is in the files, and nothing of what comes.
      const isLive = follow && !previous && this.#current !== null;
      if (isLive) this.#listeners.add(tell);
      const { files } = this.#options;
      for (const part of this.#partsOf(previous)) {
        const bytes = await files.read(this.#pathOf(part), 4 * consoleLogLimits.partBytesMax);
        if (!isOver && bytes.length > 0) reader.onBytes(bytes);
      }
      if (isOver) return;
      if (!isLive) return finish(null);
      reader.onNow();
      const before = early ?? [];
      early = null;
      for (const next of before) tell(next);
    };
    const before = this.#work;
    const giving = async () => {
      await before;
      await giveWhatIsKept().catch((error: unknown) => finish(explainError(error)));
    };
    this.#work = giving();
    return () => {
      isOver = true;
      this.#listeners.delete(tell);
    };
  }

  /** With all that is kept. */
  remove(): void {
    this.end();
    this.#do(async () => {
      for (const part of this.#parts) await this.#options.files.remove(this.#pathOf(part));
      this.#parts = [];
    });
  }

  /** Resolves when all is written, as far as it can be. */
  async close(): Promise<void> {
    this.end();
    await this.#work;
  }

  #do(act: () => Promise<void>): void {
    this.#work = this.#work.then(act).then(
      () => void (this.#hasFailed = false),
      (error: unknown) => {
        if (!this.#hasFailed) this.#options.onFailure(explainError(error));
        this.#hasFailed = true;
      },
    );
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const bytes = Buffer.concat(this.#waiting);
      this.#waiting = [];
      this.#waitingBytes = 0;
      await this.#append(bytes).catch((error: unknown) => {
        this.#isFlushing = false;
        throw error;
      });
    }
    this.#isFlushing = false;
  }

  async #append(bytes: Uint8Array): Promise<void> {
    const current = this.#current;
    if (current === null) return;
    if (current.bytes >= consoleLogLimits.partBytesMax) {
      const { run, runId, part } = current.part;
      await this.#beginPart(run, runId, part + 1);
      return this.#append(bytes);
    }
    const fits = bytes.subarray(0, consoleLogLimits.partBytesMax - current.bytes);
    await this.#options.files.append(this.#pathOf(current.part), fits, fileMode);
    current.bytes += fits.length;
    if (fits.length < bytes.length) await this.#append(bytes.subarray(fits.length));
  }

  /** Room is made before what takes it is written. */
  async #beginPart(run: number, runId: number, part: number): Promise<void> {
    const begun = partOf(this.#options.name, run, runId, part);
    const { partsMax, runsMax } = consoleLogLimits;
    const goes = (old: Part) =>
      old.run <= run - runsMax || (old.run === run && old.part <= part - partsMax);
    for (const old of this.#parts.filter(goes)) {
      await this.#options.files.remove(this.#pathOf(old));
    }
    this.#parts = [...this.#parts.filter((old) => !goes(old)), begun];
    this.#current = { part: begun, bytes: 0 };
    // So that there is something to be read, and to be counted.
    await this.#options.files.append(this.#pathOf(begun), '', fileMode);
  }

  #partsOf(previous: boolean): readonly Part[] {
    const newest = this.#parts.at(-1)?.run ?? 0;
    return this.#parts.filter(({ run }) => run === (previous ? newest - 1 : newest));
  }

  #pathOf({ name }: Part): string {
    return join(this.#options.folder, name);
  }
}

const lost = Buffer.from(gap);

function partOf(of: string, run: number, runId: number, part: number): Part {
  const digits = (number: number) => `${number}`.padStart(6, '0');
  const name = `${of}.${digits(run)}-${runId}.${digits(part)}.log`;
  return { of, run, runId, part, name };
}

/** All that a folder has, by whose they are; each oldest first. */
export async function partsIn(
  files: Pick<Files, 'list' | 'makeFolder'>,
  folder: string,
): Promise<ReadonlyMap<string, readonly Part[]>> {
  await files.makeFolder(folder, folderMode);
  const entries = await files.list(folder);
  const parts = entries.flatMap(({ name, kind }) => (kind === 'file' ? partIn(name) : []));
  const all = new Map<string, Part[]>();
  for (const part of parts) all.set(part.of, [...(all.get(part.of) ?? []), part]);
  return all;
}

function partIn(name: string): readonly Part[] {
  const [, of, run, runId, part] = fileName.exec(name) ?? [];
  if (of === undefined) return [];
  return [{ of, run: Number(run), runId: Number(runId), part: Number(part), name }];
}
