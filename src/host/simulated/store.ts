/** The files in a simulated host's stores. */
import { FILE_NAME_PATTERN, type PartitionName } from '../../model/names.ts';
import { absent, present } from '../../model/observation.ts';
import type { StoreReader } from '../ports.ts';
import type { Simulation } from './host.ts';
import type { SimulatedFile, World } from './world.ts';

/**
 * `listed`: a store holds what the world lists for its partition. `any`: whatever file a document
 * names is there, which is what somebody wants who tries a document out and has no kernels.
 */
export type FilesMode = 'any' | 'listed';

export function storeReader({ faults, files, read }: Simulation): StoreReader {
  return {
    size: (partition, name) =>
      faults.carryOut('size', [name], null, {
        whole: async () => {
          const file = fileIn(await read(), files, partition, name);
          return file === null ? absent : present(file.bytes);
        },
      }),
    catalogueSize: (name) =>
      faults.carryOut('catalogueSize', [name], null, {
        whole: async () => {
          const file = catalogueFileIn(await read(), files, name);
          return file === null ? absent : present(file.bytes);
        },
      }),
  };
}

export function fileIn(
  { files }: World,
  mode: FilesMode,
  partition: PartitionName,
  name: string,
): SimulatedFile | null {
  const listed = files.get(partition)?.get(name);
  if (listed !== undefined) return listed;
  return mode === 'any' && FILE_NAME_PATTERN.test(name) ? anyFile : null;
}

export function catalogueFileIn(
  { catalogue }: World,
  mode: FilesMode,
  name: string,
): SimulatedFile | null {
  const listed = catalogue.get(name);
  if (listed !== undefined) return listed;
  return mode === 'any' && FILE_NAME_PATTERN.test(name) ? anyFile : null;
}

/** As good as any: a small disk, or a large kernel. */
const anyFile: SimulatedFile = { bytes: 64 * 2 ** 20, digest: null };
