/**
 * What was last applied, as it stands in our mark: one attribute of JSON. The operator of the host
 * may have edited it, so it is read as strictly as anything else that comes from outside.
 */
import type { DomainFields, FieldName, PolicyFields } from '../../model/domain.ts';

type FieldKind = 'number' | 'number or null' | 'boolean' | 'text' | 'text or null';

const kinds: { readonly [F in FieldName]: FieldKind } = {
  vcpus: 'number',
  vcpusMax: 'number',
  memoryBytes: 'number',
  memoryMaxBytes: 'number',
  kernel: 'text or null',
  initrd: 'text or null',
  kernelImage: 'text or null',
  initrdImage: 'text or null',
  commandLine: 'text or null',
  disk: 'text or null',
  diskFormat: 'text or null',
  bootVolume: 'text or null',
  volumes: 'text',
  cloudInit: 'text or null',
  ignition: 'text or null',
  network: 'text',
  slice: 'text',
  serialConsole: 'boolean',
  guestAgent: 'boolean',
  vsock: 'text',
  runPolicy: 'text',
  updatePolicy: 'text',
  stopGraceMs: 'number',
  forceStop: 'boolean',
  protect: 'boolean',
  labels: 'text',
  startAfter: 'text',
  readiness: 'text',
  readinessPort: 'number or null',
};

/**
 * For fields that marks of earlier versions do not have: what a domain of theirs amounts to. With
 * nothing here, a new field would make an upgrade redefine every VM there is.
 */
const addedSince: Partial<DomainFields> = {
  kernelImage: null,
  initrdImage: null,
  bootVolume: null,
  volumes: '',
  cloudInit: null,
  ignition: null,
  network: 'None',
  slice: 'None',
  guestAgent: false,
  vsock: 'None',
  forceStop: true,
  readiness: 'Running',
  readinessPort: null,
};

const names = Object.keys(kinds) as readonly FieldName[];

export function writeApplied(fields: DomainFields): string {
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, fields[name]])));
}

/** Null unless every field is there and of its kind: then nobody knows what was last applied. */
export function readApplied(text: string | undefined): DomainFields | null {
  if (text === undefined) return null;
  const marked = parseObject(text);
  if (marked === null) return null;
  const values = new Map([...Object.entries(addedSince), ...marked]);
  if (!names.every((name) => isKind(values.get(name), kinds[name]))) return null;
  // Every field has just been checked.
  return Object.fromEntries(
    names.map((name) => [name, values.get(name)]),
  ) as unknown as DomainFields;
}

/** What only the mark knows. Without one the values are none that a document can ask for. */
export function policyFrom(applied: DomainFields | null): PolicyFields {
  if (applied === null) return unknownPolicy;
  const { runPolicy, updatePolicy, stopGraceMs, forceStop, ...more } = applied;
  const { protect, labels, startAfter, readiness, readinessPort } = more;
  return {
    runPolicy,
    updatePolicy,
    stopGraceMs,
    forceStop,
    protect,
    labels,
    startAfter,
    readiness,
    readinessPort,
  };
}

const unknownPolicy: PolicyFields = {
  runPolicy: 'unknown',
  updatePolicy: 'unknown',
  stopGraceMs: 30_000,
  forceStop: true,
  protect: false,
  labels: '',
  startAfter: '',
  readiness: 'unknown',
  readinessPort: null,
};

/** The members of an object in JSON; null if it is none. */
export function parseObject(text: string): ReadonlyMap<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    return new Map(Object.entries(value));
  } catch {
    return null;
  }
}

function isKind(value: unknown, kind: FieldKind): boolean {
  switch (kind) {
    case 'number':
      return Number.isSafeInteger(value);
    case 'number or null':
      return value === null || Number.isSafeInteger(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'text':
      return typeof value === 'string';
    case 'text or null':
      return value === null || typeof value === 'string';
  }
}
