/**
 * All partitions of a host: which there are, by what the operator describes, and what the host's
 * signs mean for each. Partitions know nothing of one another.
 */
import type { PlainDocument } from '../documents/plain-document.ts';
import type { HostSign } from '../host/ports.ts';
import { partitionOfDomain, partitionOfNetwork } from '../model/identity.ts';
import type { PartitionName } from '../model/names.ts';
import type { WakeReason } from '../report/event.ts';
import type { PartitionStatus } from '../report/partition-status.ts';
import { KeptPartition, type Shared } from './kept-partition.ts';

export interface SupervisorOptions extends Shared {
  readonly onGone: (partition: PartitionName) => void;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #partitions = new Map<PartitionName, KeptPartition>();
  readonly #leaving = new Set<Promise<void>>();
  readonly #stopSigns: () => void;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#stopSigns = options.hosts.onSign((sign) => this.#onSign(sign));
  }

  get statuses(): readonly PartitionStatus[] {
    return [...this.#partitions.values()].map(({ status }) => status);
  }

  partition(name: PartitionName): KeptPartition | null {
    return this.#partitions.get(name) ?? null;
  }

  /** These, and no others. What is on the host of one that is not described any more stays there. */
  describe(descriptions: ReadonlyMap<PartitionName, PlainDocument>): void {
    const { emit } = this.#options;
    for (const [name, description] of descriptions) {
      const kept = this.#partitions.get(name);
      if (kept !== undefined) {
        kept.describe(description);
        continue;
      }
      emit({ kind: 'partition-added', partition: name });
      this.#partitions.set(name, new KeptPartition(name, description, this.#options));
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
        return this.wakeAll('host-back');
    }
  }

  /** Of what is not ours by its name, somebody may have renamed it: then it is anybody's. */
  #wake(name: PartitionName | null, because: WakeReason): void {
    if (name !== null) this.#partitions.get(name)?.wake(because);
  }
}
