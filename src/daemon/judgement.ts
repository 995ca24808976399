/**
 * What the documents in force mean, beside the operator's description: judged anew whenever one of
 * the two is another, and never by anybody's word. Where they do not go together any more, what they
 * meant before still holds (invariant 6), as long as the daemon lives to remember it.
 */
import { desiredFrom } from '../documents/desired-state.ts';
import type { Diagnostic } from '../documents/diagnostic.ts';
import type { PlainDocument } from '../documents/plain-document.ts';
import type { DesiredState } from '../model/secondary.ts';
import type { AcceptedBundle } from '../report/submission.ts';

export interface Judged {
  /** Null: nothing was accepted yet, or it was never valid as far as anybody remembers. */
  readonly desired: DesiredState | null;
  /** What keeps it from being valid; empty: nothing does. */
  readonly problems: readonly Diagnostic[];
}

export class Judgement {
  #description: PlainDocument | null = null;
  #bundle: AcceptedBundle | null = null;
  #judged: Judged = { desired: null, problems: [] };

  of(description: PlainDocument, bundle: AcceptedBundle | null): Judged {
    if (this.#description === description && this.#bundle === bundle) return this.#judged;
    this.#description = description;
    this.#bundle = bundle;
    this.#judged = judge(description, bundle, this.#judged.desired);
    return this.#judged;
  }
}

function judge(
  description: PlainDocument,
  bundle: AcceptedBundle | null,
  before: DesiredState | null,
): Judged {
  if (bundle === null) return { desired: null, problems: [] };
  const parsed = desiredFrom(description, bundle.documents);
  if (parsed.ok) return { desired: parsed.desired, problems: [] };
  return { desired: before, problems: parsed.diagnostics };
}
