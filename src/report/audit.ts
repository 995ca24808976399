/** What somebody has asked for of a partition, and what came of it: for the books. */
import type { PartitionName } from '../model/names.ts';

export interface AuditEntry {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** As the kernel or the hypervisor says. */
  readonly by: string;
  readonly from: 'operator' | 'primary';
  readonly partition: PartitionName;
  /** Such as `PUT desired`, `POST secondaries/web/stop`. */
  readonly request: string;
  /** `ok`, or the code of the refusal. */
  readonly outcome: string;
  /** Of the documents that came into force, or already were; null: of none. */
  readonly generation: number | null;
}
