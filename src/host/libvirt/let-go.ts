/**
 * Asking a guest that runs to let go of a device of ours. By its XML, which is when libvirt waits for the guest,
 * five seconds at most, and takes note itself when it has let go. By its alias it only asks; then libvirtd 9.0
 * does the work of letting go twice where a guest lets go just as it is asked again, and dies of that.
 */
import type { Connection, Domain } from '../../libvirt/index.ts';
import { parseXml, serializeXml } from '../../libvirt/xml.ts';
import { attributeOf, childNamed, elementsOf } from './xml-tree.ts';

/** @param alias one of ours: no device of an operator's is like that. Where there is none it is done already. */
export async function letGo(
  domains: Connection['domains'],
  domain: Domain,
  alias: string,
  signal: AbortSignal,
): Promise<void> {
  if (!(await domains.isActive(domain, { signal }))) return;
  const live = parseXml(await domains.xml(domain, { signal }));
  const device = elementsOf(childNamed(live, 'devices')).find(
    (each) => attributeOf(childNamed(each, 'alias'), 'name') === alias,
  );
  if (device === undefined) return;
  await domains.detachDevice(domain, serializeXml(device), { live: true, signal });
}
