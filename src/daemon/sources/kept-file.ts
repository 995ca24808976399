/**
 * What is known of one file in the operator's folder, over time. One that was written in place is
 * taken two seconds after the last write, since its first half may be valid and mean less; one that
 * was put there by a rename is whole. One that is gone counts as taken away two seconds later.
 */
import { FileError, type FileFacts, type Files } from '../runtime.ts';
import { settleMs } from './folder-source.ts';
import {
  type DescribedPartition,
  type PartitionFile,
  type PartitionProblem,
  readPartitionFile,
} from './partition-file.ts';

export interface KeptFile {
  /** Of what was read last; empty: it could not be looked at. */
  readonly identity: string;
  readonly key: string;
  /** The last good one. */
  readonly partition: DescribedPartition | null;
  readonly problem: PartitionProblem | null;
  /** A write that has to settle; null: there is none. */
  readonly unsettled: { readonly key: string; readonly since: number } | null;
  /** Null: it is there. */
  readonly goneSince: number | null;
}

export interface FileLook {
  /** Null: it is nothing any more. */
  readonly kept: KeptFile | null;
  /** When to look again without a sign; null: there is no need. */
  readonly waitMs: number | null;
}

export async function lookAtFile(
  files: Files,
  folder: string,
  file: string,
  before: KeptFile | undefined,
  now: number,
): Promise<FileLook> {
  const facts = await factsOf(files, `${folder}/${file}`);
  const { identity, key } = facts;
  if (before !== undefined && key === before.key && key !== '') {
    return { kept: { ...before, unsettled: null, goneSince: null }, waitMs: null };
  }
  if (before?.partition && identity === before.identity && identity !== '') {
    const since = before.unsettled?.key === key ? before.unsettled.since : now;
    const waitMs = since + settleMs - now;
    const kept = { ...before, unsettled: { key, since }, goneSince: null };
    if (waitMs > 0) return { kept, waitMs };
  }
  const read = await readPartitionFile(files, folder, file);
  // What was written while it was read has another key, and is read again after its sign.
  return { kept: keptOf(read, before, facts), waitMs: null };
}

export function lookForGone(before: KeptFile, now: number): FileLook {
  const goneSince = before.goneSince ?? now;
  const waitMs = goneSince + settleMs - now;
  return waitMs > 0 ? { kept: { ...before, goneSince }, waitMs } : { kept: null, waitMs: null };
}

interface Facts {
  readonly identity: string;
  readonly key: string;
}

async function factsOf(files: Files, path: string): Promise<Facts> {
  try {
    const facts: FileFacts = await files.facts(path);
    const { identity, bytes, changedAt } = facts;
    return { identity, key: `${identity} ${bytes} ${changedAt}` };
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    // Reading it says why.
    return { identity: '', key: '' };
  }
}

function keptOf(read: PartitionFile, before: KeptFile | undefined, facts: Facts): KeptFile {
  const common = { unsettled: null, goneSince: null };
  switch (read.status) {
    case 'described':
      return { ...facts, ...common, partition: read.partition, problem: null };
    case 'broken': {
      const partition = before?.partition ?? null;
      return { ...facts, ...common, partition, problem: read.problem };
    }
  }
}
