/** Which vsock addresses the host's domains have, whoever they belong to: what runs, and what is defined. */
import { LibvirtError, type ReadOnlyConnection } from '../../libvirt/index.ts';
import { parseXml } from '../../libvirt/xml.ts';
import { domainUuid } from '../../model/identity.ts';
import type { CidUse } from '../../model/vsock.ts';
import { cidIn } from './domain-vsock.ts';
import { childNamed } from './xml-tree.ts';

/** Every one of them is read, so that this is for when somebody is about to get one. */
export async function readCids(
  { domains }: ReadOnlyConnection,
  signal: AbortSignal,
): Promise<readonly CidUse[]> {
  const all = await domains.list({ signal });
  const running = all.filter(({ id }) => id >= 0);
  const found: CidUse[] = [];
  for (const [of, inactive] of [
    [all, true],
    [running, false],
  ] as const) {
    for await (const result of domains.xmlAll(of, { inactive, signal })) {
      if ('error' in result) {
        // It has gone since it was listed.
        if (result.error instanceof LibvirtError && result.error.code === 'NO_DOMAIN') continue;
        throw result.error;
      }
      const cid = cidIn(childNamed(parseXml(result.ok), 'devices'));
      const uuid = domainUuid(result.domain.uuid);
      if (cid !== null && uuid !== undefined) {
        found.push({ cid, uuid, domainName: result.domain.name });
      }
    }
  }
  return found;
}
