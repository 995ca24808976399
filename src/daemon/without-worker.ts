/** A slice goes only when nobody is in it, and nothing that is taken away waits for a worker. */
import type { Host } from '../host/ports.ts';
import type { PartitionName } from '../model/names.ts';
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
