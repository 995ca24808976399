/**
 * A partition's folder of documents, as it changes. A file that came into place as a whole is told
 * at once, one that was written in place when it has not changed for two seconds. All is told as
 * complete when nothing has changed for two seconds, or the folder itself was put in the place of
 * another: only then does what is no longer there count as taken away (invariant 6). What cannot be
 * read is told once, and changes nothing.
 */
import type { Diagnostic } from '../../documents/diagnostic.ts';
import type { SourceFile } from '../../documents/source.ts';
import type { FileError, Runtime } from '../runtime.ts';
import { FolderWatcher } from './folder-watcher.ts';
import { type FolderRead, type FoundFile, type ReadBefore, readFolder } from './read-folder.ts';
import { Settling } from './settling.ts';
import type { SourceProblemCode } from './source-error.ts';

/** How long nothing may have changed, for what is there to be all there is to be. */
export const settleMs = 2000;
/** With the growing distance between reads these are some fifteen seconds. */
const movingReadsMax = 20;

export interface FolderListener {
  /**
   * Must not reject. Nothing more is told until it is done.
   * @param state complete: what is not among the files is not wanted any more. Otherwise those are
   * left out that somebody may still be writing
   */
  onFiles(
    files: readonly SourceFile[],
    state: { readonly complete: boolean },
  ): void | Promise<void>;
  /** Once for as long as it is so. `onFiles` tells that it is over. */
  onProblem(
    code: SourceProblemCode,
    message: string,
    /** Where it is the files' content that is bad. */
    diagnostics: readonly Diagnostic[],
  ): void;
}

export interface FolderSource {
  /** Reads it soon, and tells what is there whether or not it has changed. */
  refresh(): void;
  /** Nothing is told any more from here on. */
  close(): Promise<void>;
}

/** Begins at once; of a folder that is not there when it is. */
export function folderSource(
  runtime: Runtime,
  folder: string,
  listener: FolderListener,
): FolderSource {
  return new WatchedSource(runtime, folder, listener);
}

/** What was seen at the last read. */
interface Seen {
  readonly fingerprint: string;
  /** When the first read that saw it was over. */
  readonly since: number;
  readonly complete: boolean;
}

/** What was told last: by path, the key of each file. */
interface Told {
  readonly keys: ReadonlyMap<string, string>;
  readonly complete: boolean;
}

type ReadFiles = Extract<FolderRead, { status: 'read' }>;

class WatchedSource implements FolderSource {
  readonly #runtime: Runtime;
  readonly #folder: string;
  readonly #listener: FolderListener;
  readonly #watcher: FolderWatcher;
  readonly #before: ReadBefore = new Map();
  readonly #settling: Settling;
  #isClosed = false;
  #seen: Seen | null = null;
  /** Null: what is there has to be told, whatever it is. */
  #told: Told | null = null;
  #saidProblem = '';
  #movingReads = 0;

  constructor(runtime: Runtime, folder: string, listener: FolderListener) {
    this.#runtime = runtime;
    this.#folder = folder;
    this.#listener = listener;
    this.#settling = new Settling(runtime.clock, settleMs);
    this.#watcher = new FolderWatcher(runtime, folder, {
      look: (whole) => this.#look(whole),
      onUnwatched: (error) => this.#onUnwatched(error),
      onSign: (sign, name) => this.#settling.arrivals.note(sign, name),
    });
    this.#watcher.start();
  }

  refresh(): void {
    this.#told = null;
    this.#watcher.ask();
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.#watcher.close();
  }

  async #look(whole: boolean): Promise<'done' | 'again'> {
    const startedAt = this.#runtime.clock.now();
    const read = await readFolder(this.#runtime, this.#folder, this.#before);
    if (this.#isClosed) return 'done';
    this.#movingReads = read.status === 'moving' ? this.#movingReads + 1 : 0;
    switch (read.status) {
      case 'missing':
        // The watch tells that it is lost, unless another one is in its place by then.
        return 'done';
      case 'moving':
        if (this.#movingReads === movingReadsMax) {
          this.#say('Moving', `${this.#folder} changes faster than it can be read`, []);
        }
        return 'again';
      case 'failed':
        this.#seen = null;
        this.#say(read.code, read.message, read.diagnostics);
        return 'done';
      case 'read':
        await this.#take(read, whole, startedAt);
        return 'done';
    }
  }

  async #take(read: ReadFiles, whole: boolean, startedAt: number): Promise<void> {
    const { fingerprint } = read;
    const before = this.#seen?.fingerprint === fingerprint ? this.#seen : null;
    const now = this.#runtime.clock.now();
    const since = before?.since ?? now;
    const complete = whole || before?.complete === true || startedAt - since >= settleMs;
    this.#seen = { fingerprint, since, complete };
    if (!complete) this.#watcher.askAfter(since + settleMs - now);
    this.#saidProblem = '';
    const settled = this.#settling.settled(read.files, startedAt);
    await this.#tell(complete ? read.files : settled, complete, settled.length < read.files.length);
  }

  async #tell(files: readonly FoundFile[], complete: boolean, isPart: boolean): Promise<void> {
    const told = { keys: new Map(files.map(({ path, key }) => [path, key])), complete };
    if (!isNews(told, this.#told, isPart)) return;
    this.#told = told;
    await this.#listener.onFiles(
      files.map(({ path, text }) => ({ path, text })),
      { complete },
    );
  }

  #onUnwatched({ code, message }: FileError): void {
    this.#seen = null;
    this.#say(code, message, []);
  }

  #say(code: SourceProblemCode, message: string, diagnostics: readonly Diagnostic[]): void {
    const said = `${code} ${message}`;
    if (said === this.#saidProblem) return;
    this.#saidProblem = said;
    this.#told = null;
    this.#listener.onProblem(code, message, diagnostics);
  }
}

/** Of a folder that is not complete, what is missing says nothing. */
function isNews(now: Told, before: Told | null, isPart: boolean): boolean {
  if (before === null) return now.complete || now.keys.size > 0 || !isPart;
  if (now.complete && !before.complete) return true;
  if (now.complete && now.keys.size !== before.keys.size) return true;
  return [...now.keys].some(([path, key]) => before.keys.get(path) !== key);
}
