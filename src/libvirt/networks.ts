import type { CallOptions } from './call-options.ts';
import type { Caller } from './caller.ts';
import { flagSet, type OptionsOf } from './flags.ts';
import type { Network } from './handles.ts';
import { type ImpactOptions, impactFlags } from './impact.ts';
import {
  metadataFields,
  metadataTypes,
  type MetadataType,
  type MetadataValue,
} from './metadata.ts';
import { connectProcedures, features } from './procedures-connect.ts';
import { networkProcedures as procedures } from './procedures-network.ts';

const listFlags = flagSet({
  inactive: 1,
  active: 2,
  persistent: 4,
  transient: 8,
  autostart: 16,
  noAutostart: 32,
});
export type ListNetworksOptions = OptionsOf<typeof listFlags> & CallOptions;

const xmlFlags = flagSet({ inactive: 1 });
export type NetworkXmlOptions = OptionsOf<typeof xmlFlags> & CallOptions;

const commands = { modify: 1, delete: 2, addLast: 3, addFirst: 4 } as const;
const sections = {
  bridge: 1,
  domain: 2,
  ip: 3,
  dhcpHost: 4,
  dhcpRange: 5,
  forward: 6,
  forwardInterface: 7,
  portgroup: 9,
  dnsHost: 10,
  dnsTxt: 11,
  dnsSrv: 12,
} as const;

/** One change to a network that need not be stopped for it. */
export interface NetworkUpdate {
  readonly command: keyof typeof commands;
  readonly section: keyof typeof sections;
  /** Which of several parents (`<ip>` elements); -1, the default, lets libvirt choose. */
  readonly parentIndex?: number;
  readonly xml: string;
}

/** Reading methods of `connection.networks`. */
export function networkReads({ call }: Pick<Caller, 'call'>) {
  return {
    list: (options: ListNetworksOptions = {}) =>
      call(procedures.list, { wantsResults: 1, flags: listFlags(options) }, options),
    lookupByName: (name: string, options?: CallOptions) =>
      call(procedures.lookupByName, name, options),
    lookupByUuid: (uuid: string, options?: CallOptions) =>
      call(procedures.lookupByUuid, uuid, options),
    xml: (network: Network, options: NetworkXmlOptions = {}) =>
      call(procedures.xml, { network, flags: xmlFlags(options) }, options),
    isActive: (network: Network, options?: CallOptions) =>
      call(procedures.isActive, { network }, options),
    isPersistent: (network: Network, options?: CallOptions) =>
      call(procedures.isPersistent, { network }, options),
    autostart: (network: Network, options?: CallOptions) =>
      call(procedures.autostart, { network }, options),
    /** Name of the bridge on the host. */
    bridgeName: (network: Network, options?: CallOptions) =>
      call(procedures.bridgeName, { network }, options),
    /** DHCP leases, all or of one MAC address. Host names are what guests have said. */
    leases: (network: Network, mac: string | null = null, options?: CallOptions) =>
      call(procedures.leases, { network, mac, wantsResults: 1, flags: 0 }, options),
    /** Needs libvirt >= 9.7; older ones refuse with `NO_SUPPORT` or `RPC`. */
    metadata: (
      network: Network,
      type: MetadataType,
      namespace: string | null,
      options: ImpactOptions = {},
    ) =>
      call(
        procedures.metadata,
        { network, type: metadataTypes[type], namespace, flags: impactFlags(options) },
        options,
      ),
  };
}

/** Changing methods of `connection.networks`. */
export function networkWrites({ call }: Pick<Caller, 'call'>) {
  return {
    define: (
      xml: string,
      { validate = false, ...options }: CallOptions & { readonly validate?: boolean } = {},
    ) =>
      validate
        ? call(procedures.defineXmlFlags, { xml, flags: 1 }, options)
        : call(procedures.defineXml, xml, options),
    /** Starts a defined network. */
    create: (network: Network, options?: CallOptions) =>
      call(procedures.create, { network }, options),
    /** Starts a network that is gone when it stops. */
    createXml: (xml: string, options?: CallOptions) => call(procedures.createXml, xml, options),
    destroy: (network: Network, options?: CallOptions) =>
      call(procedures.destroy, { network }, options),
    undefine: (network: Network, options?: CallOptions) =>
      call(procedures.undefine, { network }, options),
    setAutostart: (network: Network, autostart: boolean, options?: CallOptions) =>
      call(procedures.setAutostart, { network, autostart }, options),
    update: async (network: Network, update: NetworkUpdate, options: ImpactOptions = {}) => {
      const [command, section] = await ordered({ call }, update, options);
      const { parentIndex = -1, xml } = update;
      await call(
        procedures.update,
        { network, command, section, parentIndex, xml, flags: impactFlags(options) },
        options,
      );
    },
    /** Needs libvirt >= 9.7. */
    setMetadata: (network: Network, value: MetadataValue, options: ImpactOptions = {}) =>
      call(
        procedures.setMetadata,
        { network, ...metadataFields(value), flags: impactFlags(options) },
        options,
      ),
  };
}

/** Servers before 7.2 read these two fields the other way round, and say so by a feature. */
async function ordered(
  { call }: Pick<Caller, 'call'>,
  update: NetworkUpdate,
  options: CallOptions,
): Promise<readonly [number, number]> {
  const command = commands[update.command];
  const section = sections[update.section];
  const isFixed = await call(
    connectProcedures.supportsFeature,
    features.networkUpdateOrder,
    options,
  );
  return isFixed ? [command, section] : [section, command];
}
