/** The Primary's domain: read as far as it can be carved, and changed in nothing else. */
import { type Connection, LibvirtError, type ReadOnlyConnection } from '../../libvirt/index.ts';
import { serializeXml } from '../../libvirt/xml.ts';
import type { DomainRef } from '../../model/domain.ts';
import type { PartitionName } from '../../model/names.ts';
import { absent, present, unknown } from '../../model/observation.ts';
import type { PrimaryPlug } from '../../model/plug.ts';
import { explainError } from '../host-error.ts';
import type { PrimaryReader, PrimaryWriter } from '../ports.ts';
import { openImageDisk } from '../local/image-disk.ts';
import { openIntake } from '../local/intakes.ts';
import type { StoreLayout } from '../local/layout.ts';
import { handleOf } from './domain-reader.ts';
import { calling } from './host-error-from.ts';
import { isPluggedIn } from '../local/tap.ts';
import { letGo } from './let-go.ts';
import { setBalloon } from './primary-balloon.ts';
import {
  hasMemoryDevice,
  lentDiskElement,
  plugElement,
  readPrimaryXml,
  withPlugged,
} from './primary-xml.ts';

export function primaryReader({ domains }: ReadOnlyConnection): PrimaryReader {
  return {
    find: (domainName, signal) =>
      calling(`reading ${domainName}`, async () => {
        try {
          const domain = await domains.lookupByName(domainName, { signal });
          const inactive = await domains.xml(domain, { inactive: true, signal });
          const live = domain.id < 0 ? null : await domains.xml(domain, { signal });
          return parsed(inactive, live);
        } catch (error) {
          if (error instanceof LibvirtError && error.code === 'NO_DOMAIN') return absent;
          throw error;
        }
      }),
  };
}

function parsed(inactive: string, live: string | null) {
  try {
    return present(readPrimaryXml(inactive, live, isPluggedIn));
  } catch (error) {
    return unknown(`its XML cannot be read: ${explainError(error)}`);
  }
}

/** The definition first: whatever becomes of the guest, its next start has what it is to have. */
export function primaryWriter(
  { domains }: Connection,
  layout: StoreLayout,
  partition: PartitionName,
): PrimaryWriter {
  /** Where the NIC of that alias is, or is not. */
  const sidesWith = async (
    ref: DomainRef,
    alias: string,
    isThere: boolean,
    signal: AbortSignal,
  ) => {
    const domain = handleOf(ref);
    const inactive = await domains.xml(domain, { inactive: true, signal });
    const isActive = await domains.isActive(domain, { signal });
    const live = isActive ? await domains.xml(domain, { signal }) : null;
    const { plugs, livePlugs } = readPrimaryXml(inactive, live);
    const has = (side: readonly PrimaryPlug[]) => side.some((each) => each.alias === alias);
    return [
      ...(has(plugs) === isThere ? (['config'] as const) : []),
      ...(livePlugs !== null && has(livePlugs) === isThere ? (['live'] as const) : []),
    ];
  };
  return {
    setVcpus: (ref, vcpus, signal) =>
      calling(`setting the vCPUs of ${ref.domainName}`, async () => {
        const domain = handleOf(ref);
        await domains.setVcpus(domain, vcpus, { config: true, signal });
        if (await domains.isActive(domain, { signal })) {
          await domains.setVcpus(domain, vcpus, { live: true, signal });
        }
      }),
    setMemory: (ref, pluggedBytes, signal) =>
      calling(`setting the memory of ${ref.domainName}`, async () => {
        const domain = handleOf(ref);
        if (!hasMemoryDevice(await domains.xml(domain, { inactive: true, signal }))) {
          return setBalloon(domains, domain, pluggedBytes, signal);
        }
        const update = async (side: 'config' | 'live') => {
          const inactive = side === 'config';
          const xml = await domains.xml(domain, { inactive, signal });
          const device = serializeXml(withPlugged(xml, pluggedBytes));
          await domains.updateDevice(domain, device, { [side]: true, signal });
        };
        await update('config');
        if (await domains.isActive(domain, { signal })) await update('live');
      }),
    plug: (ref, plug, signal) =>
      calling(`plugging ${ref.domainName} into its network`, async () => {
        const xml = serializeXml(plugElement(plug));
        for (const side of await sidesWith(ref, plug.alias, false, signal)) {
          await domains.attachDevice(handleOf(ref), xml, { [side]: true, signal });
        }
      }),
    unplug: (ref, alias, signal) =>
      calling(`unplugging ${ref.domainName} from its network`, async () => {
        // By its alias and nothing else: no NIC of an operator's is like that.
        if ((await sidesWith(ref, alias, true, signal)).includes('config')) {
          await domains.detachDeviceAlias(handleOf(ref), alias, { config: true, signal });
        }
        await letGo(domains, handleOf(ref), alias, signal);
      }),
    lend: (ref, image, disk, signal) =>
      calling(`lending ${ref.domainName} a disk`, async () => {
        const domain = handleOf(ref);
        const live = await domains.xml(domain, { signal });
        const file =
          image === null
            ? await openImageDisk(layout, partition, ref)
            : await openIntake(layout, image, ref);
        const xml = serializeXml(lentDiskElement(live, file, disk));
        await domains.attachDevice(domain, xml, { live: true, signal });
      }),
    takeBack: (ref, alias, signal) =>
      calling(`taking a disk back from ${ref.domainName}`, () =>
        letGo(domains, handleOf(ref), alias, signal),
      ),
  };
}
