/** The disks of a domain that unnest manages: a file that it boots from, and Volumes. */
import { relative } from 'node:path';
import type { XmlElement } from '../../libvirt/xml.ts';
import type { DomainFields } from '../../model/domain.ts';
import {
  FILE_NAME_PATTERN,
  type ImageName,
  imageName,
  type VolumeName,
} from '../../model/names.ts';
import { DISK_FORMATS, joinUses, splitUses, type VolumeUse } from '../../model/volume.ts';
import type { StoreLayout } from '../local/layout.ts';
import { isAtRoot, isRootDisk, type Ours, volumeOf } from './domain-parts.ts';
import { attributeOf, childNamed, elementsOf } from './xml-tree.ts';

type DiskFields = Pick<DomainFields, 'disk' | 'diskFormat' | 'bootVolume' | 'volumes'>;

/** @param order the Volumes as they were last applied, which says in which order they are told */
export function readDisks(
  devices: readonly XmlElement[],
  layout: StoreLayout,
  ours: Ours,
  order: string,
): DiskFields {
  const root = ours.disk ? devices.find(isRootDisk) : undefined;
  const volumes = devices.filter((device) => volumeOf(device) !== undefined);
  const boot = volumes.find(isAtRoot);
  const names = splitUses(order).map(({ volume }) => volume);
  const place = (disk: XmlElement) => {
    const at = names.findIndex((name) => name === volumeOf(disk));
    return at < 0 ? names.length : at;
  };
  return {
    disk: nameInStore(attributeOf(childNamed(root, 'source'), 'file'), layout),
    diskFormat: attributeOf(childNamed(root, 'driver'), 'type') ?? null,
    bootVolume: boot === undefined ? null : useText(boot, layout),
    volumes: volumes
      .filter((disk) => disk !== boot)
      .toSorted((a, b) => place(a) - place(b))
      .map((disk) => useText(disk, layout))
      .join(','),
  };
}

/** A file of the store by its name; any other path as it is, which no document can ask for. */
export function nameInStore(path: string | undefined, layout: StoreLayout): string | null {
  if (path === undefined) return null;
  const name = relative(layout.filesDir, path);
  return FILE_NAME_PATTERN.test(name) ? name : path;
}

/** As `joinUses` writes it, if all is as it has to be. If not, something that it never writes. */
function useText(disk: XmlElement, layout: StoreLayout): string {
  const volume = volumeOf(disk);
  const use = volume && useOfDisk(volume, disk, layout);
  if (use) return joinUses([use]);
  const source = childNamed(disk, 'source');
  return `${attributeOf(source, 'file') ?? attributeOf(source, 'dev') ?? volume ?? ''} (edited)`;
}

function useOfDisk(volume: VolumeName, disk: XmlElement, layout: StoreLayout): VolumeUse | null {
  const format = formatOf(attributeOf(childNamed(disk, 'driver'), 'type'));
  const backing = readBacking(childNamed(disk, 'backingStore'), layout);
  if (format === undefined || backing === 'other') return null;
  return isIts(disk, volume, format, layout) ? { volume, format, backing } : null;
}

/** Whether its bytes are those of the Volume. */
function isIts(
  disk: XmlElement,
  volume: VolumeName,
  format: VolumeUse['format'],
  layout: StoreLayout,
): boolean {
  const source = childNamed(disk, 'source');
  const type = attributeOf(disk, 'type');
  const device = layout.volumeDevice(volume, format);
  if (device !== null) return type === 'block' && attributeOf(source, 'dev') === device;
  return type === 'file' && attributeOf(source, 'file') === layout.volumeDisk(volume, format);
}

/** Where nothing is said of what lies below, QEMU would believe the file, and a guest writes that. */
function readBacking(
  store: XmlElement | undefined,
  layout: StoreLayout,
): VolumeUse['backing'] | 'other' {
  if (store === undefined) return 'other';
  if (elementsOf(store).length === 0) return null;
  const format = formatOf(attributeOf(childNamed(store, 'format'), 'type'));
  const file = attributeOf(childNamed(store, 'source'), 'file') ?? '';
  const image = imageIn(file, layout);
  const below = childNamed(store, 'backingStore');
  if (format === undefined || image === undefined || below === undefined) return 'other';
  const isOurs = file === layout.imageFile(image, format) && elementsOf(below).length === 0;
  return isOurs ? { image, format } : 'other';
}

function imageIn(file: string, layout: StoreLayout): ImageName | undefined {
  const [name = ''] = relative(layout.imagesDir, file).split('/');
  return imageName(name);
}

function formatOf(text: string | undefined): VolumeUse['format'] | undefined {
  return DISK_FORMATS.find((format) => format === text);
}
