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

/** What it has at least. */
export interface Guarantees {
  /** CPUs that nobody else gets, as the kernel lists them; null: none. */
  readonly cpuset: string | null;
  /** Memory that nobody else can press out; null: none. */
  readonly memoryBytes: number | null;
}

export const nothingGuaranteed: Guarantees = { cpuset: null, memoryBytes: null };

export interface Share {
  readonly limits: Limits;
  readonly guarantees: Guarantees;
  readonly enforcement: Enforcement;
}
