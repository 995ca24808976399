import { network } from './handles.ts';
import { read, slow, write } from './procedure.ts';
import { flag, i32, i64, string, u32 } from './wire/codec.ts';
import { countedArray, optional, struct } from './wire/combinators.ts';
import { uuid } from './wire/uuid.ts';

/** Virtual networks. Numbers as in libvirt's remote protocol. */
const one = struct({ network });
const withFlags = struct({ network, flags: u32 });

const lease = struct({
  interface: string,
  expiresAtSeconds: i64,
  type: i32,
  mac: optional(string),
  iaid: optional(string),
  address: string,
  prefix: u32,
  hostname: optional(string),
  clientId: optional(string),
});

export const networkProcedures = {
  create: slow('network_create', 39, one),
  createXml: slow('network_create_xml', 40, string, network),
  defineXml: write('network_define_xml', 41, string, network),
  destroy: slow('network_destroy', 42, one),
  xml: read('network_get_xml_desc', 43, withFlags, string),
  autostart: read('network_get_autostart', 44, one, flag),
  bridgeName: read('network_get_bridge_name', 45, one, string),
  lookupByName: read('network_lookup_by_name', 46, string, network),
  lookupByUuid: read('network_lookup_by_uuid', 47, uuid, network),
  setAutostart: write('network_set_autostart', 48, struct({ network, autostart: flag })),
  undefine: slow('network_undefine', 49, one),
  isActive: read('network_is_active', 152, one, flag),
  isPersistent: read('network_is_persistent', 153, one, flag),
  list: read(
    'connect_list_all_networks',
    283,
    struct({ wantsResults: i32, flags: u32 }),
    countedArray(network),
  ),
  update: slow(
    'network_update',
    291,
    struct({ network, command: u32, section: u32, parentIndex: i32, xml: string, flags: u32 }),
  ),
  leases: read(
    'network_get_dhcp_leases',
    341,
    struct({ network, mac: optional(string), wantsResults: i32, flags: u32 }),
    countedArray(lease),
  ),
  defineXmlFlags: write(
    'network_define_xml_flags',
    432,
    struct({ xml: string, flags: u32 }),
    network,
  ),
  setMetadata: write(
    'network_set_metadata',
    444,
    struct({
      network,
      type: i32,
      metadata: optional(string),
      prefix: optional(string),
      namespace: optional(string),
      flags: u32,
    }),
  ),
  metadata: read(
    'network_get_metadata',
    445,
    struct({ network, type: i32, namespace: optional(string), flags: u32 }),
    string,
  ),
};
