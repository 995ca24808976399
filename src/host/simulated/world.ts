/**
 * Everything there is on a simulated host, as plain mutable data: what libvirt would keep, and what
 * its guests are about to do. Time is a number here; `settle.ts` makes it pass.
 */
import type { DomainFields, DomainRef, StopReason } from '../../model/domain.ts';
import type { DomainUuid, InstallationId, Owner } from '../../model/identity.ts';

export interface World {
  installation: InstallationId | null;
  domains: Map<DomainUuid, SimulatedDomain>;
  /** The sizes in bytes of the stores' files: by partition, then by name. */
  files: Map<string, Map<string, number>>;
}

/** What libvirt calls an inactive definition, our mark in its metadata included. */
export interface Definition {
  /** Null: somebody else made it. */
  owner: Owner | null;
  fields: DomainFields;
  /** Null where our mark is not there or cannot be read. */
  lastApplied: DomainFields | null;
  stopAsked: boolean;
}

export interface SimulatedDomain extends DomainRef {
  /** False: it vanishes when it stops. libvirt still shows the definition that was taken away. */
  persistent: boolean;
  definition: Definition;
  /** Why it last stopped; of no meaning while a guest runs. */
  stopReason: StopReason;
  /** Null: no guest runs. */
  guest: Guest | null;
}

export interface Guest {
  state: 'running' | 'paused' | 'stopping';
  /** As they were when it was started, the memory as it is now. */
  fields: DomainFields;
  startedAtMs: number;
  /** When it will stop, and why, unless something happens before. */
  end: { atMs: number; reason: StopReason } | null;
  /** What its balloon is on its way to. */
  balloon: { atMs: number; bytes: number } | null;
}

export function emptyWorld(): World {
  return { installation: null, domains: new Map(), files: new Map() };
}
