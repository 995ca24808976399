import { domain } from './handles.ts';
import { read, slow, write } from './procedure.ts';
import { i32, opaque, string, u32, u64, u64Compact } from './wire/codec.ts';
import { array, optional, struct } from './wire/combinators.ts';
import { paramList, paramMap } from './wire/typed-params.ts';

/** Domains: memory, vCPUs, devices and limits. Numbers as in libvirt's remote protocol. */
const params = struct({ domain, params: paramList, flags: u32 });
const paramsOfDevice = struct({ domain, device: string, params: paramList, flags: u32 });
const getParams = struct({ domain, count: i32, flags: u32 });
const gotParams = struct({ params: paramMap, count: i32 });
const device = struct({ domain, xml: string, flags: u32 });

export const tuningProcedures = {
  memoryStats: read(
    'domain_memory_stats',
    159,
    struct({ domain, countMax: u32, flags: u32 }),
    array(struct({ tag: i32, value: u64Compact })),
  ),
  attachDevice: slow('domain_attach_device_flags', 160, device),
  detachDevice: slow('domain_detach_device_flags', 161, device),
  updateDevice: slow('domain_update_device_flags', 174, device),
  blockInfo: read(
    'domain_get_block_info',
    194,
    struct({ domain, disk: string, flags: u32 }),
    struct({ allocationBytes: u64, capacityBytes: u64, physicalBytes: u64 }),
  ),
  setMemoryParams: write('domain_set_memory_parameters', 197, params),
  memoryParams: read('domain_get_memory_parameters', 198, getParams, gotParams),
  setVcpus: slow('domain_set_vcpus_flags', 199, struct({ domain, vcpus: u32, flags: u32 })),
  vcpus: read('domain_get_vcpus_flags', 200, struct({ domain, flags: u32 }), i32),
  setMemory: slow(
    'domain_set_memory_flags',
    204,
    struct({ domain, memoryKiB: u64Compact, flags: u32 }),
  ),
  setBlkioParams: write('domain_set_blkio_parameters', 205, params),
  blkioParams: read('domain_get_blkio_parameters', 206, getParams, gotParams),
  setSchedulerParams: write('domain_set_scheduler_parameters_flags', 219, params),
  schedulerParams: read('domain_get_scheduler_parameters_flags', 223, getParams, paramMap),
  pinVcpu: write(
    'domain_pin_vcpu_flags',
    225,
    struct({ domain, vcpu: u32, cpuMap: opaque, flags: u32 }),
  ),
  blockResize: slow(
    'domain_block_resize',
    251,
    struct({ domain, disk: string, size: u64, flags: u32 }),
  ),
  setBlockIoTune: write('domain_set_block_io_tune', 252, paramsOfDevice),
  blockIoTune: read(
    'domain_get_block_io_tune',
    253,
    struct({ domain, device: optional(string), count: i32, flags: u32 }),
    gotParams,
  ),
  setNumaParams: slow('domain_set_numa_parameters', 254, params),
  numaParams: read('domain_get_numa_parameters', 255, getParams, gotParams),
  setInterfaceParams: write('domain_set_interface_parameters', 256, paramsOfDevice),
  interfaceParams: read(
    'domain_get_interface_parameters',
    257,
    struct({ domain, device: string, count: i32, flags: u32 }),
    gotParams,
  ),
  pinEmulator: write('domain_pin_emulator', 279, struct({ domain, cpuMap: opaque, flags: u32 })),
  setMemoryStatsPeriod: write(
    'domain_set_memory_stats_period',
    308,
    struct({ domain, periodSeconds: i32, flags: u32 }),
  ),
  setVcpu: slow('domain_set_vcpu', 384, struct({ domain, vcpus: string, state: i32, flags: u32 })),
  detachDeviceAlias: slow(
    'domain_detach_device_alias',
    392,
    struct({ domain, alias: string, flags: u32 }),
  ),
  setLaunchSecurityState: slow('domain_set_launch_security_state', 439, params),
};
