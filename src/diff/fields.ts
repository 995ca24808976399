/**
 * Field by field: where it stands in the document, and what changing it costs a running guest.
 * deep-diff is used here and nowhere else, and only on flat records of scalars with fixed keys: on
 * arrays it compares by position, and over a whole fleet at once it is quadratic.
 */
import deepDiff from 'deep-diff';
import type { DomainFields, FieldName, FieldValue } from '../model/domain.ts';

/**
 * What a change means for the guest. `none`: no guest runs that could notice. `live`: it keeps
 * running. `restart`: it is stopped and started, or must be to take the change. `stop`: it is shut
 * down and stays so.
 */
export type Impact = 'none' | 'live' | 'restart' | 'stop';

export interface FieldChange {
  readonly field: FieldName;
  readonly from: FieldValue;
  readonly to: FieldValue;
  readonly impact: Impact;
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
  stopGraceMs: { path: 'spec.terminationGracePeriodSeconds', running: unnoticed },
};

const fieldNames = Object.keys(fieldRules) as readonly FieldName[];

/** The differences between a definition and what is wanted. A definition is not a guest. */
export function definitionChanges(defined: DomainFields, wanted: DomainFields): FieldChange[] {
  return differing(defined, wanted).map((field) => change(field, defined, wanted, 'none'));
}

/** Everything that a new definition sets. */
export function initialFields(wanted: DomainFields): FieldChange[] {
  return fieldNames
    .filter((field) => wanted[field] !== null)
    .map((field) => ({ field, from: null, to: wanted[field], impact: 'none' }));
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

/** The differences between a running guest and what is wanted, with what each would cost it. */
export function runningChanges(live: DomainFields, wanted: DomainFields): FieldChange[] {
  return differing(live, wanted).flatMap((field) => {
    const impact = fieldRules[field].running(wanted, live);
    return impact === 'unnoticed' ? [] : [change(field, live, wanted, impact)];
  });
}

function change(field: FieldName, from: DomainFields, to: DomainFields, impact: Impact) {
  return { field, from: from[field], to: to[field], impact };
}

function differing(from: DomainFields, to: DomainFields): FieldName[] {
  const found = new Set(deepDiff.diff(from, to)?.map((difference) => difference.path?.[0]));
  return fieldNames.filter((field) => found.has(field));
}
