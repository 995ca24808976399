/**
 * All partitions of a host: which there are, by what the operator describes, and what the host's
 * signs mean for each. Partitions know nothing of one another: whether they fit the host together
 * is for `host-admission.ts` to say.
 */
import type { Heard } from '../channel/heartbeats.ts';
import type { PlainDocument } from '../documents/plain-document.ts';
import type { HostSign } from '../host/ports.ts';
import { partitionOfDomain, partitionOfNetwork } from '../model/identity.ts';
import type { PartitionName } from '../model/names.ts';
import type { SliceUsage } from '../model/slice.ts';
import type { HostRules } from '../partition/host-room.ts';
import type { WakeReason } from '../report/event.ts';
import type { HostSum } from '../report/host-sum.ts';
import type { PartitionStatus } from '../report/partition-status.ts';
import { HostAdmission, type HostAdmissionOptions } from './host-admission.ts';
import { KeptPartition, type Shared } from './kept-partition.ts';

export interface SupervisorOptions extends Omit<Shared, 'admission'> {
  readonly onGone: (partition: PartitionName) => void;
  /** What may be promised of the host. */
  readonly hostRules: HostRules;
  readonly onProblems: HostAdmissionOptions['onProblems'];
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #admission: HostAdmission;
  readonly #shared: Shared;
  readonly #partitions = new Map<PartitionName, KeptPartition>();
  readonly #leaving = new Set<Promise<void>>();
  readonly #stopSigns: () => void;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const admission = new HostAdmission({
      ...options,
      heldBy: (name) => this.#partitions.get(name)?.loop?.held ?? null,
      onStanding: (name) => this.#partitions.get(name)?.refit(),
    });
    this.#admission = admission;
    this.#shared = {
      ...options,
      admission,
      onStatus: (status) => {
        options.onStatus(status);
        admission.reviewIfLess();
      },
    };
    this.#stopSigns = options.hosts.onSign((sign) => this.#onSign(sign));
  }

  get statuses(): readonly PartitionStatus[] {
    return [...this.#partitions.values()].map(({ status }) => status);
  }

  /** What the kernel has counted for them, as of the last look at each that has a slice. */
  get slices(): readonly { readonly partition: PartitionName; readonly usage: SliceUsage }[] {
    return [...this.#partitions.values()].flatMap(({ name, loop }) => {
      const usage = loop?.sliceUsage ?? null;
      return usage === null ? [] : [{ partition: name, usage }];
    });
  }

  /** What the partitions are promised of the host. */
  get sum(): HostSum {
    return this.#admission.sum;
  }

  /** Whether any Secondary is to say by vsock that it is ready. */
  get awaitsHeartbeats(): boolean {
    return [...this.#partitions.values()].some(
      ({ loop }) => (loop?.readiness.heartbeats.size ?? 0) > 0,
    );
  }

  /** Whose vsock address that is, of those. */
  heartbeatOf(cid: number): Heard | null {
    for (const { loop } of this.#partitions.values()) {
      const ref = loop?.readiness.heartbeats.get(cid);
      if (loop && ref !== undefined) return { ref, heard: (run) => loop.readiness.heard(run) };
    }
    return null;
  }

  partition(name: PartitionName): KeptPartition | null {
    return this.#partitions.get(name) ?? null;
  }

  /** These, and no others. What is on the host of one that is not described any more stays there. */
  describe(descriptions: ReadonlyMap<PartitionName, PlainDocument>): void {
    const { emit } = this.#options;
    // First, so that whoever asks for more does nothing more before it may.
    this.#admission.describe(descriptions);
    for (const [name, description] of descriptions) {
      const kept = this.#partitions.get(name);
      if (kept !== undefined) {
        kept.describe(description);
        continue;
      }
      emit({ kind: 'partition-added', partition: name });
      this.#partitions.set(name, new KeptPartition(name, description, this.#shared));
    }
    for (const name of this.#partitions.keys()) {
      if (!descriptions.has(name)) this.#leave(name);
    }
  }

  wakeAll(because: WakeReason): void {
    for (const partition of this.#partitions.values()) partition.wake(because);
  }

  /** Begins nothing more; resolves when what is under way has ended. */
  async close(): Promise<void> {
    this.#stopSigns();
    await this.#admission.close();
    const all = [...this.#partitions.values()].map((partition) => partition.close());
    await Promise.all([...all, ...this.#leaving]);
    this.#partitions.clear();
  }

  #leave(name: PartitionName): void {
    const kept = this.#partitions.get(name);
    if (kept === undefined) return;
    this.#partitions.delete(name);
    const leaving = this.#let(kept).finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  async #let(kept: KeptPartition): Promise<void> {
    await kept.close();
    this.#options.emit({ kind: 'partition-removed', partition: kept.name });
    this.#options.onGone(kept.name);
  }

  #onSign(sign: HostSign): void {
    const { emit } = this.#options;
    switch (sign.kind) {
      case 'domain':
        this.#wakeAsker(sign.domainName);
        return this.#wake(partitionOfDomain(sign.domainName), 'host-event');
      case 'network':
        return this.#wake(partitionOfNetwork(sign.networkName), 'host-event');
      case 'domain-file':
        return this.#wake(partitionOfDomain(sign.domainName), 'host-files');
      case 'lost':
        emit({ kind: 'host-lost', message: sign.message });
        return this.wakeAll('host-event');
      case 'back':
        emit({ kind: 'host-back' });
        this.#admission.review();
        return this.wakeAll('host-back');
    }
  }

  /** A domain whose share is ours to look after, under a name of its operator's. */
  #wakeAsker(domainName: string): void {
    for (const kept of this.#partitions.values()) {
      if (kept.loop?.primaryDomain === domainName) kept.wake('host-event');
    }
  }

  /** Of what is not ours by its name, somebody may have renamed it: then it is anybody's. */
  #wake(name: PartitionName | null, because: WakeReason): void {
    if (name === null) return;
    const kept = this.#partitions.get(name);
    if (kept === undefined) this.#admission.reviewIfLess();
    else kept.wake(because);
  }
}
