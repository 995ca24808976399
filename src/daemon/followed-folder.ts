/**
 * The folder of a partition whose documents are files on the host: what is there is submitted, as
 * anybody would submit it, and what was refused for a reason that is not the documents' is submitted
 * again after a while, since no file tells when that is over.
 */
import type { SourceFile } from '../documents/source.ts';
import type { RefusalCode, SubmissionResult } from '../report/submission.ts';
import type { Authority } from './authority.ts';
import type { Runtime } from './runtime.ts';
import { folderSource, type FolderSource } from './sources/folder-source.ts';

export interface FollowedFolderOptions {
  readonly runtime: Runtime;
  /** Absolute. */
  readonly folder: string;
  readonly authority: Pick<Authority, 'submit' | 'documentsUnread'>;
  /** It is known by now what is there, or that nobody can know. */
  readonly onHeard: () => void;
}

/** Doubled each time, for as long as it is of no use. */
const againMsMin = 2000;
const againMsMax = 60_000;

/** Refusals that are not about the documents. */
const passing: ReadonlySet<RefusalCode> = new Set(['NotRead', 'NotStored', 'NotInForce']);

export class FollowedFolder {
  readonly #options: FollowedFolderOptions;
  readonly #source: FolderSource;
  readonly #ending = new AbortController();
  #cancelAgain: () => void = () => undefined;
  #againMs = againMsMin;

  constructor(options: FollowedFolderOptions) {
    const { runtime, folder, authority, onHeard } = options;
    this.#options = options;
    this.#source = folderSource(runtime, folder, {
      onFiles: async (files, { complete }) => {
        const result = await this.#submit(files, complete);
        if (complete || result.status === 'accepted') onHeard();
      },
      onProblem: (code, message) => {
        authority.documentsUnread(code, message);
        onHeard();
      },
    });
  }

  /** Reads it soon, though no file has told of anything. */
  read(): void {
    this.#source.refresh();
  }

  /** What is being read does not count any more. */
  close(): Promise<void> {
    this.#ending.abort();
    this.#cancelAgain();
    return this.#source.close();
  }

  async #submit(files: readonly SourceFile[], isComplete: boolean): Promise<SubmissionResult> {
    const { authority, folder } = this.#options;
    const given = {
      source: 'Directory',
      submitter: folder,
      files,
      generation: null,
      ifGeneration: null,
      deleteEverything: false,
      deletionsMax: null,
      isFolder: true,
      isComplete,
    } as const;
    const result = await authority.submit(given, this.#ending.signal);
    if (result.status === 'refused' && passing.has(result.code)) this.#readAgain();
    else this.#againMs = againMsMin;
    return result;
  }

  #readAgain(): void {
    if (this.#ending.signal.aborted) return;
    this.#cancelAgain();
    this.#cancelAgain = this.#options.runtime.timers.after(this.#againMs, () => this.read());
    this.#againMs = Math.min(againMsMax, this.#againMs * 2);
  }
}
