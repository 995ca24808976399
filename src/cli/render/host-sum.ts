/** What the partitions were promised of their host: the end of `unnest status`, a line of `unnest doctor`. */
import { formatApproximately } from '../../model/sizes.ts';
import { type HostSum, overPromised, type SumLine } from '../../report/host-sum.ts';
import { printable } from './paint.ts';

export function renderHostSum(sum: HostSum): string {
  return [...sumLines(sum), ...countedNot(sum)].map((line) => `${line}\n`).join('');
}

/** What `unnest doctor` says, without the lines. */
export function sumFinding(sum: HostSum): string {
  return [...sumLines(sum), ...countedNot(sum)].join('; ');
}

/** Whether somebody has to do something about it. */
export function isOver(sum: HostSum): boolean {
  return overPromised(sum).length > 0 || (sum.waiting ?? []).length > 0;
}

function sumLines({ vcpus, memoryBytes }: HostSum): readonly string[] {
  return [
    `promised: ${lineOf(vcpus, String)} vCPUs`,
    `promised: ${lineOf(memoryBytes, formatApproximately)} of memory`,
  ];
}

function lineOf(line: SumLine, show: (amount: number) => string): string {
  const { promised, available, there, reserved, factor } = line;
  if (available === null || there === null) return `${show(promised)} of an unknown number of`;
  const kept = reserved === 0 ? '' : ` less ${show(reserved)}`;
  return `${show(promised)} of ${show(available)} (${show(there)}${kept}, times ${factor})`;
}

/** A daemon of another version may not say who. */
function countedNot({ unlimited = [], waiting = [] }: Partial<HostSum>): readonly string[] {
  const names = (all: readonly string[]) => all.map((name) => printable(name)).join(', ');
  return [
    ...(waiting.length === 0 ? [] : [`not counted, as the host has no room: ${names(waiting)}`]),
    ...(unlimited.length === 0 ? [] : [`not counted, without limits: ${names(unlimited)}`]),
  ];
}
