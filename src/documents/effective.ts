/**
 * Documents with their defaults filled in and their replicas expanded, as one could have written
 * them, and for every value where it comes from.
 */
import type { Secondary } from '../model/secondary.ts';
import { sha256 } from '../model/sha256.ts';
import type { Bundle } from './bundle.ts';
import type { SourcePlace } from './diagnostic.ts';
import { replicaNames } from './expand.ts';
import { fieldSchemaOf, type JsonSchema } from './json-schema.ts';
import type { Kind } from './schema.ts';
import type { DocumentPath } from './paths.ts';
import type { SourceDocument } from './source.ts';

/** `default`: no document says it. */
export type Origin = SourcePlace | 'default';

export type Part =
  | {
      readonly kind: 'value';
      readonly name: string;
      readonly value: unknown;
      readonly origin: Origin;
    }
  | { readonly kind: 'group'; readonly name: string; readonly parts: readonly Part[] };

/**
 * The parts of each document, in the order of its schema. In the place of a secret there is its digest,
 * in a form that no document can have.
 */
export function effectiveDocuments(
  { documents, secondaries }: Bundle,
  showSensitive: boolean,
): readonly (readonly Part[])[] {
  const schemaOf = memoized(fieldSchemaOf);
  const shown = showSensitive ? itself : masked;
  return documents.flatMap(({ document, source }) => {
    const parts = partsOf(schemaOf(document.kind), source.value, [], source, shown);
    if (document.kind !== 'Secondary') return [parts];
    return replicaNames(document).map((name) => {
      // Names of a valid bundle are the keys of its Secondaries.
      const secondary = secondaries.get(name as Secondary['name']);
      return secondary === undefined ? parts : replace(parts, '', ownValues(secondary));
    });
  });
}

function memoized(read: (kind: Kind) => JsonSchema): (kind: Kind) => JsonSchema {
  const known = new Map<Kind, JsonSchema>();
  return (kind) => {
    const schema = known.get(kind) ?? read(kind);
    known.set(kind, schema);
    return schema;
  };
}

function partsOf(
  schema: JsonSchema,
  value: unknown,
  path: DocumentPath,
  source: SourceDocument,
  shown: typeof masked,
): readonly Part[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]): Part[] => {
    if (typeof child === 'boolean') return [];
    const given = (value as Readonly<Record<string, unknown>>)[name];
    const filled = given === undefined ? child.default : given;
    if (filled === undefined) return [];
    const at = [...path, name];
    if (child.properties !== undefined) {
      return [{ kind: 'group', name, parts: partsOf(child, filled, at, source, shown) }];
    }
    const origin = given === undefined ? 'default' : source.placeOf(at);
    return [
      { kind: 'value', name, value: given === undefined ? filled : shown(filled, child), origin },
    ];
  });
}

function itself(value: unknown): unknown {
  return value;
}

function masked(value: unknown, { writeOnly }: JsonSchema): unknown {
  // Only texts are secrets, in a document that is valid.
  return writeOnly === true && typeof value === 'string' ? { sha256: sha256(value) } : value;
}

/** What differs between replicas, or is said in fewer words than it means. Undefined: left out. */
function ownValues({ name, startAfter, boot, disks }: Secondary): ReadonlyMap<string, unknown> {
  return new Map<string, unknown>([
    ['metadata.name', name],
    ['spec.replicas', undefined],
    ['spec.startAfter', startAfter],
    ...(boot.kind === 'kernel' || boot.kind === 'kernelImage'
      ? [['spec.boot.kernel.commandLine', boot.commandLine] as const]
      : []),
    ...(boot.kind === 'volume' ? [['spec.boot.volume', boot.use.volume] as const] : []),
    ['spec.disks', disks.map(({ volume }) => ({ volume }))],
  ]);
}

function replace(
  parts: readonly Part[],
  above: string,
  values: ReadonlyMap<string, unknown>,
): readonly Part[] {
  return parts.flatMap((part): Part[] => {
    const path = above === '' ? part.name : `${above}.${part.name}`;
    if (part.kind === 'group') return [{ ...part, parts: replace(part.parts, path, values) }];
    if (!values.has(path)) return [part];
    const value = values.get(path);
    return value === undefined ? [] : [{ ...part, value }];
  });
}
