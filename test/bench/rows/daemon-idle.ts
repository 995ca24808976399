/**
 * What the daemon costs while nothing happens: its share of one core over ten minutes, in which it
 * also looks at everything by itself, and the most memory that it had; its workers, while there are
 * any, included in the one and told apart in the other.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { descendantsOf, statFields } from '../../support/processes.ts';
import { measuredDaemon } from '../daemon.ts';
import { documentsOf, type Partition } from '../partition.ts';
import { type Row, rowOf } from '../row.ts';

const count = 1000;
const seconds = 600;
const lookEverySeconds = 10;

export async function daemonIdle(partition: Partition): Promise<readonly Row[]> {
  await partition.converge({ count, runPolicy: 'Halted' });
  const measured = await measuredDaemon(partition.name, partition.stateDir);
  try {
    await measured.submit(documentsOf({ count, runPolicy: 'Halted' }));
    await measured.synced(count);
    return rowsOf(await watch(measured.daemon.pid));
  } finally {
    measured.end();
  }
}

interface Seen {
  /** Of one core. */
  readonly cpuPercent: number;
  readonly daemonMegabytes: readonly number[];
  readonly workersMegabytes: readonly number[];
}

async function watch(pid: number): Promise<Seen> {
  const seen = { daemonMegabytes: [] as number[], workersMegabytes: [] as number[] };
  /** Of each, what it has used by now; one that has ended keeps what it had. */
  const ticks = new Map<number, number>();
  const look = () => {
    const workers = descendantsOf(pid);
    for (const each of [pid, ...workers]) ticks.set(each, ticksOf(each) ?? ticks.get(each) ?? 0);
    seen.daemonMegabytes.push(residentMegabytes(pid));
    seen.workersMegabytes.push(workers.reduce((sum, each) => sum + residentMegabytes(each), 0));
    return [...ticks.values()].reduce((sum, each) => sum + each, 0);
  };
  const before = look();
  const startedMs = performance.now();
  for (let past = 0; past < seconds; past += lookEverySeconds) {
    await sleep(lookEverySeconds * 1000);
    look();
  }
  const usedSeconds = (look() - before) / ticksPerSecond;
  const cpuPercent = (usedSeconds / ((performance.now() - startedMs) / 1000)) * 100;
  return { ...seen, cpuPercent };
}

function rowsOf({ cpuPercent, daemonMegabytes, workersMegabytes }: Seen): readonly Row[] {
  const name = 'daemon-idle-1000';
  const most = { unit: 'MB', percentile: 100 } as const;
  return [
    rowOf(
      {
        name: `${name}, CPU of a core`,
        samples: { values: [cpuPercent] },
        unit: '%',
        target: { of: 'value', max: 1 },
      },
      null,
    ),
    rowOf(
      {
        name: `${name}, RSS`,
        samples: { values: daemonMegabytes },
        ...most,
        target: { of: 'value', max: 150 },
      },
      null,
    ),
    rowOf(
      { name: `${name}, RSS of workers`, samples: { values: workersMegabytes }, ...most },
      null,
    ),
  ];
}

/** USER_HZ, which is 100 on every machine that Node runs on. */
const ticksPerSecond = 100;

/** Time in user and kernel mode: fields 14 and 15, of which `statFields` leaves out two. */
function ticksOf(pid: number): number | null {
  const fields = statFields(pid);
  return fields === null ? null : Number(fields[11]) + Number(fields[12]);
}

function residentMegabytes(pid: number): number {
  try {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return (Number(line?.[1] ?? 0) * 1024) / 1e6;
  } catch {
    return 0; // It has ended since it was listed.
  }
}
