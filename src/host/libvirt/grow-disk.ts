/** Making the disk of a Volume larger under the guest that uses it: QEMU has the file open. */
import type { Connection, Domain } from '../../libvirt/index.ts';
import { parseXml } from '../../libvirt/xml.ts';
import type { VolumeName } from '../../model/names.ts';
import { HostError } from '../host-error.ts';
import { targetOf, volumeOf } from './domain-parts.ts';
import { childNamed, elementsOf } from './xml-tree.ts';

export async function growDisk(
  domains: Connection['domains'],
  domain: Domain,
  volume: VolumeName,
  bytes: number,
  signal: AbortSignal,
): Promise<void> {
  const devices = elementsOf(
    childNamed(parseXml(await domains.xml(domain, { signal })), 'devices'),
  );
  const disk = devices.find((device) => volumeOf(device) === volume);
  const target = disk && targetOf(disk);
  if (target === undefined) throw new HostError('Refused', `it has no disk of volume ${volume}`);
  // QEMU would cut a file off just as readily.
  const { capacityBytes } = await domains.blockInfo(domain, target, { signal });
  if (capacityBytes > bytes) {
    throw new HostError('Refused', `volume ${volume} has ${capacityBytes} bytes already`);
  }
  await domains.blockResize(domain, target, bytes, { signal });
}
