/**
 * Field by field: where it stands in the document, and what changing it costs a running guest.
 * deep-diff is used here and nowhere else, and only on flat records of scalars with fixed keys: on
 * arrays it compares by position, and over a whole fleet at once it is quadratic.
 */
import deepDiff from 'deep-diff';
import type { DomainFields, FieldName, FieldValue, ObservedDomain } from '../model/domain.ts';

/**
 * What a change means for the guest. `none`: no guest runs that could notice. `live`: it keeps
 * running. `restart`: it is stopped and started, or must be to take the change. `stop`: it is shut
 * down and stays so.
 */
export const IMPACTS = ['none', 'live', 'restart', 'stop'] as const;
export type Impact = (typeof IMPACTS)[number];

/**
 * Who made the difference. `document`: it asks for something else than was last applied. `outside`:
 * somebody changed the host. `both`: one and the other. `unknown`: nobody knows what was last applied.
 */
export const ORIGINS = ['document', 'outside', 'both', 'unknown'] as const;
export type Origin = (typeof ORIGINS)[number];

export interface FieldChange {
  readonly field: FieldName;
  readonly from: FieldValue;
  readonly to: FieldValue;
  readonly impact: Impact;
  readonly origin: Origin;
}

interface FieldRule {
  readonly path: string;
  /** For a running guest; `unnoticed` if a guest that runs need not follow it at all. */
  readonly running: (to: DomainFields, live: DomainFields) => Impact | 'unnoticed';
}

const restart = () => 'restart' as const;
const unnoticed = () => 'unnoticed' as const;

export const fieldRules: { readonly [F in FieldName]: FieldRule } = {
  vcpus: { path: 'spec.vcpus', running: restart },
  vcpusMax: { path: 'spec.vcpus', running: unnoticed },
  // The balloon moves between nothing and what the guest was started with.
  memoryBytes: {
    path: 'spec.memory',
    running: (to, live) => (to.memoryBytes <= live.memoryMaxBytes ? 'live' : 'restart'),
  },
  memoryMaxBytes: { path: 'spec.memory', running: unnoticed },
  kernel: { path: 'spec.boot.kernel.file', running: restart },
  initrd: { path: 'spec.boot.kernel.initrd', running: restart },
  commandLine: { path: 'spec.boot.kernel.commandLine', running: restart },
  disk: { path: 'spec.boot.disk.file', running: restart },
  diskFormat: { path: 'spec.boot.disk.format', running: restart },
  serialConsole: { path: 'spec.serialConsole', running: restart },
  runPolicy: { path: 'spec.runPolicy', running: unnoticed },
  updatePolicy: { path: 'spec.updatePolicy', running: unnoticed },
  stopGraceMs: { path: 'spec.terminationGracePeriodSeconds', running: unnoticed },
  protect: { path: 'spec.protect', running: unnoticed },
  labels: { path: 'metadata.labels', running: unnoticed },
  startAfter: { path: 'spec.startAfter', running: unnoticed },
};

const fieldNames = Object.keys(fieldRules) as readonly FieldName[];

/** The differences between a definition and what is wanted. A definition is not a guest. */
export function definitionChanges(
  { defined, lastApplied }: ObservedDomain,
  wanted: DomainFields,
): FieldChange[] {
  return differing(defined, wanted).map((field) => ({
    field,
    from: defined[field],
    to: wanted[field],
    impact: 'none',
    origin: originOf(field, defined, wanted, lastApplied),
  }));
}

/** The differences between a running guest and what is wanted, with what each would cost it. */
export function runningChanges(
  { live, defined, lastApplied }: ObservedDomain,
  wanted: DomainFields,
): FieldChange[] {
  if (live === null) return [];
  return differing(live, wanted).flatMap((field) => {
    const impact = fieldRules[field].running(wanted, live);
    if (impact === 'unnoticed') return [];
    const staged = defined[field] === wanted[field];
    // What is in the definition already waits for a restart; what needs none was moved by hand.
    const origin = staged
      ? impact === 'restart'
        ? 'document'
        : 'outside'
      : originOf(field, defined, wanted, lastApplied);
    return [{ field, from: live[field], to: wanted[field], impact, origin }];
  });
}

/** Everything that a new definition sets. */
export function initialFields(wanted: DomainFields): FieldChange[] {
  return fieldNames
    .filter((field) => isSet(wanted[field]))
    .map((field) => ({
      field,
      from: null,
      to: wanted[field],
      impact: 'none',
      origin: 'document',
    }));
}

/** What is not there, empty or off goes without saying. */
function isSet(value: FieldValue): boolean {
  return value !== null && value !== '' && value !== false;
}

/** One for each path of the document; of several for one path the first. */
export function onePerPath(changes: readonly FieldChange[]): readonly FieldChange[] {
  const byPath = new Map<string, FieldChange>();
  for (const each of changes) {
    const { path } = fieldRules[each.field];
    if (!byPath.has(path)) byPath.set(path, each);
  }
  return [...byPath.values()];
}

function originOf(
  field: FieldName,
  actual: DomainFields,
  wanted: DomainFields,
  lastApplied: DomainFields | null,
): Origin {
  if (lastApplied === null) return 'unknown';
  if (lastApplied[field] === wanted[field]) return 'outside';
  return lastApplied[field] === actual[field] ? 'document' : 'both';
}

function differing(from: DomainFields, to: DomainFields): FieldName[] {
  const found = new Set(deepDiff.diff(from, to)?.map((difference) => difference.path?.[0]));
  return fieldNames.filter((field) => found.has(field));
}
