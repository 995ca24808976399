/**
 * The partitions that the host's operator has described, one file for each. Taking one away is the
 * worst that can happen to it, so that only a file that has been gone for two seconds does it: one
 * that is broken, or a folder that is gone, leaves in force what was there before.
 */
import { byName, type PartitionName } from '../../model/names.ts';
import { FileError, type Runtime } from '../runtime.ts';
import { FolderWatcher } from './folder-watcher.ts';
import { type FileLook, type KeptFile, lookAtFile, lookForGone } from './kept-file.ts';
import { type DescribedPartition, type PartitionProblem, stemOf } from './partition-file.ts';
import { problemOf } from './source-error.ts';

/** What is told of the operator's folder: all of it, each time. */
export interface Partitions {
  readonly partitions: ReadonlyMap<PartitionName, DescribedPartition>;
  /** By file. */
  readonly problems: readonly PartitionProblem[];
}

export interface PartitionsSource {
  /** Reads them soon, and tells what there is whether or not it has changed. */
  refresh(): void;
  /** Nothing is told any more from here on. */
  close(): Promise<void>;
}

/** More than any host has; what is beyond is not read, and said. */
const filesMax = 4096;

/**
 * Begins at once, and tells first what there is at the beginning, be it nothing.
 * @param onPartitions must not reject; nothing more is told until it is done
 */
export function partitionsSource(
  runtime: Runtime,
  folder: string,
  onPartitions: (partitions: Partitions) => void | Promise<void>,
): PartitionsSource {
  return new WatchedPartitions(runtime, folder, onPartitions);
}

class WatchedPartitions implements PartitionsSource {
  readonly #runtime: Runtime;
  readonly #folder: string;
  readonly #onPartitions: (partitions: Partitions) => void | Promise<void>;
  readonly #watcher: FolderWatcher;
  readonly #kept = new Map<string, KeptFile>();
  #folderProblem: PartitionProblem | null = null;
  #isClosed = false;
  /** What was told last, as text; null: it has to be told, whatever it is. */
  #told: string | null = null;

  constructor(
    runtime: Runtime,
    folder: string,
    onPartitions: (partitions: Partitions) => void | Promise<void>,
  ) {
    this.#runtime = runtime;
    this.#folder = folder;
    this.#onPartitions = onPartitions;
    this.#watcher = new FolderWatcher(runtime, folder, {
      look: () => this.#look(),
      onUnwatched: (error) => void this.#refuseFolder(error),
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

  async #look(): Promise<'done' | 'again'> {
    const names = await this.#names();
    if (names === null) return 'done';
    await this.#lookAtAll(names);
    this.#folderProblem = names.length > filesMax ? tooMany(names.length) : null;
    await this.#tell();
    return 'done';
  }

  /** Null: the folder cannot be read. */
  async #names(): Promise<readonly string[] | null> {
    try {
      const entries = await this.#runtime.files.list(this.#folder);
      return entries
        .filter(({ name, kind }) => kind !== 'folder' && stemOf(name) !== null)
        .map(({ name }) => name);
    } catch (error) {
      // The watch tells that it is lost, unless another one is in its place by then.
      if (error instanceof FileError && error.code === 'Missing') return null;
      await this.#refuseFolder(error);
      return null;
    }
  }

  async #lookAtAll(names: readonly string[]): Promise<void> {
    const { clock, files } = this.#runtime;
    const waits: number[] = [];
    const keep = (file: string, { kept, waitMs }: FileLook) => {
      if (kept === null) this.#kept.delete(file);
      else this.#kept.set(file, kept);
      if (waitMs !== null) waits.push(waitMs);
    };
    for (const file of names.slice(0, filesMax)) {
      const before = this.#kept.get(file);
      keep(file, await lookAtFile(files, this.#folder, file, before, clock.now()));
    }
    const there = new Set(names);
    for (const [file, kept] of this.#kept) {
      if (!there.has(file)) keep(file, lookForGone(kept, clock.now()));
    }
    if (waits.length > 0) this.#watcher.askAfter(Math.min(...waits));
  }

  async #refuseFolder(error: unknown): Promise<void> {
    this.#folderProblem = { file: '', ...problemOf(error), diagnostics: [] };
    await this.#tell();
  }

  async #tell(): Promise<void> {
    if (this.#isClosed) return;
    const found = partitionsOf(this.#kept, this.#folderProblem);
    const text = JSON.stringify([[...found.partitions.values()], found.problems]);
    if (text === this.#told) return;
    this.#told = text;
    await this.#onPartitions(found);
  }
}

function partitionsOf(
  kept: ReadonlyMap<string, KeptFile>,
  folderProblem: PartitionProblem | null,
): Partitions {
  const partitions = new Map<PartitionName, DescribedPartition>();
  const problems: PartitionProblem[] = folderProblem === null ? [] : [folderProblem];
  for (const [file, { partition, problem, goneSince }] of byFile(kept)) {
    if (problem !== null && goneSince === null) problems.push(problem);
    if (partition === null) continue;
    const first = partitions.get(partition.name);
    if (first === undefined) partitions.set(partition.name, partition);
    else problems.push(duplicate(file, first));
  }
  return { partitions, problems };
}

function byFile(kept: ReadonlyMap<string, KeptFile>): readonly (readonly [string, KeptFile])[] {
  return [...kept].sort(([a], [b]) => byName(a, b));
}

function duplicate(file: string, { name, file: first }: DescribedPartition): PartitionProblem {
  const message = `${name} is described by ${first} already`;
  return { file, code: 'DuplicateName', message, diagnostics: [] };
}

function tooMany(count: number): PartitionProblem {
  const message = `${count} files are more than ${filesMax}; those behind are not read`;
  return { file: '', code: 'TooLarge', message, diagnostics: [] };
}
