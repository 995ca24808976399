/** What the partitions of a host were promised of it altogether, as plain data. */
import type { HostSize } from '../model/domain.ts';
import type { PartitionName } from '../model/names.ts';
import type { Observation } from '../model/observation.ts';
import type { Claims } from '../partition/host-fit.ts';
import { capacityOf, type CapacityName, type HostRules } from '../partition/host-room.ts';

/** Of CPUs, or of bytes. */
export interface SumLine {
  readonly promised: number;
  /** What may be promised; null, as all behind it: what the host has could not be read. */
  readonly available: number | null;
  readonly there: number | null;
  readonly reserved: number;
  readonly factor: number;
}

export interface HostSum {
  readonly vcpus: SumLine;
  readonly memoryBytes: SumLine;
  /** Without limits, so that they count with nothing. */
  readonly unlimited: readonly PartitionName[];
  /** Described, and without the share that they ask for. */
  readonly waiting: readonly PartitionName[];
}

export function hostSum(
  promised: Claims,
  host: Observation<HostSize>,
  rules: HostRules,
  names: Pick<HostSum, 'unlimited' | 'waiting'>,
): HostSum {
  const line = (name: CapacityName): SumLine => {
    const sum = [...promised.values()].reduce((total, claim) => total + claim[name], 0);
    const factor = name === 'vcpus' ? rules.overcommit.vcpus : rules.overcommit.memory;
    const reserved = rules.reserved[name];
    if (host.status !== 'present') {
      return { promised: sum, available: null, there: null, reserved, factor };
    }
    const { available, there } = capacityOf(name, host.value, rules);
    return { promised: sum, available, there, reserved, factor };
  };
  return { vcpus: line('vcpus'), memoryBytes: line('memoryBytes'), ...names };
}

/** What there is too much promised of: promises are kept also where the host has become smaller. */
export function overPromised(sum: HostSum): readonly CapacityName[] {
  return (['vcpus', 'memoryBytes'] as const).filter((name) => {
    const { promised, available } = sum[name];
    return available !== null && promised > available;
  });
}
