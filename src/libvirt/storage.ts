import type { Readable, Writable } from 'node:stream';
import type { CallOptions } from './call-options.ts';
import type { Caller } from './caller.ts';
import { flagSet, type OptionsOf } from './flags.ts';
import type { StoragePool, StorageVolume } from './handles.ts';
import { nameOf } from './named.ts';
import { storageProcedures as procedures } from './procedures-storage.ts';

const listFlags = flagSet({
  inactive: 1,
  active: 2,
  persistent: 4,
  transient: 8,
  autostart: 16,
  noAutostart: 32,
});
export type ListPoolsOptions = OptionsOf<typeof listFlags> & CallOptions;

const poolStates = ['inactive', 'building', 'running', 'degraded', 'inaccessible'] as const;
const volumeTypes = ['file', 'block', 'dir', 'network', 'netdir', 'ploop'] as const;

/** Which part of a volume; the whole of it by default. */
export interface TransferOptions extends CallOptions {
  readonly offsetBytes?: number | bigint;
  /** 0, the default, for all up to the end. */
  readonly lengthBytes?: number | bigint;
}

/** Reading methods of `connection.storage`. */
export function storageReads({ call }: Pick<Caller, 'call'>) {
  return {
    pools: (options: ListPoolsOptions = {}) =>
      call(procedures.pools, { wantsResults: 1, flags: listFlags(options) }, options),
    lookupPoolByName: (name: string, options?: CallOptions) =>
      call(procedures.lookupPoolByName, name, options),
    lookupPoolByUuid: (uuid: string, options?: CallOptions) =>
      call(procedures.lookupPoolByUuid, uuid, options),
    poolXml: (pool: StoragePool, options?: CallOptions) =>
      call(procedures.poolXml, { pool, flags: 0 }, options),
    poolInfo: async (pool: StoragePool, options?: CallOptions) => {
      const info = await call(procedures.poolInfo, { pool }, options);
      return { ...info, state: nameOf(poolStates, info.state) };
    },
    volumes: (pool: StoragePool, options?: CallOptions) =>
      call(procedures.volumes, { pool, wantsResults: 1, flags: 0 }, options),
    lookupVolumeByName: (pool: StoragePool, name: string, options?: CallOptions) =>
      call(procedures.lookupVolumeByName, { pool, name }, options),
    lookupVolumeByPath: (path: string, options?: CallOptions) =>
      call(procedures.lookupVolumeByPath, path, options),
    volumeXml: (volume: StorageVolume, options?: CallOptions) =>
      call(procedures.volumeXml, { volume, flags: 0 }, options),
    volumePath: (volume: StorageVolume, options?: CallOptions) =>
      call(procedures.volumePath, { volume }, options),
    volumeInfo: async (volume: StorageVolume, options?: CallOptions) => {
      const info = await call(procedures.volumeInfo, { volume }, options);
      return { ...info, type: nameOf(volumeTypes, info.type) };
    },
  };
}

/** Methods of `connection.storage` that a read-only connection does not have. */
export function storageWrites({ call, openStream }: Caller) {
  return {
    /** Looks anew at what is in the pool. */
    refreshPool: (pool: StoragePool, options?: CallOptions) =>
      call(procedures.refreshPool, { pool, flags: 0 }, options),
    /** A stream of the volume's bytes. */
    download: (volume: StorageVolume, options: TransferOptions = {}): Promise<Readable> =>
      openStream(procedures.download, transfer(volume, options), 'read', options),
    /** A stream into the volume; `finish` means that libvirtd has it all. */
    upload: (volume: StorageVolume, options: TransferOptions = {}): Promise<Writable> =>
      openStream(procedures.upload, transfer(volume, options), 'write', options),
  };
}

function transfer(volume: StorageVolume, { offsetBytes = 0, lengthBytes = 0 }: TransferOptions) {
  return { volume, offsetBytes: BigInt(offsetBytes), lengthBytes: BigInt(lengthBytes), flags: 0 };
}
