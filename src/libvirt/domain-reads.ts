import type { CallOptions } from './call-options.ts';
import type { Caller } from './caller.ts';
import { domainState, domainStateName } from './domain-state.ts';
import { flagSet, type OptionsOf } from './flags.ts';
import type { Domain } from './handles.ts';
import { type ImpactOptions, impactFlags } from './impact.ts';
import { metadataTypes, type MetadataType } from './metadata.ts';
import { domainProcedures as procedures } from './procedures-domain.ts';
import { statsGroups, type StatsGroup } from './stats-groups.ts';
import { xmlOfAll } from './xml-of-all.ts';

const listFlags = flagSet({
  active: 1,
  inactive: 2,
  persistent: 4,
  transient: 8,
  running: 16,
  paused: 32,
  shutoff: 64,
  other: 128,
  managedSave: 256,
  noManagedSave: 512,
  autostart: 1024,
  noAutostart: 2048,
  hasSnapshot: 4096,
  noSnapshot: 8192,
  hasCheckpoint: 16_384,
  noCheckpoint: 32_768,
});
/** Filters; those of one kind add up (`active`, `inactive`), those of different kinds narrow. */
export type ListDomainsOptions = OptionsOf<typeof listFlags> & CallOptions;

const xmlFlags = flagSet({ secure: 1, inactive: 2, updateCpu: 4, migratable: 8 });
/**
 * `inactive`: what the next start will use. `secure`: with passwords, refused on a read-only
 * connection.
 */
export type DomainXmlOptions = OptionsOf<typeof xmlFlags> & CallOptions;

const statsFlags = flagSet({
  active: 1,
  inactive: 2,
  persistent: 4,
  transient: 8,
  running: 16,
  paused: 32,
  shutoff: 64,
  other: 128,
  /** Leaves out what would have to wait for a domain's monitor. */
  noWait: 0x2000_0000,
  backing: 0x4000_0000,
  /** Fails if a group is not supported, instead of leaving it out. */
  enforce: 0x8000_0000,
});

export type DomainStatsOptions = OptionsOf<typeof statsFlags> &
  CallOptions & {
    /** Which domains; default all, which then may be filtered. libvirtd takes 4096 at most. */
    readonly domains?: readonly Domain[];
    /** Which figures; default all that the driver has. */
    readonly groups?: readonly StatsGroup[];
  };

/** Reading methods of `connection.domains`: finding and looking at domains. */
export function domainReads({ call }: Pick<Caller, 'call'>) {
  const xml = (domain: Domain, options: DomainXmlOptions = {}) =>
    call(procedures.xml, { domain, flags: xmlFlags(options) }, options);
  return {
    list: (options: ListDomainsOptions = {}) =>
      call(procedures.list, { wantsResults: 1, flags: listFlags(options) }, options),
    lookupByName: (name: string, options?: CallOptions) =>
      call(procedures.lookupByName, name, options),
    lookupByUuid: (uuid: string, options?: CallOptions) =>
      call(procedures.lookupByUuid, uuid, options),
    lookupById: (id: number, options?: CallOptions) => call(procedures.lookupById, id, options),
    xml,
    /** The XML of many domains; see `xmlOfAll`. */
    xmlAll: (domains: Iterable<Domain>, options: DomainXmlOptions = {}) =>
      xmlOfAll(xml, domains, options),
    /** Figures by libvirt's names, such as `balloon.current` (KiB) or `vcpu.0.time` (ns). */
    stats: (options: DomainStatsOptions = {}) =>
      call(
        procedures.stats,
        {
          domains: options.domains ?? [],
          groups: statsGroups(options.groups),
          flags: statsFlags(options),
        },
        options,
      ),
    state: async (domain: Domain, options?: CallOptions) => {
      const { state, reason } = await call(procedures.state, { domain, flags: 0 }, options);
      return domainState(state, reason);
    },
    info: async (domain: Domain, options?: CallOptions) => {
      const info = await call(procedures.info, { domain }, options);
      return { ...info, state: domainStateName(info.state) };
    },
    isActive: (domain: Domain, options?: CallOptions) =>
      call(procedures.isActive, { domain }, options),
    isPersistent: (domain: Domain, options?: CallOptions) =>
      call(procedures.isPersistent, { domain }, options),
    /** Whether the stored description has changed since the domain was started. */
    isUpdated: (domain: Domain, options?: CallOptions) =>
      call(procedures.isUpdated, { domain }, options),
    autostart: (domain: Domain, options?: CallOptions) =>
      call(procedures.autostart, { domain }, options),
    hasManagedSave: (domain: Domain, options?: CallOptions) =>
      call(procedures.hasManagedSave, { domain, flags: 0 }, options),
    /** Refused with `NO_DOMAIN_METADATA` if there is none. `namespace` is for type `element`. */
    metadata: (
      domain: Domain,
      type: MetadataType,
      namespace: string | null,
      options: ImpactOptions = {},
    ) =>
      call(
        procedures.metadata,
        { domain, type: metadataTypes[type], namespace, flags: impactFlags(options) },
        options,
      ),
    snapshots: (domain: Domain, options?: CallOptions) =>
      call(procedures.snapshots, { domain, wantsResults: 1, flags: 0 }, options),
    checkpoints: (domain: Domain, options?: CallOptions) =>
      call(procedures.checkpoints, { domain, wantsResults: 1, flags: 0 }, options),
    /** Why libvirt thinks the domain tainted, and what in it is deprecated. */
    messages: (domain: Domain, options?: CallOptions) =>
      call(procedures.messages, { domain, flags: 0 }, options),
  };
}
