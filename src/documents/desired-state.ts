/** What is to be made real: a bundle of which every part can be. */
import type { PartitionName } from '../model/names.ts';
import type { DesiredState } from '../model/secondary.ts';
import { parseBundle } from './bundle.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { SourceFile } from './source.ts';

export type Parsed =
  | { readonly ok: true; readonly desired: DesiredState }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

export function parseDocuments(files: readonly SourceFile[], partition: PartitionName): Parsed {
  const parsed = parseBundle(files, partition);
  if (!parsed.ok) return parsed;
  const { notYet, documents: _, ...desired } = parsed.bundle;
  if (notYet.length > 0) return { ok: false, diagnostics: notYet };
  return { ok: true, desired: Object.freeze(desired) };
}
