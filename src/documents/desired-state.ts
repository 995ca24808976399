/** What is to be made real: a bundle of which every part can be. */
import type { PartitionName } from '../model/names.ts';
import type { DesiredState } from '../model/secondary.ts';
import { type Bundle, parseBundle } from './bundle.ts';
import { isKind } from './collect.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { PartitionDocument } from './partition-schema.ts';
import type { Placed } from './placed.ts';
import type { PlainDocument } from './plain-document.ts';
import type { SourceFile } from './source.ts';
import { tenantBundle, tenantBundleOfValues } from './tenant-bundle.ts';

export type Parsed =
  | { readonly ok: true; readonly desired: DesiredState }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Of documents that somebody makes real with their own hands: `unnest plan`, `unnest apply`. */
export function parseDocuments(files: readonly SourceFile[], partition: PartitionName): Parsed {
  const parsed = parseBundle(files, partition);
  if (!parsed.ok) return parsed;
  const { documents, notYet } = parsed.bundle;
  const others = documents.filter(isKind('Partition')).flatMap(notTheSource);
  return desiredOf(parsed.bundle, [...others, ...notYet]);
}

/**
 * Of a tenant's documents beside the operator's description, as a daemon would judge them.
 * @param operators null: nobody describes the partition, so that the documents may
 */
export function parseBeside(
  files: readonly SourceFile[],
  partition: PartitionName,
  operators: PlainDocument | null,
): Parsed {
  if (operators === null) return parseDocuments(files, partition);
  const parsed = tenantBundle(files, partition, operators);
  return parsed.ok ? desiredOf(parsed.bundle, parsed.bundle.notYet) : parsed;
}

/**
 * Of documents that a daemon has accepted.
 * @param operators the Partition document, whose name is the partition's
 * @param tenants all others; a Partition among them is refused
 */
export function desiredFrom(operators: PlainDocument, tenants: readonly PlainDocument[]): Parsed {
  // If it is not the name of one, the document is not valid, and that is said.
  const partition = nameIn(operators.value) as PartitionName;
  const parsed = tenantBundleOfValues(tenants, partition, operators);
  return parsed.ok ? desiredOf(parsed.bundle, parsed.bundle.notYet) : parsed;
}

function desiredOf(bundle: Bundle, problems: readonly Diagnostic[]): Parsed {
  if (problems.length > 0) return { ok: false, diagnostics: problems };
  const { notYet: _, documents: __, ...desired } = bundle;
  return { ok: true, desired: Object.freeze(desired) };
}

/** Two authorities over one partition would undo each other's work, and nobody would know why. */
function notTheSource({ document, source }: Placed<PartitionDocument>): Diagnostic[] {
  const { source: rules } = document.spec;
  if (rules === 'Apply') return [];
  const { is, change } = elsewhere[rules];
  const message = `this partition is what ${is}, and nothing else counts`;
  const remedy = `${change}, or say source: Apply`;
  return [source.complain('NotTheSource', ['spec', 'source'], message, { remedy })];
}

const elsewhere = {
  Directory: {
    is: 'unnestd reads in its directory',
    change: "change the files in the partition's directory",
  },
  Channel: { is: 'its Primary says', change: 'change it in the Primary' },
} as const;

function nameIn(value: unknown): unknown {
  return (value as { readonly metadata?: { readonly name?: unknown } } | null)?.metadata?.name;
}
