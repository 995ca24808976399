/** Which of some domains run, and which vsock address each has: by what runs, never by definitions. */
import { LibvirtError, type ReadOnlyConnection } from '../../libvirt/index.ts';
import { parseXml } from '../../libvirt/xml.ts';
import { domainUuid } from '../../model/identity.ts';
import type { VmRun } from '../../model/vm-run.ts';
import type { VmRunReader } from '../ports.ts';
import { cidIn as cidOfDevices } from './domain-vsock.ts';
import { attributeOf, childNamed } from './xml-tree.ts';

export function vmRunReader(connection: ReadOnlyConnection): VmRunReader {
  return {
    of: async (domainNames, signal) => {
      const reading = domainNames.map((name) => runOf(connection, name, signal));
      const read = await Promise.allSettled(reading);
      return {
        runs: read.flatMap((each) =>
          each.status === 'fulfilled' && each.value !== null ? [each.value] : [],
        ),
        // What is the matter with one says nothing of the others.
        unread: domainNames.filter((_, index) => read[index]?.status !== 'fulfilled'),
      };
    },
  };
}

async function runOf(
  { domains }: ReadOnlyConnection,
  domainName: string,
  signal: AbortSignal,
): Promise<VmRun | null> {
  try {
    const domain = await domains.lookupByName(domainName, { signal });
    if (domain.id < 0) return null;
    const uuid = domainUuid(domain.uuid);
    const cid = cidIn(await domains.xml(domain, { signal }), domain.id);
    return uuid === undefined || cid === null ? null : { domainName, uuid, runId: domain.id, cid };
  } catch (error) {
    // It may have gone between the two questions.
    if (error instanceof LibvirtError && error.code === 'NO_DOMAIN') return null;
    throw error;
  }
}

/** Of that run only: of one that has stopped meanwhile libvirt shows its definition, which has no id. */
function cidIn(xml: string, runId: number): number | null {
  const root = parseXml(xml);
  if (attributeOf(root, 'id') !== `${runId}`) return null;
  return cidOfDevices(childNamed(root, 'devices'));
}
