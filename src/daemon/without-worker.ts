/** A slice goes only when nobody is in it, and nothing that is taken away waits for a worker. */
import type { Host } from '../host/ports.ts';
import type { PartitionName } from '../model/names.ts';
import type { ImageFetches } from './image-fetches.ts';
import type { DocumentParser } from './parser.ts';

export function withoutWorker(
  host: Host,
  partition: PartitionName,
  parser: Pick<DocumentParser, 'without'>,
): Host {
  const { slices } = host;
  return {
    ...host,
    slices: {
      ...slices,
      remove: (ref, signal) => parser.without(partition, () => slices.remove(ref, signal)),
    },
  };
}

/** What fetches is in it, too. */
export function withoutFetches(host: Host, fetches: Pick<ImageFetches, 'without'>): Host {
  const { slices } = host;
  const remove: Host['slices']['remove'] = (ref, signal) =>
    fetches.without(() => slices.remove(ref, signal));
  return { ...host, slices: { ...slices, remove } };
}
