/**
 * A bundle of documents to what they mean together: the end of YAML. Whoever calls this gets all
 * of it, defaulted and frozen, or every mistake there is, and never a part of it: a bundle with
 * one bad document changes nothing (invariant 6).
 */
import type { PartitionName, SecondaryName } from '../model/names.ts';
import type { Secondary } from '../model/secondary.ts';
import { collect, isKind } from './collect.ts';
import type { Diagnostic } from './diagnostic.ts';
import { documentLimits } from './limits.ts';
import { notYetSupported } from './not-yet-supported.ts';
import { partitionInUse } from './partition-in-use.ts';
import type { Placed } from './placed.ts';
import { danglingImages } from './references.ts';
import { expandAll } from './secondaries.ts';
import type { SourceFile } from './source.ts';

export interface Bundle {
  readonly partition: PartitionName;
  /** As they were given. */
  readonly documents: readonly Placed[];
  readonly secondaries: ReadonlyMap<SecondaryName, Secondary>;
  /** What is valid and cannot be acted on yet. Whoever acts has to refuse it. */
  readonly notYet: readonly Diagnostic[];
}

export type ParsedBundle =
  | { readonly ok: true; readonly bundle: Bundle }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** @param partition null where nobody said: a Partition document may, else it is `fallback` */
export function parseBundle(
  files: readonly SourceFile[],
  partition: PartitionName | null,
  fallback: PartitionName = 'default' as PartitionName,
): ParsedBundle {
  const tooLarge = bundleTooLarge(files);
  if (tooLarge !== null) return { ok: false, diagnostics: [tooLarge] };
  const { placed, diagnostics, mayExist } = collect(files);
  const inUse = partitionInUse(placed.filter(isKind('Partition')), partition, fallback);
  const expanded = expandAll(placed.filter(isKind('Secondary')), mayExist);
  const all = [
    ...diagnostics,
    ...inUse.diagnostics,
    ...expanded.diagnostics,
    ...danglingImages(placed, mayExist),
  ];
  if (all.length > 0) return { ok: false, diagnostics: inOrder(all, files) };
  const notYet = placed.flatMap(notYetSupported);
  return {
    ok: true,
    bundle: Object.freeze({
      partition: inUse.partition,
      documents: placed,
      secondaries: expanded.secondaries,
      notYet: inOrder(notYet, files),
    }),
  };
}

/** As a reader goes through the files, and no more than anybody reads. */
function inOrder(diagnostics: readonly Diagnostic[], files: readonly SourceFile[]): Diagnostic[] {
  const position = new Map(files.map(({ path }, index) => [path, index]));
  const at = ({ file }: Diagnostic) => position.get(file) ?? 0;
  return [...diagnostics]
    .sort((a, b) => at(a) - at(b) || a.line - b.line || a.column - b.column)
    .slice(0, documentLimits.diagnosticsMax);
}

function bundleTooLarge(files: readonly SourceFile[]): Diagnostic | null {
  let length = 0;
  for (const file of files) {
    length += file.text.length;
    if (length <= documentLimits.bundleBytesMax) continue;
    return {
      code: 'TooLarge',
      file: file.path,
      line: 0,
      column: 0,
      path: '',
      message: `the documents are larger than ${documentLimits.bundleBytesMax} bytes together`,
      remedy: 'split them over several partitions',
      excerpt: null,
    };
  }
  return null;
}
