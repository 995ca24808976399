/**
 * Field by field: where it stands in the document, and what changing it costs a running guest.
 * deep-diff is used here and nowhere else, and only on flat records of scalars with fixed keys: on
 * arrays it compares by position, and over a whole fleet at once it is quadratic.
 */
import deepDiff from 'deep-diff';
import type { DomainFields, FieldName, FieldValue, ObservedDomain } from '../model/domain.ts';
import { disksImpact } from './disks.ts';

/**
 * What a change means for the guest. `none`: no guest runs that could notice. `live`: it keeps
 * running. `restart`: it is stopped and started, or must be to take the change. `stop`: it is shut
 * down and stays so. `replace`: it is deleted and made anew. `destroys-data`: what a Volume holds is
 * gone for good.
 */
export const IMPACTS = ['none', 'live', 'restart', 'stop', 'replace', 'destroys-data'] as const;
export type Impact = (typeof IMPACTS)[number];

/**
 * Who made the difference. `document`: it asks for something else than was last applied. `outside`:
 * somebody changed the host. `both`: one and the other. `unknown`: nobody knows what was last applied.
 */
export const ORIGINS = ['document', 'outside', 'both', 'unknown'] as const;
export type Origin = (typeof ORIGINS)[number];

/** Of Volumes, Images, networks and what guards them: what documents call them, with the unit where there is one. */
export const RESOURCE_FIELDS = [
  'sizeBytes',
  'format',
  'deletionPolicy',
  'image',
  'provision',
  'copyOf',
  'digest',
  'file',
  'cidr',
  'mode',
  'uplink',
  'portIsolation',
  'egress',
  'networkBytesPerSecond',
  'address',
  'gateway',
  'port',
  'rules',
  'memoryMaxBytes',
  'swapMaxBytes',
  'cpus',
  'cpuWeight',
  'cpuset',
  'exclusiveCpus',
  'memoryMinBytes',
  'pidsMax',
  'diskBytesPerSecond',
  'diskOperationsPerSecond',
] as const;
export type ResourceField = (typeof RESOURCE_FIELDS)[number];

export interface FieldChange {
  readonly field: FieldName | ResourceField;
  /** Where it stands in the document, such as `spec.memory`. */
  readonly path: string;
  readonly from: FieldValue;
  readonly to: FieldValue;
  readonly impact: Impact;
  readonly origin: Origin;
}

interface FieldRule {
  readonly path: string;
  /** For a running guest; `unnoticed` if a guest that runs need not follow it at all. */
  readonly running: (
    to: DomainFields,
    live: DomainFields,
    portsFree: number,
  ) => Impact | 'unnoticed';
  /** What goes without saying where something is made. */
  readonly usual?: FieldValue;
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
  kernelImage: { path: 'spec.boot.kernel.image', running: restart },
  initrdImage: { path: 'spec.boot.kernel.initrdImage', running: restart },
  commandLine: { path: 'spec.boot.kernel.commandLine', running: restart },
  disk: { path: 'spec.boot.disk.file', running: restart },
  diskFormat: { path: 'spec.boot.disk.format', running: restart },
  bootVolume: { path: 'spec.boot.volume', running: restart },
  volumes: { path: 'spec.disks', running: disksImpact },
  cloudInit: { path: 'spec.cloudInit', running: restart },
  ignition: { path: 'spec.ignition', running: restart },
  network: { path: 'spec.network', running: restart },
  slice: { path: 'slice', running: restart },
  serialConsole: { path: 'spec.serialConsole', running: restart },
  guestAgent: { path: 'spec.guestAgent', running: restart },
  vsock: { path: 'vsock device', running: restart },
  runPolicy: { path: 'spec.runPolicy', running: unnoticed },
  updatePolicy: { path: 'spec.updatePolicy', running: unnoticed },
  stopGraceMs: { path: 'spec.terminationGracePeriodSeconds', running: unnoticed },
  forceStop: { path: 'spec.forceStop', running: unnoticed, usual: true },
  protect: { path: 'spec.protect', running: unnoticed },
  labels: { path: 'metadata.labels', running: unnoticed },
  startAfter: { path: 'spec.startAfter', running: unnoticed },
  readiness: { path: 'spec.readiness', running: unnoticed, usual: 'Running' },
  readinessPort: { path: 'spec.readinessPort', running: unnoticed },
};

const fieldNames = Object.keys(fieldRules) as readonly FieldName[];

/** The differences between a definition and what is wanted. A definition is not a guest. */
export function definitionChanges(
  { defined, lastApplied }: ObservedDomain,
  wanted: DomainFields,
): FieldChange[] {
  return differing(defined, wanted).map((field) => ({
    field,
    path: fieldRules[field].path,
    from: defined[field],
    to: wanted[field],
    impact: 'none',
    origin: originOf(field, defined, wanted, lastApplied),
  }));
}

/** The differences between a running guest and what is wanted, with what each would cost it. */
export function runningChanges(
  { live, defined, lastApplied, portsFree }: ObservedDomain,
  wanted: DomainFields,
): FieldChange[] {
  if (live === null) return [];
  return differing(live, wanted).flatMap((field) => {
    const impact = fieldRules[field].running(wanted, live, portsFree);
    if (impact === 'unnoticed') return [];
    const staged = defined[field] === wanted[field];
    // What is in the definition already waits for a restart, or for the guest to let go of a disk; what
    // waits for nothing was moved by hand.
    const origin = staged
      ? impact === 'restart' || field === 'volumes'
        ? 'document'
        : 'outside'
      : originOf(field, defined, wanted, lastApplied);
    const { path } = fieldRules[field];
    return [{ field, path, from: live[field], to: wanted[field], impact, origin }];
  });
}

/** Everything that a new definition sets. */
export function initialFields(wanted: DomainFields): FieldChange[] {
  return fieldNames
    .filter((field) => isSet(wanted[field]) && wanted[field] !== fieldRules[field].usual)
    .map((field) => ({
      field,
      path: fieldRules[field].path,
      from: null,
      to: wanted[field],
      impact: 'none',
      origin: 'document',
    }));
}

/** What is not there, empty or off goes without saying. */
function isSet(value: FieldValue): boolean {
  return value !== null && value !== '' && value !== false && value !== 'None';
}

/** One for each path of the document; of several for one path the first. */
export function onePerPath(changes: readonly FieldChange[]): readonly FieldChange[] {
  const byPath = new Map<string, FieldChange>();
  for (const each of changes) {
    if (!byPath.has(each.path)) byPath.set(each.path, each);
  }
  return [...byPath.values()];
}

export function originOf<F extends string>(
  field: F,
  actual: Readonly<Record<F, FieldValue>>,
  wanted: Readonly<Record<F, FieldValue>>,
  lastApplied: Readonly<Record<F, FieldValue>> | null,
): Origin {
  if (lastApplied === null) return 'unknown';
  if (lastApplied[field] === wanted[field]) return 'outside';
  return lastApplied[field] === actual[field] ? 'document' : 'both';
}

function differing(from: DomainFields, to: DomainFields): FieldName[] {
  return differingKeys(from, to, fieldNames);
}

/** Which of the keys of two flat records of scalars differ, in the order of `keys`. */
export function differingKeys<F extends string>(
  from: Readonly<Record<F, FieldValue>>,
  to: Readonly<Record<F, FieldValue>>,
  keys: readonly F[],
): F[] {
  // Most are as they should be, and deep-diff takes its time to say so.
  if (keys.every((key) => from[key] === to[key])) return [];
  const found = new Set(deepDiff.diff(from, to)?.map((difference) => difference.path?.[0]));
  return keys.filter((key) => found.has(key));
}
