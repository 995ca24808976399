/**
 * What a virtual machine takes of the host besides its guest's memory. A bound and no average: the
 * partition's slice kills when it is exceeded, and admission is there so that it never is.
 *
 * Measured (QEMU 7.2, q35, emulated, after boot): 36 MiB for QEMU itself with one vCPU, and 48 MiB of
 * its translation cache; with four vCPUs 9 MiB more. What may come on top: the C library keeps an
 * arena for every thread that allocates, and page tables of host and guest take 1/512 of the memory
 * each.
 */
const MiB = 2 ** 20;

const ownBytes = 96 * MiB;
const perVcpuBytes = 8 * MiB;
/** Page tables: those of QEMU, those that the processor translates guests by, and what tracks pages. */
const memoryPart = 64;

export interface Machine {
  readonly vcpus: number;
  /** What its guest could have without a restart. */
  readonly memoryBytes: number;
  /** 0 for one that the processor runs itself. */
  readonly translationCacheBytes: number;
}

/** In bytes, in whole MiB. */
export function overheadBytes({ vcpus, memoryBytes, translationCacheBytes }: Machine): number {
  const bytes = ownBytes + vcpus * perVcpuBytes + memoryBytes / memoryPart + translationCacheBytes;
  return Math.ceil(bytes / MiB) * MiB;
}

/** All that a running virtual machine may take of the host's memory, in bytes. */
export function machineBytes(machine: Machine): number {
  return machine.memoryBytes + overheadBytes(machine);
}
