import { storagePool, volume } from './handles.ts';
import { read, slow } from './procedure.ts';
import { i32, string, u32, u64 } from './wire/codec.ts';
import { countedArray, struct } from './wire/combinators.ts';
import { uuid } from './wire/uuid.ts';

/** Storage pools and volumes. Numbers as in libvirt's remote protocol. */
const transfer = struct({ volume, offsetBytes: u64, lengthBytes: u64, flags: u32 });

export const storageProcedures = {
  refreshPool: slow('storage_pool_refresh', 83, struct({ pool: storagePool, flags: u32 })),
  lookupPoolByName: read('storage_pool_lookup_by_name', 84, string, storagePool),
  lookupPoolByUuid: read('storage_pool_lookup_by_uuid', 85, uuid, storagePool),
  poolInfo: read(
    'storage_pool_get_info',
    87,
    struct({ pool: storagePool }),
    struct({ state: u32, capacityBytes: u64, allocationBytes: u64, availableBytes: u64 }),
  ),
  poolXml: read('storage_pool_get_xml_desc', 88, struct({ pool: storagePool, flags: u32 }), string),
  lookupVolumeByName: read(
    'storage_vol_lookup_by_name',
    95,
    struct({ pool: storagePool, name: string }),
    volume,
  ),
  lookupVolumeByPath: read('storage_vol_lookup_by_path', 97, string, volume),
  volumeInfo: read(
    'storage_vol_get_info',
    98,
    struct({ volume }),
    struct({ type: i32, capacityBytes: u64, allocationBytes: u64 }),
  ),
  volumeXml: read('storage_vol_get_xml_desc', 99, struct({ volume, flags: u32 }), string),
  volumePath: read('storage_vol_get_path', 100, struct({ volume }), string),
  upload: slow('storage_vol_upload', 208, transfer),
  download: slow('storage_vol_download', 209, transfer),
  pools: read(
    'connect_list_all_storage_pools',
    281,
    struct({ wantsResults: i32, flags: u32 }),
    countedArray(storagePool),
  ),
  volumes: read(
    'storage_pool_list_all_volumes',
    282,
    struct({ pool: storagePool, wantsResults: i32, flags: u32 }),
    countedArray(volume),
  ),
};
