/**
 * Each partition's status as a file, for people and tools without the socket. A pass that has done
 * nothing must leave no trace, so `lastPass` of such a pass does not count as a difference: the file
 * then keeps telling of the last pass that did something, until anything else changes.
 */
import type { Emit } from '../../report/event.ts';
import type { PartitionStatus } from '../../report/partition-status.ts';
import { type PartitionName, partitionName } from '../../model/names.ts';
import { FileError, type Files, type Timers } from '../runtime.ts';
import { StatusFile } from './status-file.ts';

export interface StatusWriterOptions {
  readonly files: Pick<Files, 'swap' | 'remove' | 'list' | 'makeFolder'>;
  readonly timers: Timers;
  /** Absolute, and not at or below a folder that is watched (`readConfig` sees to it). */
  readonly folder: string;
  readonly emit: Emit;
}

export interface StatusWriter {
  /** Takes note; the file follows within 100 ms. */
  update(status: PartitionStatus): void;
  /** The partition has gone, and its file goes too. */
  remove(partition: PartitionName): void;
  /** Removes files of partitions that there are no more, such as a crash has left behind. */
  sweep(known: ReadonlySet<PartitionName>): Promise<void>;
  /** Writes what is still to be written, without trying again. */
  close(): Promise<void>;
}

/** Readable by the operators' group, which the folder belongs to. */
const folderMode = 0o750;

export async function openStatusWriter(options: StatusWriterOptions): Promise<StatusWriter> {
  const { files, folder, emit } = options;
  const open = new Map<PartitionName, StatusFile>();
  const fileOf = (partition: PartitionName): StatusFile => {
    const known = open.get(partition);
    if (known !== undefined) return known;
    const made = new StatusFile(`${folder}/${partition}.json`, options, (message) =>
      emit({ kind: 'status-not-written', partition, message }),
    );
    open.set(partition, made);
    return made;
  };
  // That it is not there is said by the first file that cannot be written into it.
  await files.makeFolder(folder, folderMode).catch(() => undefined);
  return {
    update: (status) => fileOf(status.partition).want(status),
    remove: (partition) => fileOf(partition).want('gone'),
    sweep: (known) => sweep(options, known),
    close: async () => {
      await Promise.all([...open.values()].map((file) => file.close()));
    },
  };
}

async function sweep(
  { files, folder }: StatusWriterOptions,
  known: ReadonlySet<PartitionName>,
): Promise<void> {
  try {
    for (const { name, kind } of await files.list(folder)) {
      const partition = partitionName(name.replace(/\.json$/, ''));
      const isOurs = kind === 'file' && name.endsWith('.json') && partition !== undefined;
      if (isOurs && !known.has(partition)) await files.remove(`${folder}/${name}`);
    }
  } catch (error) {
    // An old status does no harm but to be old, and the next start looks again.
    if (!(error instanceof FileError)) throw error;
  }
}
