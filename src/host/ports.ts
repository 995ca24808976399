/**
 * What unnest needs of a host, and no more. Planning gets a `HostView`, which has no way to change
 * anything; only execution gets a `Host`. Every method rejects with a `HostError` and nothing else.
 */
import type { DomainDefinition, DomainRef, HostFacts, ObservedDomain } from '../model/domain.ts';
import type { InstallationId } from '../model/identity.ts';
import type { FileName, PartitionName } from '../model/names.ts';
import type { Observation } from '../model/observation.ts';

export interface DomainReader {
  facts(signal: AbortSignal): Promise<HostFacts>;
  /** Every domain there is, ours or not, by identity only: one call. */
  list(signal: AbortSignal): Promise<readonly DomainRef[]>;
  /** One observation for each of `refs`, in their order. */
  read(
    refs: readonly DomainRef[],
    signal: AbortSignal,
  ): Promise<readonly Observation<ObservedDomain>[]>;
  /** Begins to listen for signs that a domain has changed. */
  watch(ref: DomainRef): Promise<DomainWatch>;
}

export interface DomainWatch {
  /** Resolves at the next sign of change since the last call, or after `timeoutMs`. */
  next(timeoutMs: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

export interface DomainWriter {
  /** Lays the managed fields over the definition that is there, or makes a new one. */
  define(definition: DomainDefinition, signal: AbortSignal): Promise<void>;
  undefine(ref: DomainRef, signal: AbortSignal): Promise<void>;
  start(ref: DomainRef, signal: AbortSignal): Promise<void>;
  resume(ref: DomainRef, signal: AbortSignal): Promise<void>;
  /** Presses the power button. That it was pressed says nothing about what the guest does. */
  shutdown(ref: DomainRef, signal: AbortSignal): Promise<void>;
  powerOff(ref: DomainRef, signal: AbortSignal): Promise<void>;
  /** Keeps a note with the definition, across crashes of ours: the next stop is asked for. */
  noteStop(ref: DomainRef, asked: boolean, signal: AbortSignal): Promise<void>;
  /** Moves the balloon's goal. What the guest does about it is to be observed. */
  setMemory(ref: DomainRef, bytes: number, signal: AbortSignal): Promise<void>;
}

/** Not a reader: whoever holds a guest's console can also type on it. */
export interface DomainConsole {
  /** What the guest writes to its serial console from now on. Ends when the guest does. */
  console(ref: DomainRef, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

/** The files a partition's Secondaries boot from. */
export interface StoreReader {
  /** The size in bytes of a regular file of the partition's store. */
  size(partition: PartitionName, file: FileName): Promise<Observation<number>>;
}

export interface InstallationReader {
  /** The id recorded on this host, or null before the first `apply`. */
  read(): Promise<InstallationId | null>;
}

export interface InstallationWriter {
  /** Rejects with `Conflict` if another id is recorded by now. */
  record(id: InstallationId): Promise<'applied' | 'already'>;
}

export interface HostView {
  readonly domains: DomainReader;
  readonly store: StoreReader;
  readonly installation: InstallationReader;
}

export interface Host extends HostView {
  readonly domains: DomainReader & DomainWriter & DomainConsole;
  readonly installation: InstallationReader & InstallationWriter;
}
