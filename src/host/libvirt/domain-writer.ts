/** Changing domains. Each method is one call to libvirt, and says nothing of what the guest does. */
import type { Duplex } from 'node:stream';
import { type Connection, type ConsoleOptions, LibvirtError } from '../../libvirt/index.ts';
import type { DomainRef } from '../../model/domain.ts';
import { splitUses } from '../../model/volume.ts';
import type { DiskCare } from '../local/disk-places.ts';
import type { DomainConsole, DomainWriter, OpenConsole } from '../ports.ts';
import { HostError } from '../host-error.ts';
import { volumeAliasOf, volumesNamedIn } from './domain-parts.ts';
import { handleOf } from './domain-reader.ts';
import { calling } from './host-error-from.ts';
import { letGo } from './let-go.ts';
import { attachDisk, growDisk } from './live-disks.ts';
import { MARK_NAMESPACE, MARK_PREFIX } from './mark.ts';
import { READY_NAMESPACE, READY_PREFIX, writeReadyNote } from './ready-note.ts';
import { writeDomainXml, writeStopNote } from './write-domain-xml.ts';

export function domainWriter(
  { domains }: Connection,
  care: DiskCare,
): DomainWriter & DomainConsole {
  const on = (verb: string, ref: DomainRef, call: () => Promise<unknown>) =>
    calling(`${verb} ${ref.domainName}`, async () => void (await call()));
  return {
    define: (definition, signal) =>
      on('defining', definition, async () => {
        const current = await currentXml(domains, definition, signal);
        const { bootVolume, volumes } = definition.fields;
        const uses = [bootVolume ?? '', volumes].flatMap(splitUses);
        const { layout, unknown } = await care.located(uses.map(({ volume }) => volume));
        for (const [volume, why] of unknown) {
          throw new HostError('Refused', `where volume ${volume} is cannot be known: ${why}`);
        }
        const xml = writeDomainXml(definition, current, layout);
        // Not validated against libvirt's schema: that costs ten times the definition itself, what
        // was asked for is read back anyway, and a test validates all that is ever written.
        await domains.define(xml, { signal });
      }),
    undefine: (ref, signal) =>
      // What libvirt itself keeps for a domain goes with it; disks are files, and stay.
      on('undefining', ref, () =>
        domains.undefine(handleOf(ref), {
          managedSave: true,
          snapshotsMetadata: true,
          checkpointsMetadata: true,
          nvram: true,
          signal,
        }),
      ),
    start: (ref, signal) =>
      on('starting', ref, async () => {
        if (care.hasDevices) {
          const xml = await domains.xml(handleOf(ref), { inactive: true, signal });
          await care.provide(volumesNamedIn(xml), signal);
        }
        await domains.start(handleOf(ref), { signal });
      }),
    resume: (ref, signal) => on('resuming', ref, () => domains.resume(handleOf(ref), { signal })),
    shutdown: (ref, signal) =>
      on('shutting down', ref, () => domains.shutdown(handleOf(ref), { acpi: true, signal })),
    shutdownByAgent: (ref, signal) =>
      on('shutting down by its agent', ref, () =>
        domains.shutdown(handleOf(ref), { agent: true, signal }),
      ),
    powerOff: (ref, signal) =>
      on('powering off', ref, () => domains.destroy(handleOf(ref), { signal })),
    noteStop: (ref, asked, signal) =>
      on('marking', ref, async () => {
        const xml = await domains.xml(handleOf(ref), { inactive: true, signal });
        const mark = {
          type: 'element',
          xml: writeStopNote(xml, asked),
          prefix: MARK_PREFIX,
          namespace: MARK_NAMESPACE,
        } as const;
        await domains.setMetadata(handleOf(ref), mark, { config: true, signal });
      }),
    noteReady: (ref, run, signal) =>
      on('noting that it is ready,', ref, () => {
        const mark = {
          type: 'element',
          xml: writeReadyNote(run),
          prefix: READY_PREFIX,
          namespace: READY_NAMESPACE,
        } as const;
        return domains.setMetadata(handleOf(ref), mark, { live: true, signal });
      }),
    // Of the questions that libvirt knows this is the cheapest that leaves no taint on the domain, as a
    // command of ours would.
    askAgent: (ref, signal) =>
      on('asking the agent of', ref, () =>
        domains.time(handleOf(ref), { signal }).catch((error: unknown) => {
          if (!isAgentsOwn(error)) throw error;
        }),
      ),
    attachDisk: (ref, volume, signal) =>
      on(`plugging ${volume} into`, ref, async () => {
        await care.provide([volume], signal);
        await attachDisk(domains, handleOf(ref), volume, signal);
      }),
    detachDisk: (ref, volume, signal) =>
      on(`taking ${volume} out of`, ref, () =>
        letGo(domains, handleOf(ref), volumeAliasOf(volume), signal),
      ),
    growDisk: (ref, volume, bytes, signal) =>
      on(`growing ${volume} of`, ref, () =>
        care.grow(
          volume,
          bytes,
          (size) => growDisk(domains, handleOf(ref), volume, size, signal),
          signal,
        ),
      ),
    setMemory: (ref, bytes, signal) =>
      on('setting the memory of', ref, () =>
        domains.setMemory(handleOf(ref), bytes / 1024, { live: true, signal }),
      ),
    console: (ref, signal) => openConsole(domains, ref, { signal }),
    takeConsole: (ref, signal) => openConsole(domains, ref, { signal, force: true }),
  };
}

function openConsole(
  domains: Connection['domains'],
  ref: DomainRef,
  options: ConsoleOptions & { readonly signal: AbortSignal },
): Promise<OpenConsole> {
  return calling(`opening the console of ${ref.domainName}`, async () => {
    const stream = await domains.openConsole(handleOf(ref), null, options);
    options.signal.addEventListener('abort', () => stream.destroy(), { once: true });
    return consoleOn(stream);
  });
}

function consoleOn(stream: Duplex): OpenConsole {
  return {
    [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](),
    type: (bytes) =>
      new Promise((done, fail) => {
        stream.write(bytes, (error) => (error ? fail(error) : done()));
      }),
  };
}

/** It has answered that it does not tell: an answer, for which libvirt has no code of its own. */
function isAgentsOwn(error: unknown): boolean {
  return (
    error instanceof LibvirtError && error.message.includes('unable to execute QEMU agent command')
  );
}

/** Null if libvirt has no such domain. */
async function currentXml(
  domains: Connection['domains'],
  ref: DomainRef,
  signal: AbortSignal,
): Promise<string | null> {
  try {
    // With passwords, which a definition without them would lose. It goes back to libvirt and
    // nowhere else.
    return await domains.xml(handleOf(ref), { inactive: true, secure: true, signal });
  } catch (error) {
    if (error instanceof LibvirtError && error.code === 'NO_DOMAIN') return null;
    throw error;
  }
}
