/**
 * Which number a submission gets, or why it gets none. A number is never used twice for different
 * content, and one that was given never comes after a greater one: whoever counts can rely on what
 * is in force being the newest that was handed in.
 */
import type { AcceptedBundle, RefusalCode, Submission } from '../../report/submission.ts';
import { generationMax } from './bundle-schema.ts';

export interface Numbering {
  readonly inForce: AcceptedBundle | null;
  /** Of what could not be read back; 0: all could. Above the one in force. */
  readonly tornHighest: number;
}

export type NumberingAnswer =
  | { readonly kind: 'next'; readonly generation: number }
  | { readonly kind: 'unchanged'; readonly inForce: AcceptedBundle }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly message: string };

/** What of a submission counts here. */
export type Numbered = Pick<
  Submission,
  'generation' | 'ifGeneration' | 'deleteEverything' | 'deletionsMax'
>;

/** @param digest of the submission's documents */
export function nextGeneration(
  numbering: Numbering,
  submission: Numbered,
  digest: string,
): NumberingAnswer {
  const current = numbering.inForce?.generation ?? 0;
  const { generation, ifGeneration } = submission;
  if (ifGeneration !== null && ifGeneration !== current) {
    return refused('NotInForce', `generation ${current} is in force, not ${ifGeneration}`);
  }
  if (generation !== null) return asCounted(numbering, generation, submission, digest);
  const { inForce, tornHighest } = numbering;
  const same = inForce?.digest === digest && tornHighest === 0 && !asksForMore(submission, inForce);
  if (same) return { kind: 'unchanged', inForce };
  const next = Math.max(current, tornHighest) + 1;
  if (next <= generationMax) return { kind: 'next', generation: next };
  return refused('NotStored', `there is no generation after ${generationMax}`);
}

/** The submitter counts. A greater number counts for itself, so the same content gets it as well. */
function asCounted(
  { inForce, tornHighest }: Numbering,
  generation: number,
  submission: Numbered,
  digest: string,
): NumberingAnswer {
  if (!Number.isSafeInteger(generation) || generation < 1 || generation > generationMax) {
    return refused('Invalid', `a generation is a whole number from 1 to ${generationMax}`);
  }
  if (generation === inForce?.generation) return again(inForce, submission, digest);
  const highest = Math.max(inForce?.generation ?? 0, tornHighest);
  if (generation > highest) return { kind: 'next', generation };
  if (generation === tornHighest) {
    const message = `generation ${generation} was accepted before and cannot be read back`;
    return refused('GenerationReused', `${message}: use a greater number`);
  }
  return refused('StaleGeneration', `generation ${generation} is older than ${highest}`);
}

function again(inForce: AcceptedBundle, submission: Numbered, digest: string): NumberingAnswer {
  const { generation } = inForce;
  if (inForce.digest !== digest) {
    const message = `generation ${generation} is in force with other documents`;
    return refused('GenerationReused', `${message}: use a greater number`);
  }
  // Consent that is not taken down must not seem to be.
  if (asksForMore(submission, inForce)) {
    const message = `generation ${generation} is in force and may delete less`;
    return refused('GenerationReused', `${message}: use a greater number`);
  }
  return { kind: 'unchanged', inForce };
}

/** Whether it may delete what the one in force may not. No word about it asks for nothing. */
function asksForMore(submission: Numbered, inForce: AcceptedBundle): boolean {
  if (submission.deleteEverything && !inForce.deleteEverything) return true;
  if (submission.deletionsMax === null) return false;
  // The daemon's own bound is not known here, so any number may be more.
  return inForce.deletionsMax === null || submission.deletionsMax > inForce.deletionsMax;
}

function refused(code: RefusalCode, message: string): NumberingAnswer {
  return { kind: 'refused', code, message };
}
