/**
 * What the partitions of this host were promised of it, in one file, so that all of it is of one
 * moment. A promise holds once it is on the disk: whoever was let in stays in across crashes. Of a
 * file that is torn nobody is known to have been promised anything, and all are judged as if they
 * came together, those first who have something to lose.
 */
import { join } from 'node:path';
import * as z from 'zod';
import { explainError } from '../../host/host-error.ts';
import type { PartitionName } from '../../model/names.ts';
import type { Claims } from '../../partition/host-fit.ts';
import { FileError, type Files } from '../runtime.ts';
import { passableMode } from './accepted-folder.ts';
import { seal, unseal } from './sealed-file.ts';
import { firstIssue, named } from './stored-parts.ts';

const fileMode = 0o600;
/** Room for more partitions than are read, each with the longest set of CPUs. */
const bytesMax = 16 * 2 ** 20;

const promise = z.strictObject({
  partition: named<PartitionName>(),
  vcpus: z.int().nonnegative(),
  memoryBytes: z.int().nonnegative(),
  cidr: z
    .string()
    .regex(/^(?:\d{1,3}\.){3}\d{1,3}\/\d{1,2}$/)
    .nullable(),
  cpuset: z
    .string()
    .max(1024)
    .regex(/^[\d,-]+$/)
    .nullable(),
  // Earlier versions guaranteed nothing.
  guaranteedBytes: z.int().nonnegative().default(0),
});

const content = z.strictObject({ promises: z.array(promise).max(16_384) });

export interface PromisesRead {
  readonly promises: Claims;
  /** Why the file could not be read back; null: it could, or there is none. */
  readonly problem: string | null;
}

/** @throws FileError if it could not be read: another time it may be */
export async function readPromises(files: Files, stateFolder: string): Promise<PromisesRead> {
  const path = pathIn(stateFolder);
  let bytes: Uint8Array;
  try {
    bytes = await files.read(path, bytesMax);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    if (error.code === 'Missing') return { promises: new Map(), problem: null };
    // It will not become readable by being looked at again.
    if (error.code === 'TooLarge' || error.code === 'NotAFile') {
      return lost(path, explainError(error));
    }
    throw error;
  }
  const unsealed = unseal('promises', bytes);
  if (unsealed.status === 'torn') return lost(path, unsealed.message);
  const parsed = content.safeParse(unsealed.value);
  if (!parsed.success) return lost(path, firstIssue(parsed.error));
  const promises = parsed.data.promises.map(
    ({ partition, ...claim }) => [partition, claim] as const,
  );
  return { promises: new Map(promises), problem: null };
}

/** @returns why it could not be written; null: it was */
export async function writePromises(
  files: Files,
  stateFolder: string,
  promises: Claims,
): Promise<string | null> {
  const value = { promises: [...promises].map(([partition, claim]) => ({ partition, ...claim })) };
  try {
    await files.makeFolder(stateFolder, passableMode);
    await files.replace(pathIn(stateFolder), seal('promises', value), fileMode);
    return null;
  } catch (error) {
    if (error instanceof FileError) return explainError(error);
    throw error;
  }
}

/** Beside the partitions' folders; no partition has a name with a dot. */
function pathIn(stateFolder: string): string {
  return join(stateFolder, 'promises.json');
}

function lost(path: string, why: string): PromisesRead {
  const problem = `${path} cannot be read back, so that what partitions were promised of this host is decided anew: ${why}`;
  return { promises: new Map(), problem };
}
