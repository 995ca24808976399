/**
 * Where a partition is in the API of whoever answers. Operators name it; a Primary has one, which it
 * cannot name, so that asking there for another one is found out here.
 */
import type { PartitionName } from '../model/names.ts';
import { type About, primaryAt } from './client-answers.ts';
import { DaemonError } from './daemon-error.ts';
import type { ApiFeature, EventsQuery } from './messages.ts';

export interface ClientPlaces {
  /** The only one that can be asked about; null: any. */
  own(signal: AbortSignal): Promise<PartitionName | null>;
  /** @throws DaemonError `NoPartition` */
  of(name: PartitionName, signal: AbortSignal): Promise<string>;
  events(query: EventsQuery, signal: AbortSignal): Promise<string>;
  /** Whether whoever answers has something that was added. */
  can(feature: ApiFeature, signal: AbortSignal): Promise<boolean>;
}

export function clientPlaces(about: (signal: AbortSignal) => Promise<About>): ClientPlaces {
  let known: About | undefined;
  const own = async (signal: AbortSignal) => {
    known ??= await about(signal);
    return known.partition;
  };
  const of = async (name: PartitionName, signal: AbortSignal) => {
    const before = await own(signal);
    // It may have been given to another partition since.
    if (before !== null && before !== name) known = undefined;
    const only = await own(signal);
    // Nothing in a name needs quoting.
    if (only === null) return `/v1/partitions/${name}`;
    if (only === name) return primaryAt;
    throw new DaemonError('NoPartition', `this is the Primary of ${only}, and knows no ${name}`);
  };
  return {
    own,
    of,
    can: async (feature, signal) => {
      known ??= await about(signal);
      return known.features.includes(feature);
    },
    events: async (query, signal) => {
      const only = await own(signal);
      const { partition = only ?? undefined, ...rest } = query;
      if (only === null) return `/v1/events?${queryOf({ ...query })}`;
      return `${await of(partition ?? only, signal)}/events?${queryOf(rest)}`;
    },
  };
}

function queryOf({ after, watch = false, partition }: EventsQuery): string {
  const query = new URLSearchParams();
  if (after !== undefined) query.set('after', `${after}`);
  if (watch) query.set('watch', '1');
  if (partition !== undefined) query.set('partition', partition);
  return query.toString();
}
