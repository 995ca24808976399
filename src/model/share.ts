/**
 * A partition's share of its host, as the operator grants it. What its traffic may take is its network's
 * (`network.ts`), which is held to it with or without a control group.
 */

export interface Limits {
  readonly vcpus: number;
  readonly memoryBytes: number;
  readonly storageBytes: number;
  readonly secondaries: number;
  /** Of all disks together; null: not limited. */
  readonly diskBytesPerSecond: number | null;
  readonly diskOperationsPerSecond: number | null;
}

/**
 * What holds the partition to its limits. `Cgroup`: the kernel, whatever its guests do; nothing is
 * started without. `Admission`: only that nothing is started that would exceed them.
 */
export const ENFORCEMENTS = ['Cgroup', 'Admission'] as const;
export type Enforcement = (typeof ENFORCEMENTS)[number];

export interface Share {
  readonly limits: Limits;
  readonly enforcement: Enforcement;
}
