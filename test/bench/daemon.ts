/** A real `unnestd` to be measured, with one partition that is submitted over the operators' socket. */
import type { PartitionName } from '../../src/model/names.ts';
import { daemonPlace, type RealDaemon } from '../support/daemon.ts';
import { opened, statusOf } from '../support/daemon-says.ts';
import { until } from '../support/until.ts';

export interface MeasuredDaemon {
  readonly daemon: RealDaemon;
  /** @returns once it is in force */
  submit(text: string): Promise<void>;
  /** Everything is as it was submitted, and this many Secondaries are there. */
  synced(count: number): Promise<void>;
  end(): void;
}

/** Logs as it does by default. @param stateDir default: one of its own */
export async function measuredDaemon(
  partition: PartitionName,
  stateDir?: string,
): Promise<MeasuredDaemon> {
  const place = daemonPlace({ logLevel: 'info', ...(stateDir !== undefined && { stateDir }) });
  place.describe(partition, 'Apply');
  const daemon = await place.start();
  await opened(daemon, partition);
  return {
    daemon,
    submit: async (text) => {
      const files = text === '' ? [] : [{ path: 'secondaries.yaml', text }];
      const submission = { files, deleteEverything: true };
      await daemon.api.submit(partition, submission, AbortSignal.timeout(60_000));
    },
    synced: async (count) => {
      await until(
        `${count} Secondaries are synced`,
        () => statusOf(daemon, partition),
        (seen) => seen?.sync === 'Synced' && seen.secondaries.length === count,
      );
    },
    // What it has made goes with the rig.
    end: () => void place.end(),
  };
}

/** Of a counter, or of a histogram's count, the sum over all labels that match. */
export async function counted(daemon: RealDaemon, series: RegExp): Promise<number> {
  const lines = (await daemon.metrics()).split('\n').filter((line) => series.test(line));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
