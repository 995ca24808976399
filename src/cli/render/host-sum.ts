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
  return [...lineOf(vcpus, 'vCPUs', String), ...lineOf(memoryBytes, 'memory', formatApproximately)];
}

/** None where nobody has asked, so that nobody has looked either. */
function lineOf(line: SumLine, what: string, show: (amount: number) => string): readonly string[] {
  const { promised, available, there, reserved, factor } = line;
  if (available === null || there === null) {
    return promised === 0
      ? []
      : [`${what} promised: ${show(promised)}; the host could not be read`];
  }
  const kept = reserved === 0 ? '' : ` less ${show(reserved)}`;
  const has = `${show(there)}${kept}, times ${factor}`;
  return [`${what} promised: ${show(promised)} of ${show(available)} (${has})`];
}

/** A daemon of another version may not say who. */
function countedNot({ unlimited = [], waiting = [] }: Partial<HostSum>): readonly string[] {
  const names = (all: readonly string[]) => all.map((name) => printable(name)).join(', ');
  return [
    ...(waiting.length === 0 ? [] : [`not counted, as the host has no room: ${names(waiting)}`]),
    ...(unlimited.length === 0 ? [] : [`not counted, without limits: ${names(unlimited)}`]),
  ];
}
