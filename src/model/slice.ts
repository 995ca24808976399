/**
 * The slice of a partition: one control group (cgroup v2) around all its virtual machines, whose
 * limits the kernel enforces whatever happens inside.
 */
import type { Share } from './share.ts';

/** Null: the kernel limits nothing there (`max`). */
export interface SliceFields {
  /** `memory.max`. What is beyond it is killed. */
  readonly memoryMaxBytes: number | null;
  /** `memory.swap.max`. 0: what is pressed out would take the host's disk from everybody. */
  readonly swapMaxBytes: number | null;
  /** `cpu.max`, as CPUs. */
  readonly cpus: number | null;
  /**
   * `cpu.weight`, where CPUs are short: one for each vCPU that the partition may have, so that they
   * are shared out as they were promised.
   */
  readonly cpuWeight: number | null;
  /** `cpuset.cpus`: the only CPUs that it runs on; null: all. */
  readonly cpuset: string | null;
  /**
   * Whether the kernel is asked to keep everybody else on the host off `cpuset`, ours or not (a root of
   * `cpuset.cpus.partition`); null: this kernel cannot.
   */
  readonly exclusiveCpus: boolean | null;
  /** `memory.min`, where its parent is promised enough for it; null: nothing is promised. */
  readonly memoryMinBytes: number | null;
  /** `pids.max`: processes and threads. */
  readonly pidsMax: number | null;
  /** `io.max` of the disk that the store is on, reads and writes each. */
  readonly diskBytesPerSecond: number | null;
  readonly diskOperationsPerSecond: number | null;
}

export interface SliceRef {
  /** As libvirt's `<resource><partition>` names it: `/unnest/p0123456789ab`. */
  readonly path: string;
}

/** What is used of it, as the kernel counts. */
export interface SliceUsage {
  readonly memoryBytes: number;
  /** Of CPU time, since it was made. */
  readonly cpuUs: number;
  /** For how long somebody in it had to wait for the limit of CPUs. */
  readonly throttledUs: number;
  /** Of those in which something ran, how many there were, and in how many it was held back. */
  readonly periods: number;
  readonly throttledPeriods: number;
  readonly processes: number;
  /** How often something in it was killed because memory ran out. */
  readonly oomKills: number;
  /** The part of the last ten seconds in which everybody in it waited for memory, in per cent. */
  readonly memoryPressure: number;
}

/** What has become of its CPUs. */
export interface SliceCpus {
  /** Those that it really runs on; null: the kernel does not say. */
  readonly effective: string | null;
  /** `cpuset.cpus.partition`, such as `root`, or `root invalid (WHY)`; null: this kernel cannot. */
  readonly partition: string | null;
}

export interface ObservedSlice extends SliceRef {
  readonly fields: SliceFields;
  readonly cpus: SliceCpus;
  readonly usage: SliceUsage;
}

/** Where its Primary has all that there is, for whoever works for the partition. */
const memoryBytesMin = 64 * 2 ** 20;

/** The kernel's. */
const cpuWeightMax = 10_000;

/** What else than guests' CPUs has a thread: I/O, the monitor, the display's, for each machine. */
const threadsPerMachine = 64;
/** For who works for the partition besides its guests. */
const furtherThreads = 256;

/**
 * @param outside what is used of the limits outside the slice
 * @param commonCpus those of the host that nobody has for himself; null: all
 * @param allocatedBytes memory that its guests have: less would kill them, so it waits for them to go
 */
export function sliceFieldsOf(
  { limits, guarantees }: Share,
  outside: { readonly vcpus: number; readonly memoryBytes: number },
  allocatedBytes: number,
  commonCpus: string | null,
): SliceFields {
  const memoryMaxBytes = Math.max(
    limits.memoryBytes - outside.memoryBytes,
    allocatedBytes,
    memoryBytesMin,
  );
  const { memoryBytes: least } = guarantees;
  return {
    memoryMaxBytes,
    swapMaxBytes: 0,
    // At least one: without any, nothing in it could even end.
    cpus: Math.max(1, limits.vcpus - outside.vcpus),
    cpuWeight: Math.min(limits.vcpus, cpuWeightMax),
    cpuset: guarantees.cpuset ?? commonCpus,
    exclusiveCpus: guarantees.cpuset !== null,
    memoryMinBytes: least === null ? null : Math.min(least, memoryMaxBytes),
    pidsMax: limits.vcpus + limits.secondaries * threadsPerMachine + furtherThreads,
    diskBytesPerSecond: limits.diskBytesPerSecond,
    diskOperationsPerSecond: limits.diskOperationsPerSecond,
  };
}
