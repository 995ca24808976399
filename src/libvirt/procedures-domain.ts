import { checkpoint, domain, snapshot } from './handles.ts';
import { read, slow, write } from './procedure.ts';
import { flag, i32, i64, string, u32, u64, u64Compact } from './wire/codec.ts';
import { array, countedArray, optional, struct } from './wire/combinators.ts';
import { paramMap } from './wire/typed-params.ts';
import { uuid } from './wire/uuid.ts';

/** Domains: finding, reading, defining, running. Numbers as in libvirt's remote protocol. */
const one = struct({ domain });
const withFlags = struct({ domain, flags: u32 });
const xmlWithFlags = struct({ xml: string, flags: u32 });
const listArgs = struct({ wantsResults: i32, flags: u32 });
const listOfDomainArgs = struct({ domain, wantsResults: i32, flags: u32 });

export const domainProcedures = {
  createXml: slow('domain_create_xml', 10, xmlWithFlags, domain),
  xml: read('domain_get_xml_desc', 14, withFlags, string),
  autostart: read('domain_get_autostart', 15, one, flag),
  info: read(
    'domain_get_info',
    16,
    one,
    struct({
      state: u32,
      memoryKiBMax: u64Compact,
      memoryKiB: u64Compact,
      vcpus: u32,
      cpuTimeNs: u64,
    }),
  ),
  lookupById: read('domain_lookup_by_id', 22, i32, domain),
  lookupByName: read('domain_lookup_by_name', 23, string, domain),
  lookupByUuid: read('domain_lookup_by_uuid', 24, uuid, domain),
  reboot: slow('domain_reboot', 27, withFlags),
  resume: slow('domain_resume', 28, one),
  setAutostart: write('domain_set_autostart', 29, struct({ domain, autostart: flag })),
  suspend: slow('domain_suspend', 34, one),
  isActive: read('domain_is_active', 150, one, flag),
  isPersistent: read('domain_is_persistent', 151, one, flag),
  hasManagedSave: read('domain_has_managed_save_image', 183, withFlags, flag),
  removeManagedSave: slow('domain_managed_save_remove', 184, withFlags),
  create: slow('domain_create_with_flags', 196, withFlags, domain),
  openConsole: slow(
    'domain_open_console',
    201,
    struct({ domain, device: optional(string), flags: u32 }),
  ),
  isUpdated: read('domain_is_updated', 202, one, flag),
  state: read('domain_get_state', 212, withFlags, struct({ state: i32, reason: i32 })),
  undefine: slow('domain_undefine_flags', 231, withFlags),
  destroy: slow('domain_destroy_flags', 234, withFlags),
  reset: slow('domain_reset', 245, withFlags),
  shutdown: slow('domain_shutdown_flags', 258, withFlags),
  setMetadata: write(
    'domain_set_metadata',
    264,
    struct({
      domain,
      type: i32,
      metadata: optional(string),
      prefix: optional(string),
      namespace: optional(string),
      flags: u32,
    }),
  ),
  metadata: read(
    'domain_get_metadata',
    265,
    struct({ domain, type: i32, namespace: optional(string), flags: u32 }),
    string,
  ),
  list: read('connect_list_all_domains', 273, listArgs, countedArray(domain)),
  snapshots: read('domain_list_all_snapshots', 274, listOfDomainArgs, countedArray(snapshot)),
  openChannel: slow(
    'domain_open_channel',
    296,
    struct({ domain, device: optional(string), flags: u32 }),
  ),
  freeze: slow(
    'domain_fsfreeze',
    335,
    struct({ domain, mountpoints: array(string), flags: u32 }),
    i32,
  ),
  thaw: slow('domain_fsthaw', 336, struct({ domain, mountpoints: array(string), flags: u32 }), i32),
  time: slow('domain_get_time', 337, withFlags, struct({ seconds: i64, nanoseconds: u32 })),
  stats: read(
    'connect_get_all_domain_stats',
    344,
    struct({ domains: array(domain), groups: u32, flags: u32 }),
    array(struct({ domain, params: paramMap })),
  ),
  define: slow('domain_define_xml_flags', 350, xmlWithFlags, domain),
  interfaceAddresses: read(
    'domain_interface_addresses',
    353,
    struct({ domain, source: u32, flags: u32 }),
    array(
      struct({
        name: string,
        mac: optional(string),
        addresses: array(struct({ type: i32, address: string, prefix: u32 })),
      }),
    ),
  ),
  // A read that libvirtd denies to read-only connections.
  launchSecurityInfo: write('domain_get_launch_security_info', 396, withFlags, paramMap),
  checkpoints: read('domain_list_all_checkpoints', 413, listOfDomainArgs, countedArray(checkpoint)),
  messages: read('domain_get_messages', 426, withFlags, array(string)),
};
