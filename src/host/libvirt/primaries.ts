/** The Primary's domain: read as far as it can be carved, and changed in nothing else. */
import { type Connection, LibvirtError, type ReadOnlyConnection } from '../../libvirt/index.ts';
import { serializeXml } from '../../libvirt/xml.ts';
import { absent, present, unknown } from '../../model/observation.ts';
import { explainError } from '../host-error.ts';
import type { PrimaryReader, PrimaryWriter } from '../ports.ts';
import { handleOf } from './domain-reader.ts';
import { calling } from './host-error-from.ts';
import { setBalloon } from './primary-balloon.ts';
import { hasMemoryDevice, readPrimaryXml, withPlugged } from './primary-xml.ts';

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
    return present(readPrimaryXml(inactive, live));
  } catch (error) {
    return unknown(`its XML cannot be read: ${explainError(error)}`);
  }
}

/** The definition first: whatever becomes of the guest, its next start has what it is to have. */
export function primaryWriter({ domains }: Connection): PrimaryWriter {
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
  };
}
