/**
 * The control groups in which a host works for all its partitions. They are the operator's: unnest
 * reads what is kept for them, and never writes to them.
 */
export interface HostGroup {
  /** At the top of the tree, such as `system.slice`; empty: the root, for which nothing can be kept. */
  readonly name: string;
  /** `memory.min`: what nobody presses out of it. Infinity: all that it has. */
  readonly memoryMinBytes: number;
  /** `cpu.weight`, beside the other groups at the top; null: CPUs are not divided there yet. */
  readonly cpuWeight: number | null;
}

export interface HostGroups {
  readonly hasSystemd: boolean;
  /** Whether what is kept for a group is kept for the groups below it (`memory_recursiveprot`). */
  readonly handsDown: boolean;
  /** Of all partitions together, beside these. */
  readonly partitionsWeight: number;
  /** By name. */
  readonly groups: readonly HostGroup[];
}
