/** What partitions use, as a table with bars: what is really used, allocated, and allowed. */
import { formatApproximately, formatSize } from '../../model/sizes.ts';
import type { Amounts } from '../../partition/amounts.ts';
import { bar } from './bar.ts';
import { printable } from './paint.ts';
import { renderTable } from './table.ts';

export interface Used {
  readonly partition: string;
  /** CPUs that were busy for it, on average; null where no slice counts them. */
  readonly cpus: number | null;
  readonly memoryBytes: number | null;
  readonly processes: number | null;
  readonly allocated: Amounts;
  readonly limits: Amounts | null;
  /** Those that run, if they were asked for. */
  readonly secondaries?: readonly UsedByGuest[];
}

export interface UsedByGuest {
  readonly name: string;
  /** Null: not known yet. */
  readonly cpus: number | null;
  /** What its process has of the host's; null: not known. */
  readonly memoryBytes: number | null;
  readonly vcpus: number | null;
  /** What the guest was given. */
  readonly givenBytes: number | null;
}

export function renderTop(all: readonly Used[]): string {
  return renderTable(
    ['PARTITION', '', 'USED', 'ALLOCATED', 'LIMIT', ''],
    all.flatMap(({ partition, cpus, memoryBytes, allocated, limits, secondaries = [] }) => [
      row(printable(partition), 'vCPUs', cpus, allocated.vcpus, limits?.vcpus, shownCpus, String),
      row(
        '',
        'memory',
        memoryBytes,
        allocated.memoryBytes,
        limits?.memoryBytes,
        formatApproximately,
        formatSize,
      ),
      row(
        '',
        'storage',
        null,
        allocated.storageBytes,
        limits?.storageBytes,
        formatSize,
        formatSize,
      ),
      ...secondaries.flatMap(guestRows),
    ]),
  );
}

/** Its bars show what it uses of what it was given. */
function guestRows(guest: UsedByGuest): readonly (readonly string[])[] {
  const { vcpus, givenBytes } = guest;
  const cpus = guest.cpus === null ? '-' : shownCpus(guest.cpus);
  const memory = guest.memoryBytes === null ? '-' : formatApproximately(guest.memoryBytes);
  return [
    [
      `  ${printable(guest.name)}`,
      'vCPUs',
      cpus,
      vcpus === null ? '-' : String(vcpus),
      '',
      vcpus === null ? '' : bar(guest.cpus ?? 0, vcpus),
    ],
    [
      '',
      'memory',
      memory,
      givenBytes === null ? '-' : formatSize(givenBytes),
      '',
      givenBytes === null ? '' : bar(guest.memoryBytes ?? 0, givenBytes),
    ],
  ];
}

const shownCpus = (cpus: number) => cpus.toFixed(2);

function row(
  name: string,
  what: string,
  used: number | null,
  allocated: number,
  limit: number | undefined,
  showUsed: (amount: number) => string,
  show: (amount: number) => string,
): readonly string[] {
  return [
    name,
    what,
    used === null ? '-' : showUsed(used),
    show(allocated),
    limit === undefined ? '-' : show(limit),
    limit === undefined ? '' : bar(used ?? allocated, limit),
  ];
}
