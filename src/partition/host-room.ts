/**
 * What a host has to give: its CPUs and memory less what the operator keeps for the host itself,
 * times the factor by which more may be promised than there is. Sums are of whole numbers of any
 * size: 4,096 partitions of 16 TiB are more bytes than a double can tell apart.
 */
import type { HostSize } from '../model/domain.ts';

export interface HostRules {
  /** What no partition is promised. */
  readonly reserved: { readonly vcpus: number; readonly memoryBytes: number };
  /** From 1, with two decimals at most. */
  readonly overcommit: { readonly vcpus: number; readonly memory: number };
}

/** What can be promised up to an amount. */
export type CapacityName = 'vcpus' | 'memoryBytes';

export interface Capacity {
  /** What the host has. */
  readonly there: number;
  readonly reserved: number;
  readonly factor: number;
  /** What may be promised altogether, in whole units, rounded down. */
  readonly available: number;
}

/** More is no promise any more. */
export const overcommitMax = 100;

export function capacityOf(name: CapacityName, size: HostSize, rules: HostRules): Capacity {
  const isVcpus = name === 'vcpus';
  const there = isVcpus ? size.cpus : size.memoryBytes;
  const reserved = rules.reserved[name];
  const factor = isVcpus ? rules.overcommit.vcpus : rules.overcommit.memory;
  const available = Number((giveable(there, reserved) * hundredthsOf(factor)) / 100n);
  return { there, reserved, factor, available };
}

/** The least factor with which so much could be promised; null: none could. */
export function factorFor(wanted: bigint, { there, reserved }: Capacity): number | null {
  const base = giveable(there, reserved);
  if (base === 0n) return null;
  const hundredths = (wanted * 100n + base - 1n) / base;
  return hundredths > BigInt(overcommitMax * 100) ? null : Number(hundredths) / 100;
}

function giveable(there: number, reserved: number): bigint {
  return BigInt(Math.max(0, Math.floor(there) - reserved));
}

/** 1.1 is no number of a double; 110 is. */
function hundredthsOf(factor: number): bigint {
  return BigInt(Math.round(factor * 100));
}
