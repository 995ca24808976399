/** The disks of Volumes under a guest that runs: plugged in, and made larger. */
import type { Connection, Domain } from '../../libvirt/index.ts';
import { parseXml, serializeXml, type XmlElement } from '../../libvirt/xml.ts';
import type { VolumeName } from '../../model/names.ts';
import { HostError } from '../host-error.ts';
import { targetOf, volumeOf } from './domain-parts.ts';
import { attributeOf, childNamed, edit, elementsOf, keeping, withAttributes } from './xml-tree.ts';
import { freeTarget } from './write-disks.ts';

type Domains = Connection['domains'];

/** QEMU has the file open, and makes it larger itself. */
export async function growDisk(
  domains: Domains,
  domain: Domain,
  volume: VolumeName,
  bytes: number,
  signal: AbortSignal,
): Promise<void> {
  const disk = diskOf(volume, devicesIn(await domains.xml(domain, { signal })));
  const target = disk && targetOf(disk);
  if (target === undefined) throw new HostError('Refused', `it has no disk of volume ${volume}`);
  // QEMU would cut a file off just as readily.
  const { capacityBytes } = await domains.blockInfo(domain, target, { signal });
  if (capacityBytes > bytes) {
    throw new HostError('Refused', `volume ${volume} has ${capacityBytes} bytes already`);
  }
  await domains.blockResize(domain, target, bytes, { signal });
}

/** As its definition has it, so that its next start makes no difference. */
export async function attachDisk(
  domains: Domains,
  domain: Domain,
  volume: VolumeName,
  signal: AbortSignal,
): Promise<void> {
  const defined = devicesIn(await domains.xml(domain, { inactive: true, secure: true, signal }));
  const live = devicesIn(await domains.xml(domain, { signal }));
  const disk = diskOf(volume, defined);
  if (disk === undefined) throw new HostError('Refused', `its definition has no volume ${volume}`);
  const xml = serializeXml(pluggable(disk, live, defined));
  await domains.attachDevice(domain, xml, { live: true, signal });
}

/**
 * On whichever port is free while it runs: that of its definition may be another's that has not let go of it
 * yet, as may its target, which no guest sees.
 */
function pluggable(
  disk: XmlElement,
  live: readonly XmlElement[],
  defined: readonly XmlElement[],
): XmlElement {
  const bare = keeping(disk, ({ name }) => name !== 'address');
  const target = childNamed(disk, 'target');
  const isFree = live.every((each) => targetOf(each) !== attributeOf(target, 'dev'));
  if (target === undefined || isFree) return bare;
  const dev = freeTarget([...live, ...defined]);
  return edit(bare, [['target', (found) => withAttributes(found ?? target, { dev })]]);
}

function diskOf(volume: VolumeName, devices: readonly XmlElement[]): XmlElement | undefined {
  return devices.find((device) => volumeOf(device) === volume);
}

function devicesIn(xml: string): readonly XmlElement[] {
  return elementsOf(childNamed(parseXml(xml), 'devices'));
}
