/**
 * A bundle of which one document, the Partition, is the operator's, and all others are a tenant's.
 * A tenant that could write the former would set its own limits.
 */
import type { PartitionName } from '../model/names.ts';
import { bundleTooLarge, judge, type ParsedBundle } from './bundle.ts';
import { collect, type Collected } from './collect.ts';
import type { Placed } from './placed.ts';
import { type PlainDocument, sourceOf } from './plain-document.ts';
import { parseSource, type ParsedSource, type SourceDocument, type SourceFile } from './source.ts';
import { validate, type Validated } from './validate.ts';

/** @param operators null: the partition is not described, or that is not known here */
export function tenantBundle(
  files: readonly SourceFile[],
  partition: PartitionName,
  operators: PlainDocument | null,
): ParsedBundle {
  const tooLarge = bundleTooLarge(files);
  if (tooLarge !== null) return { ok: false, diagnostics: [tooLarge] };
  const sources = files.map((file) => () => parseSource(file));
  const names = files.map(({ path }) => path);
  return beside(operators, sources, names, partition);
}

/** The same from what the documents hold, once a worker has read their YAML. */
export function tenantBundleOfValues(
  documents: readonly PlainDocument[],
  partition: PartitionName,
  operators: PlainDocument | null,
): ParsedBundle {
  const sources = documents.map((document) => () => sourceOf(document));
  const names = documents.map(({ file }) => file);
  return beside(operators, sources, names, partition);
}

/** The documents of a valid bundle that are the tenant's, as plain data. */
export function tenantDocuments(documents: readonly Placed[]): readonly PlainDocument[] {
  return documents
    .filter(({ document }) => document.kind !== 'Partition')
    .map(({ source }) => ({ file: source.file, value: source.value }));
}

function beside(
  operators: PlainDocument | null,
  sources: readonly (() => ParsedSource)[],
  names: readonly string[],
  partition: PartitionName,
): ParsedBundle {
  const own = operators === null ? null : collect([() => sourceOf(operators)], operatorsOnly);
  // Where the operator was mistaken, nothing can be said about the tenant.
  if (own !== null && own.diagnostics.length > 0)
    return { ok: false, diagnostics: own.diagnostics };
  const tenants = collect(sources, tenantsOnly);
  const all: Collected = { ...tenants, placed: [...(own?.placed ?? []), ...tenants.placed] };
  return judge(all, names, partition, partition);
}

/** Before it is looked at further: nobody is to mend what they may not write. */
function tenantsOnly(source: SourceDocument): Validated {
  if (!isPartition(source)) return validate(source);
  const message = "a Partition is described by the host's operator, not in its own documents";
  const remedy =
    "take it out: the operator puts it into the partitions' folder, " +
    '/etc/unnest/partitions/NAME.yaml unless configured otherwise';
  return {
    ok: false,
    diagnostics: [source.complain('OperatorsOnly', ['kind'], message, { remedy })],
  };
}

function operatorsOnly(source: SourceDocument): Validated {
  if (isPartition(source)) return validate(source);
  const message = 'expected a Partition and nothing else';
  return { ok: false, diagnostics: [source.complain('UnknownKind', ['kind'], message)] };
}

function isPartition({ value }: SourceDocument): boolean {
  return (value as { readonly kind?: unknown } | null)?.kind === 'Partition';
}
