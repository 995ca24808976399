/**
 * The file of a partition's wishes. One that is not there was never written; of one that is torn
 * nobody knows whom it protects, so the whole partition is held until an operator has looked.
 */
import { explainError } from '../../host/host-error.ts';
import { FileError, type Files } from '../runtime.ts';
import { unseal } from './sealed-file.ts';
import { firstIssue } from './stored-parts.ts';
import {
  type Hold,
  reasonCharactersMax,
  type WishesContent,
  wishesContent,
} from './wish-schema.ts';

/** Room for as many as there may be with the longest texts, which take three bytes a character. */
const wishesFileBytesMax = 8 * 2 ** 20;

const noWishes: WishesContent = {
  holds: [],
  requests: [],
  drain: null,
  written: [],
  answered: [],
};

export interface WishesRead {
  readonly content: WishesContent;
  /** Why the file could not be read; null: it could, or there is none. */
  readonly problem: string | null;
}

export async function readWishes(files: Files, path: string): Promise<WishesRead> {
  let bytes: Uint8Array;
  try {
    bytes = await files.read(path, wishesFileBytesMax);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    if (error.code === 'Missing') return { content: noWishes, problem: null };
    // It will not become readable by being looked at again.
    if (error.code === 'TooLarge' || error.code === 'NotAFile') {
      return lost(path, explainError(error));
    }
    throw error;
  }
  const unsealed = unseal('wishes', bytes);
  if (unsealed.status === 'torn') return lost(path, unsealed.message);
  const parsed = wishesContent.safeParse(unsealed.value);
  if (!parsed.success) return lost(path, firstIssue(parsed.error));
  return { content: parsed.data, problem: null };
}

function lost(path: string, why: string): WishesRead {
  const problem = `${path} cannot be read, so that who is paused or asked for is not known: ${why}`;
  return { content: { ...noWishes, holds: [everythingHeld(problem)] }, problem };
}

/** An ordinary hold: written down with whatever is asked next, and gone when somebody resumes. */
function everythingHeld(problem: string): Hold {
  const mend = 'Pause again what has to stay as it is, then `unnest resume` the partition.';
  const reason = `${mend} ${problem}`.slice(0, reasonCharactersMax);
  return {
    secondary: null,
    // Cutting may have halved a character.
    reason: reason.replaceAll(/[\p{Cc}\p{Cs}]/gu, ' '),
    submitter: 'unnestd',
    expiresAt: null,
  };
}
