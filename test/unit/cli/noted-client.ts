/** A client that tells what a command has taken of what the daemon says, and is done with. */
import { type DaemonClient, daemonClient } from '../../../src/channel/client.ts';
import { unixTransport } from '../../../src/channel/client-transport.ts';
import type { EventRecord } from '../../../src/report/event.ts';
import type { PartitionStatus } from '../../../src/report/partition-status.ts';

export type Said = PartitionStatus | EventRecord;

export const isStatus = (said: Said): said is PartitionStatus => 'generation' in said;

export function notedClient(socket: string, note: (said: Said) => void): DaemonClient {
  const client = daemonClient(unixTransport(socket));
  return {
    ...client,
    statuses: async (...args) => eachNoted(await client.statuses(...args), note),
    events: async (...args) => eachNoted(await client.events(...args), note),
  };
}

/** Whoever asks for the next one is done with the one before. */
async function* eachNoted<T>(
  values: AsyncIterable<T>,
  note: (value: T) => void,
): AsyncGenerator<T> {
  for await (const value of values) {
    yield value;
    note(value);
  }
}
