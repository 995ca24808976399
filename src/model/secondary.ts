/**
 * A Secondary as its Primary's user wants it: units resolved, defaults filled in, names checked.
 * Nothing here is optional, and nothing here knows YAML or libvirt.
 */
import type { FileName, PartitionName, SecondaryName } from './names.ts';

/** How a disk's bytes are to be read. Always said, never probed: a guest can write any header. */
export type DiskFormat = 'raw' | 'qcow2';

export type Boot =
  | {
      readonly kind: 'kernel';
      readonly kernel: FileName;
      readonly initrd: FileName | null;
      readonly commandLine: string;
    }
  | { readonly kind: 'disk'; readonly file: FileName; readonly format: DiskFormat };

/**
 * Whether it runs (KubeVirt's terms). `Always`: whenever it is not running it is started.
 * `RerunOnFailure`: the same, unless the guest shut itself down. `Manual`: the power button is
 * somebody else's. `Halted`: it is stopped.
 */
export const RUN_POLICIES = ['Always', 'RerunOnFailure', 'Manual', 'Halted'] as const;
export type RunPolicy = (typeof RUN_POLICIES)[number];

/**
 * What happens to a change that a running guest cannot take. `Staged`: it waits in the definition
 * for the next start. `Restart`: `apply` restarts the guest.
 */
export const UPDATE_POLICIES = ['Staged', 'Restart'] as const;
export type UpdatePolicy = (typeof UPDATE_POLICIES)[number];

export interface Secondary {
  readonly name: SecondaryName;
  readonly vcpus: number;
  readonly memoryBytes: number;
  readonly boot: Boot;
  readonly serialConsole: boolean;
  readonly runPolicy: RunPolicy;
  readonly updatePolicy: UpdatePolicy;
  /** How long a guest may take to shut down before it is powered off. */
  readonly stopGraceMs: number;
  /** For selecting; libvirt is not told. */
  readonly labels: ReadonlyMap<string, string>;
  /** Nothing that loses the guest is done to it: neither deleting nor replacing. */
  readonly protect: boolean;
  /** Started only after these run. Names of the same partition, without cycles. */
  readonly startAfter: readonly SecondaryName[];
}

export interface DesiredState {
  readonly partition: PartitionName;
  readonly secondaries: ReadonlyMap<SecondaryName, Secondary>;
}

/** The files of the partition's store that a Secondary cannot run without, in a fixed order. */
export function filesOf(boot: Boot): readonly FileName[] {
  switch (boot.kind) {
    case 'kernel':
      return boot.initrd === null ? [boot.kernel] : [boot.kernel, boot.initrd];
    case 'disk':
      return [boot.file];
  }
}
