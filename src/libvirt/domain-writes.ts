import type { Duplex } from 'node:stream';
import type { CallOptions } from './call-options.ts';
import type { Caller } from './caller.ts';
import { flagSet, type OptionsOf } from './flags.ts';
import type { Domain } from './handles.ts';
import { type ImpactOptions, impactFlags } from './impact.ts';
import { metadataFields, type MetadataValue } from './metadata.ts';
import { domainProcedures as procedures } from './procedures-domain.ts';

const defineFlags = flagSet({ validate: 1 });
/** `validate`: against libvirt's schema, which finds elements that it would drop silently. */
export type DefineDomainOptions = OptionsOf<typeof defineFlags> & CallOptions;

const startFlags = flagSet({
  paused: 1,
  autodestroy: 2,
  bypassCache: 4,
  forceBoot: 8,
  validate: 16,
  resetNvram: 32,
});
/** `autodestroy`: the domain dies with this connection's slow socket. */
export type StartDomainOptions = OptionsOf<typeof startFlags> & CallOptions;

const destroyFlags = flagSet({ graceful: 1, removeLogs: 2 });
/** `graceful`: fails rather than kill a process that is still writing. */
export type DestroyDomainOptions = OptionsOf<typeof destroyFlags> & CallOptions;

const shutdownFlags = flagSet({ acpi: 1, agent: 2, initctl: 4, processSignal: 8, paravirt: 16 });
/** Ways to ask the guest; with several libvirt picks one. */
export type ShutdownDomainOptions = OptionsOf<typeof shutdownFlags> & CallOptions;

const undefineFlags = flagSet({
  managedSave: 1,
  snapshotsMetadata: 2,
  nvram: 4,
  keepNvram: 8,
  checkpointsMetadata: 16,
  tpm: 32,
  keepTpm: 64,
});
/** What to remove, or keep, along with the description; without a choice it may be refused. */
export type UndefineDomainOptions = OptionsOf<typeof undefineFlags> & CallOptions;

const consoleFlags = flagSet({ force: 1, safe: 2 });
/** `force` throws out whoever has it open; `safe` fails if the driver cannot keep it exclusive. */
export type ConsoleOptions = OptionsOf<typeof consoleFlags> & CallOptions;

/** Changing methods of `connection.domains`: what makes, runs and ends domains. */
export function domainWrites({ call, openStream }: Caller) {
  return {
    /** Stores a description; of a running domain it is that of the next start. */
    define: (xml: string, options: DefineDomainOptions = {}) =>
      call(procedures.define, { xml, flags: defineFlags(options) }, options),
    /** Starts a domain that is gone when it stops. */
    create: (xml: string, options: StartDomainOptions = {}) =>
      call(procedures.createXml, { xml, flags: startFlags(options) }, options),
    /** Starts a defined domain; resolves to its handle with the new id. */
    start: (domain: Domain, options: StartDomainOptions = {}) =>
      call(procedures.create, { domain, flags: startFlags(options) }, options),
    /** Stops it as if the power went. */
    destroy: (domain: Domain, options: DestroyDomainOptions = {}) =>
      call(procedures.destroy, { domain, flags: destroyFlags(options) }, options),
    /** Asks the guest to stop; that it has comes as a lifecycle event, or never. */
    shutdown: (domain: Domain, options: ShutdownDomainOptions = {}) =>
      call(procedures.shutdown, { domain, flags: shutdownFlags(options) }, options),
    reboot: (domain: Domain, options: ShutdownDomainOptions = {}) =>
      call(procedures.reboot, { domain, flags: shutdownFlags(options) }, options),
    reset: (domain: Domain, options?: CallOptions) =>
      call(procedures.reset, { domain, flags: 0 }, options),
    suspend: (domain: Domain, options?: CallOptions) =>
      call(procedures.suspend, { domain }, options),
    resume: (domain: Domain, options?: CallOptions) => call(procedures.resume, { domain }, options),
    /** Forgets a stored description; a running domain goes on until it stops. */
    undefine: (domain: Domain, options: UndefineDomainOptions = {}) =>
      call(procedures.undefine, { domain, flags: undefineFlags(options) }, options),
    setAutostart: (domain: Domain, autostart: boolean, options?: CallOptions) =>
      call(procedures.setAutostart, { domain, autostart }, options),
    setMetadata: (domain: Domain, value: MetadataValue, options: ImpactOptions = {}) =>
      call(
        procedures.setMetadata,
        { domain, ...metadataFields(value), flags: impactFlags(options) },
        options,
      ),
    removeManagedSave: (domain: Domain, options?: CallOptions) =>
      call(procedures.removeManagedSave, { domain, flags: 0 }, options),
    /** The serial console, or the character device with that alias, as a stream. */
    openConsole: (
      domain: Domain,
      device: string | null = null,
      options: ConsoleOptions = {},
    ): Promise<Duplex> =>
      openStream(
        procedures.openConsole,
        { domain, device, flags: consoleFlags(options) },
        'both',
        options,
      ),
    /** The host's end of a virtio channel, by its target name. */
    openChannel: (
      domain: Domain,
      device: string | null = null,
      options: ConsoleOptions = {},
    ): Promise<Duplex> =>
      openStream(
        procedures.openChannel,
        { domain, device, flags: consoleFlags(options) },
        'both',
        options,
      ),
    /** Freezes file systems by the guest agent, all without a list; resolves to how many. */
    freeze: (domain: Domain, mountpoints: readonly string[] = [], options?: CallOptions) =>
      call(procedures.freeze, { domain, mountpoints, flags: 0 }, options),
    thaw: (domain: Domain, mountpoints: readonly string[] = [], options?: CallOptions) =>
      call(procedures.thaw, { domain, mountpoints, flags: 0 }, options),
    /** The time that the guest has, by its guest agent. Changes nothing, and is no read to libvirtd. */
    time: (domain: Domain, options?: CallOptions) =>
      call(procedures.time, { domain, flags: 0 }, options),
  };
}
