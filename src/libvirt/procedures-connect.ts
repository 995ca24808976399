import { read, slow } from './procedure.ts';
import { flag, i32, nothing, string, u32, u64, u64Compact } from './wire/codec.ts';
import { array, optional, struct } from './wire/combinators.ts';
import { charArray } from './char-array.ts';

/** Procedures about the connection and the host. */
export const connectProcedures = {
  open: read('connect_open', 1, struct({ uri: optional(string), flags: u32 }), nothing),
  hypervisorVersion: read('connect_get_version', 4, nothing, u64),
  nodeInfo: read(
    'node_get_info',
    6,
    nothing,
    struct({
      cpuModel: charArray(32),
      memoryKiB: u64Compact,
      cpus: i32,
      cpuMhz: i32,
      numaNodes: i32,
      socketsPerNode: i32,
      coresPerSocket: i32,
      threadsPerCore: i32,
    }),
  ),
  capabilities: read('connect_get_capabilities', 7, nothing, string),
  hostname: read('connect_get_hostname', 59, nothing, string),
  supportsFeature: read('connect_supports_feature', 60, i32, flag),
  authList: read('auth_list', 66, nothing, array(u32)),
  authPolkit: read('auth_polkit', 70, nothing, flag),
  freeMemory: read('node_get_free_memory', 102, nothing, u64Compact),
  uri: read('connect_get_uri', 110, nothing, string),
  libvirtVersion: read('connect_get_lib_version', 157, nothing, u64),
  // libvirtd denies it to read-only connections, since QEMU may have to be run for the answer.
  domainCapabilities: slow(
    'connect_get_domain_capabilities',
    342,
    struct({
      emulator: optional(string),
      architecture: optional(string),
      machine: optional(string),
      virtType: optional(string),
      flags: u32,
    }),
    string,
  ),
  registerCloseCallback: read('connect_register_close_callback', 360, nothing, nothing),
  unregisterCloseCallback: read('connect_unregister_close_callback', 361, nothing, nothing),
};

/** Numbers for `connect_supports_feature`. */
export const features = { keepalive: 10, closeCallback: 15, networkUpdateOrder: 16 } as const;
