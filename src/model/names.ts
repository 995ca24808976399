/**
 * Names that people write. A name that got through here may stand in a libvirt name, a unit name
 * or a file name without quoting, because nothing else is in its alphabet (RFC 1123 label,
 * shortened to 32 so that derived names fit libvirt's and systemd's limits).
 */
import type { Brand } from './brand.ts';

export type PartitionName = Brand<string, 'PartitionName'>;
export type SecondaryName = Brand<string, 'SecondaryName'>;
export type VolumeName = Brand<string, 'VolumeName'>;
export type ImageName = Brand<string, 'ImageName'>;
/** The name of a file in a partition's store: one path component, never a path. */
export type FileName = Brand<string, 'FileName'>;

/** 1 to 32 of `a-z 0-9 -`, starting with a letter, not ending in `-`. */
export const NAME_PATTERN = /^[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
/** 1 to 128 of `A-Z a-z 0-9 . _ + -`, starting with a letter or digit: neither `..` nor `/` can occur as a path. */
export const FILE_NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/;

export function partitionName(text: string): PartitionName | undefined {
  return NAME_PATTERN.test(text) ? (text as PartitionName) : undefined;
}

export function secondaryName(text: string): SecondaryName | undefined {
  return NAME_PATTERN.test(text) ? (text as SecondaryName) : undefined;
}

/**
 * The Primary, among those who have an address on its partition's network. It stands where names of
 * Secondaries do, and is none: no document, domain or folder can be called so. libvirt wants a letter
 * first, and dnsmasq lets an underscore in behind it.
 */
export const PRIMARY_STATION = 'the_primary' as SecondaryName;

/** Whoever can have an address there. */
export function stationName(text: string): SecondaryName | undefined {
  return text === PRIMARY_STATION ? PRIMARY_STATION : secondaryName(text);
}

export function volumeName(text: string): VolumeName | undefined {
  return NAME_PATTERN.test(text) ? (text as VolumeName) : undefined;
}

export function imageName(text: string): ImageName | undefined {
  return NAME_PATTERN.test(text) ? (text as ImageName) : undefined;
}

/** Order by code unit: the same on every machine and in every locale. */
export function byName(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
