/** What was said of a partition before something is asked for is told apart from what comes of it by its last pass. */
import type { DaemonClient } from '../channel/client.ts';
import type { PartitionName } from '../model/names.ts';
import { withinLimits } from './daemon.ts';
import type { Limits } from './pass.ts';

/** @returns when the last pass has ended; null: there was none yet */
export async function lastPassOf(
  { client, partition }: { readonly client: DaemonClient; readonly partition: PartitionName },
  limits: Limits,
): Promise<string | null> {
  const asking = client.status(partition, limits.stop);
  const { lastPass } = await withinLimits(limits, 'the status was read', asking);
  return lastPass?.at ?? null;
}
