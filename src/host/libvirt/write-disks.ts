/**
 * The disks of a domain as they are wanted, laid over those that are there. Format and all that lies
 * below a file are said explicitly: nothing that a guest wrote is ever probed.
 */
import type { XmlElement, XmlNode } from '../../libvirt/xml.ts';
import type { DomainFields } from '../../model/domain.ts';
import { joinUses, splitUses, type VolumeUse } from '../../model/volume.ts';
import { HostError } from '../host-error.ts';
import type { StoreLayout } from '../local/layout.ts';
import {
  isAtRoot,
  isRootDisk,
  type Ours,
  ROOT_DISK_TARGET,
  serialOf,
  targetOf,
  volumeAliasOf,
  volumeOf,
} from './domain-parts.ts';
import { attributeOf, childNamed, edit, element, withAttributes } from './xml-tree.ts';

/** A file, or a block device. */
interface DiskSource {
  readonly type: 'file' | 'block';
  readonly path: string;
}

/** A disk that is wanted: which one it is, where its bytes are, and what it looks like laid over another. */
interface WantedDisk {
  readonly source: DiskSource;
  readonly is: (device: XmlElement) => boolean;
  readonly over: (current: XmlElement | undefined) => XmlElement;
}

export function withDisks(
  devices: readonly XmlNode[],
  fields: DomainFields,
  layout: StoreLayout,
  ours: Ours,
): readonly XmlNode[] {
  const root = wantedRoot(fields, layout);
  const further = usesIn(fields.volumes).map((use) => wantedVolume(use, layout));
  const isOurs = (device: XmlElement) =>
    volumeOf(device) !== undefined || (ours.disk && isRootDisk(device));
  const children = devices.flatMap((child): readonly XmlNode[] => {
    if (typeof child === 'string' || !isOurs(child)) return [child];
    // In its place: libvirt numbers boot devices by their order.
    if (isAtRoot(child)) return root === null ? [] : [root.over(child)];
    const wanted = further.find(({ is }) => is(child));
    return wanted === undefined ? [] : [wanted.over(child)];
  });
  const isPlaced = elementsIn(devices).some((device) => isAtRoot(device) && isOurs(device));
  if (root !== null && !isPlaced) addRoot(children, root);
  for (const wanted of further) addFurther(children, wanted);
  for (const { source } of root === null ? further : [root, ...further]) {
    refuseTwice(children, source);
  }
  return children;
}

/** @throws HostError if the text is none that `joinUses` writes: it would lose a disk */
function usesIn(text: string): readonly VolumeUse[] {
  const uses = splitUses(text);
  if (joinUses(uses) !== text) throw new HostError('Refused', `${text} are no volumes`);
  return uses;
}

function wantedRoot(
  { disk, diskFormat, bootVolume }: DomainFields,
  layout: StoreLayout,
): WantedDisk | null {
  const [use] = usesIn(bootVolume ?? '');
  if (use !== undefined) return wantedVolume(use, layout);
  if (disk === null) return null;
  const source = { type: 'file', path: layout.file(disk) } as const;
  return {
    source,
    is: isRootDisk,
    over: (current) => fileDisk(current, source, diskFormat ?? 'raw'),
  };
}

function wantedVolume(use: VolumeUse, layout: StoreLayout): WantedDisk {
  return {
    source: sourceOf(use, layout),
    is: (device) => volumeOf(device) === use.volume,
    over: (current) => volumeDisk(current, use, layout),
  };
}

function sourceOf({ volume, format }: VolumeUse, layout: StoreLayout): DiskSource {
  const device = layout.volumeDevice(volume, format);
  if (device !== null) return { type: 'block', path: device };
  return { type: 'file', path: layout.volumeDisk(volume, format) };
}

function addRoot(children: XmlNode[], { over }: WantedDisk): void {
  if (elementsIn(children).some(isAtRoot)) {
    throw new HostError('Refused', `a disk of somebody else is at ${ROOT_DISK_TARGET}`);
  }
  const first = children.findIndex((child) => typeof child !== 'string' && child.name === 'disk');
  const at = first < 0 ? children.length : first;
  children.splice(at, 0, over(diskAt(ROOT_DISK_TARGET)));
}

function addFurther(children: XmlNode[], { is, over }: WantedDisk): void {
  const disks = elementsIn(children).filter(({ name }) => name === 'disk');
  if (disks.some((disk) => is(disk) && !isAtRoot(disk))) return;
  children.push(over(diskAt(freeTarget(disks))));
}

/** The first behind the disk that it boots from that none of these is at. */
export function freeTarget(devices: readonly XmlElement[]): string {
  const taken = new Set(devices.map(targetOf));
  for (let index = 1; ; index += 1) {
    const target = `vd${letters(index)}`;
    if (!taken.has(target)) return target;
  }
}

/** The same bytes twice in one guest destroy them. */
function refuseTwice(children: readonly XmlNode[], { path }: DiskSource): void {
  const having = elementsIn(children).filter((device) => {
    const source = childNamed(device, 'source');
    return [attributeOf(source, 'file'), attributeOf(source, 'dev')].includes(path);
  });
  if (having.length > 1) {
    throw new HostError('Refused', `another device of the domain has ${path} already`);
  }
}

function elementsIn(children: readonly XmlNode[]): readonly XmlElement[] {
  return children.filter((child) => typeof child !== 'string');
}

/** 0: `a`, 25: `z`, 26: `aa`. */
function letters(index: number): string {
  const last = String.fromCodePoint(97 + (index % 26));
  return index < 26 ? last : letters(Math.floor(index / 26) - 1) + last;
}

function diskAt(target: string): XmlElement {
  return element('disk', { type: 'file', device: 'disk' }, [
    element('target', { dev: target, bus: 'virtio' }),
  ]);
}

/** What a guest sees at this place, with nothing in it: its target and its address on the bus. */
function emptied(disk: XmlElement): XmlElement {
  const kept = ['target', 'address'].flatMap((name) => childNamed(disk, name) ?? []);
  return element('disk', { type: 'file', device: 'disk' }, kept);
}

function fileDisk(current: XmlElement | undefined, source: DiskSource, format: string): XmlElement {
  const there = current !== undefined && !isRootDisk(current) ? emptied(current) : current;
  return withSource(there ?? diskAt(ROOT_DISK_TARGET), source, format, element('backingStore'));
}

/** The serial number is what the guest finds it by, in /dev/disk/by-id. */
function volumeDisk(
  current: XmlElement | undefined,
  use: VolumeUse,
  layout: StoreLayout,
): XmlElement {
  const { volume, format } = use;
  const isIts = current !== undefined && volumeOf(current) === volume;
  const base = isIts ? current : emptied(current ?? diskAt(ROOT_DISK_TARGET));
  const disk = edit(base, [
    ['driver', (driver) => driver ?? element('driver', { name: 'qemu', discard: 'unmap' })],
  ]);
  return edit(withSource(disk, sourceOf(use, layout), format, backingOf(use, layout)), [
    ['serial', (serial) => serial ?? element('serial', {}, [serialOf(volume)])],
    ['alias', (alias) => alias ?? element('alias', { name: volumeAliasOf(volume) })],
  ]);
}

function backingOf({ backing }: VolumeUse, layout: StoreLayout): XmlElement {
  if (backing === null) return element('backingStore');
  const file = layout.imageFile(backing.image, backing.format);
  return element('backingStore', { type: 'file' }, [
    element('format', { type: backing.format }),
    // It can be read by everybody, and is not to become QEMU's own, which could then write to it.
    element('source', { file }, [element('seclabel', { model: 'dac', relabel: 'no' })]),
    element('backingStore'),
  ]);
}

function withSource(
  disk: XmlElement,
  { type, path }: DiskSource,
  format: string,
  backing: XmlElement,
): XmlElement {
  return edit(withAttributes(disk, { type }), [
    [
      'driver',
      (driver) => withAttributes(driver ?? element('driver', { name: 'qemu' }), { type: format }),
    ],
    ['source', () => element('source', type === 'block' ? { dev: path } : { file: path })],
    ['backingStore', () => backing],
  ]);
}
