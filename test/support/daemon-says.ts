/** What a real `unnestd` says of its partitions, and waiting until it says what it should. */
import { DaemonError } from '../../src/channel/daemon-error.ts';
import type { PartitionName } from '../../src/model/names.ts';
import type { Condition, ConditionType } from '../../src/report/condition.ts';
import type { PartitionStatus } from '../../src/report/partition-status.ts';
import type { RealDaemon } from './daemon.ts';
import { until } from './until.ts';

export function condition(
  status: PartitionStatus | null,
  type: ConditionType,
): Condition | undefined {
  return status?.conditions.find((each) => each.type === type);
}

/** For all the guests of a partition to start, on a slow machine, beside those of other tests. */
const patience = { msMax: 100_000, everyMs: 20 };

/** These are all there is, and they are as their documents say, by the API. */
export function synced(daemon: RealDaemon, partition: string, secondaries: readonly string[]) {
  const wanted = [...secondaries].sort().join(' ');
  return until(
    `${partition} is synced with ${wanted}`,
    () => statusOf(daemon, partition),
    (status) =>
      status?.sync === 'Synced' && status.secondaries.map(({ name }) => name).join(' ') === wanted,
    patience,
  );
}

/** Submissions are taken, and it can be asked about. */
export async function opened(daemon: RealDaemon, partition: string): Promise<void> {
  const accepted = async () => condition(await statusOf(daemon, partition), 'Accepted')?.reason;
  await until(
    `${partition} is open`,
    accepted,
    (reason) => ![undefined, 'NotOpen'].includes(reason),
  );
}

/** By the API; null: the daemon does not know the partition, or not yet. */
export async function statusOf(
  daemon: RealDaemon,
  partition: string,
): Promise<PartitionStatus | null> {
  try {
    return await daemon.api.status(partitionNamed(partition), AbortSignal.timeout(60_000));
  } catch (error) {
    if (error instanceof DaemonError && error.code === 'NoPartition') return null;
    throw error;
  }
}

/** Of a partition's name in a test, which is well formed. */
export function partitionNamed(name: string): PartitionName {
  return name as PartitionName;
}
