/**
 * From a submission until unnestd is done with it: events are told as they come, and statuses say
 * when that is, once they speak of the new documents.
 */
import type { DaemonClient } from '../channel/client.ts';
import { DaemonError } from '../channel/daemon-error.ts';
import type { PartitionName } from '../model/names.ts';
import type { EventRecord } from '../report/event.ts';
import type { PartitionStatus } from '../report/partition-status.ts';
import { settledIn, type Settled } from './settled.ts';

export type Followed =
  | {
      readonly status: 'settled';
      readonly settled: Exclude<Settled, { status: 'moving' }>;
      readonly partition: PartitionStatus;
    }
  /** The signal has fired. */
  | { readonly status: 'left'; readonly now: string };

export interface Following {
  readonly partition: PartitionName;
  /** Of the documents that are meant. */
  readonly generation: number;
  /** When the last pass that does not count has ended; null: every one counts. */
  readonly after: string | null;
  readonly onEvent: (record: EventRecord) => void;
  /** What is still to be done, in words, whenever that may have changed. */
  readonly onNow: (now: string) => void;
}

/**
 * @param events from before the submission on, so that nothing is missed
 * @throws DaemonError
 */
export async function follow(
  client: DaemonClient,
  events: AsyncIterable<EventRecord>,
  following: Following,
  stop: AbortSignal,
): Promise<Followed> {
  const done = new AbortController();
  const ends = AbortSignal.any([stop, done.signal]);
  const progress = progressOf(following);
  try {
    const statuses = await client.statuses(following.partition, ends).catch(goneIf(stop));
    if (statuses === null) return { status: 'left', now: progress.now() };
    const settled = await Promise.race([
      untilSettled(statuses, (status) => progress.see(status)),
      untilSettled(events, (record) => progress.note(record)),
    ]);
    if (settled !== null) return settled;
    if (stop.aborted) return { status: 'left', now: progress.now() };
    throw new DaemonError('Broken', 'unnestd has ended, or has lost the partition, meanwhile');
  } finally {
    done.abort();
  }
}

/** Null where whoever asks has gone while they were waiting for the answer. */
function goneIf(stop: AbortSignal): (error: unknown) => null {
  return (error) => {
    if (stop.aborted && error instanceof DaemonError && error.code === 'Cancelled') return null;
    throw error;
  };
}

/** Null when there is no more to come. */
async function untilSettled<T>(
  values: AsyncIterable<T>,
  take: (value: T) => Followed | null,
): Promise<Followed | null> {
  for await (const value of values) {
    const followed = take(value);
    if (followed !== null) return followed;
  }
  return null;
}

interface Progress {
  note(record: EventRecord): Followed | null;
  see(status: PartitionStatus): Followed | null;
  /** In words: what is still to be done. */
  now(): string;
}

function progressOf({ partition, generation, after, onEvent, onNow }: Following): Progress {
  let status: PartitionStatus | null = null;
  /** Null: what is said is not about these documents yet. */
  const current = (): Settled | null => {
    if (status === null || status.observedGeneration < generation) return null;
    const isOld = after !== null && status.lastPass?.at === after;
    return isOld ? null : settledIn(status);
  };
  const now = () => {
    const settled = current();
    return settled?.status === 'moving' ? settled.now : 'unnestd is at work on it';
  };
  return {
    note: (record) => {
      onEvent(record);
      const { event } = record;
      if ('partition' in event && event.partition === partition) onNow(now());
      return null;
    },
    see: (seen) => {
      status = seen;
      onNow(now());
      const settled = current();
      if (settled === null || settled.status === 'moving') return null;
      return { status: 'settled', settled, partition: seen };
    },
    now,
  };
}
