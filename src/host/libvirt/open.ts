/** A host by its libvirt URI: a view that cannot write, or the whole. */
import { type Connection, connect, connectReadOnly } from '../../libvirt/index.ts';
import type { PartitionName } from '../../model/names.ts';
import type { ThinPool } from '../../model/thin-pool.ts';
import { diskCare, diskPlaces } from '../local/disk-places.ts';
import { localFilterReader, localFilters } from '../local/filters.ts';
import { localImageDiskReader, localImageDisks } from '../local/image-disk.ts';
import { localImageReader, localImages } from '../local/images.ts';
import { localIntakeReader, localIntakes } from '../local/intakes.ts';
import { localInstallation } from '../local/installation.ts';
import { storeLayout } from '../local/layout.ts';
import { localSeedReader, localSeeds } from '../local/seeds.ts';
import { localSliceReader, localSlices, machineSlices, type SlicePlaces } from '../local/slices.ts';
import { localStore } from '../local/store.ts';
import { localVolumeReader, localVolumes } from '../local/volumes.ts';
import type { Host, HostView } from '../ports.ts';
import { domainReader } from './domain-reader.ts';
import { domainWriter } from './domain-writer.ts';
import { calling } from './host-error-from.ts';
import { networkReader } from './network-reader.ts';
import { networkWriter } from './network-writer.ts';
import { primaryReader, primaryWriter } from './primaries.ts';
import { uplinkReader } from './uplinks.ts';

export interface LibvirtTarget {
  readonly uri: string;
  readonly stateDir: string;
  /** Where new Volumes are put; null, or not said: into files. */
  readonly thinPool?: ThinPool | null;
  readonly partition: PartitionName;
}

export interface Open<T> {
  readonly host: T;
  close(): Promise<void>;
}

export async function openLibvirtView(
  target: LibvirtTarget,
  signal: AbortSignal,
): Promise<Open<HostView>> {
  const { uri, stateDir, partition, thinPool = null } = target;
  const connection = await calling(`connecting to ${uri}`, () => connectReadOnly({ uri, signal }));
  return {
    host: {
      domains: domainReader(connection, diskPlaces(stateDir, partition, thinPool)),
      store: localStore(stateDir),
      // Without the writers also at run time.
      volumes: localVolumeReader(stateDir, { thinPool }),
      images: localImageReader(stateDir),
      intakes: localIntakeReader(stateDir),
      imageDisks: localImageDiskReader(stateDir),
      seeds: localSeedReader(stateDir),
      networks: networkReader(connection),
      filters: localFilterReader(),
      slices: localSliceReader(stateDir, slicePlaces(thinPool)),
      primaries: primaryReader(connection),
      uplinks: uplinkReader(connection),
      installation: { read: () => localInstallation(stateDir).read() },
    },
    close: async () => connection.close(),
  };
}

export async function openLibvirtHost(
  target: LibvirtTarget,
  signal: AbortSignal,
): Promise<Open<Host>> {
  const { uri, stateDir, partition, thinPool = null } = target;
  const connection = await calling(`connecting to ${uri}`, () => connect({ uri, signal }));
  return {
    host: hostOn(connection, { stateDir, partition, thinPool }),
    close: async () => connection.close(),
  };
}

function slicePlaces(thinPool: ThinPool | null): SlicePlaces {
  return { ...machineSlices, hasThinPool: thinPool !== null };
}

/** One partition's host, on a connection that may serve others too. */
export function hostOn(
  connection: Connection,
  { stateDir, partition, thinPool = null }: Omit<LibvirtTarget, 'uri'>,
): Host {
  const layout = storeLayout(stateDir, partition);
  const care = diskCare(stateDir, partition, thinPool);
  return {
    domains: { ...domainReader(connection, care), ...domainWriter(connection, care) },
    store: localStore(stateDir),
    volumes: localVolumes(stateDir, { thinPool }),
    images: localImages(stateDir),
    intakes: localIntakes(stateDir),
    imageDisks: localImageDisks(stateDir),
    seeds: localSeeds(stateDir),
    networks: { ...networkReader(connection), ...networkWriter(connection) },
    filters: localFilters(),
    slices: localSlices(stateDir, slicePlaces(thinPool)),
    primaries: { ...primaryReader(connection), ...primaryWriter(connection, layout, partition) },
    uplinks: uplinkReader(connection),
    installation: localInstallation(stateDir),
  };
}
