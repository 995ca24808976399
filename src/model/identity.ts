/**
 * Who a thing on the host belongs to. The UUID of a domain follows from the installation, the
 * partition and the Secondary's name, so that a crash between "made" and "noted down" loses
 * nothing: the next pass finds the same UUID again. Two installations on one host never collide,
 * since the installation id is random.
 */
import { v5, validate } from 'uuid';
import type { Brand } from './brand.ts';
import { type PartitionName, partitionName, type SecondaryName } from './names.ts';

export type InstallationId = Brand<string, 'InstallationId'>;
export type DomainUuid = Brand<string, 'DomainUuid'>;
export type NetworkUuid = Brand<string, 'NetworkUuid'>;

/** Every libvirt object made here has a name that starts so. */
const NAME_PREFIX = 'unnest';

/** Whose a thing is: a share of one host, as one installation of unnest knows it. */
export interface PartitionOwner {
  readonly installation: InstallationId;
  readonly partition: PartitionName;
}

/** The mark that every domain made here carries in its libvirt metadata. */
export interface Owner extends PartitionOwner {
  readonly secondary: SecondaryName;
}

export function installationId(text: string): InstallationId | undefined {
  return validate(text) ? (text.toLowerCase() as InstallationId) : undefined;
}

/** The UUID libvirt gives us back, in its canonical lower-case form. */
export function domainUuid(text: string): DomainUuid | undefined {
  return validate(text) ? (text.toLowerCase() as DomainUuid) : undefined;
}

export function networkUuidFrom(text: string): NetworkUuid | undefined {
  return validate(text) ? (text.toLowerCase() as NetworkUuid) : undefined;
}

/**
 * Each is asked for several times in a pass, and by a daemon again in every pass; a SHA-1 in
 * JavaScript takes microseconds. Bounded, since names come from tenants.
 */
const derivedUuids = new Map<string, string>();
const derivedUuidsMax = 32_768;

function derived(name: string, namespace: InstallationId): string {
  const key = `${namespace}/${name}`;
  const known = derivedUuids.get(key);
  if (known !== undefined) return known;
  const uuid = v5(name, namespace);
  if (derivedUuids.size >= derivedUuidsMax) derivedUuids.clear();
  derivedUuids.set(key, uuid);
  return uuid;
}

/** UUIDv5 (RFC 9562) of `PARTITION/secondary/NAME` in the installation's namespace. */
export function secondaryUuid(owner: Owner): DomainUuid {
  const name = `${owner.partition}/secondary/${owner.secondary}`;
  return derived(name, owner.installation) as DomainUuid;
}

/** UUIDv5 of `PARTITION/network`: a partition has one network. */
export function networkUuid({ installation, partition }: PartitionOwner): NetworkUuid {
  return derived(`${partition}/network`, installation) as NetworkUuid;
}

/**
 * The MAC address of a Secondary's NIC: 40 bits of a UUIDv5, behind the first byte of QEMU's own
 * prefix, which makes it a locally administered one (IEEE 802, bit 1 of the first byte).
 */
export function macAddress(owner: Owner): string {
  const digits = derived(`${owner.partition}/secondary/${owner.secondary}/nic`, owner.installation);
  return `52:${digits.slice(0, 8)}${digits.slice(9, 11)}`.replace(/(?<=^52:(?:..)+)(?=..)/g, ':');
}

/** libvirt's name of a partition's network. */
export function networkName(partition: PartitionName): string {
  return `${NAME_PREFIX}.${partition}`;
}

/** A name of an interface has 15 characters at most (IFNAMSIZ), so it is 48 bits of the UUID. */
export function bridgeName(owner: PartitionOwner): string {
  return `un-${networkUuid(owner).replaceAll('-', '').slice(0, 12)}`;
}

/** The packet filter's tables, named as the bridge is: nftables has no dashes in names. */
export function filterTable(owner: PartitionOwner): string {
  return bridgeName(owner).replace('-', '_');
}

/**
 * The host's side of a Secondary's NIC: with a name of its own libvirt leaves it alone, as long as
 * it does not begin like those that libvirt makes up (`vnet`, `vif`, `macvtap`).
 */
export function tapName(owner: Owner): string {
  return `unt${secondaryUuid(owner).replaceAll('-', '').slice(0, 12)}`;
}

/** Of the disk on which a Primary hands in an Image: 48 bits of a UUID, to tell disks of ours apart. */
export function lentDiskDigits({ installation, partition }: PartitionOwner, image: string): string {
  return derived(`${partition}/image/${image}/intake`, installation)
    .replaceAll('-', '')
    .slice(0, 12);
}

/** The partition's control group, by 48 bits of a UUID: slices nest at dashes, which names have. */
export function slicePath(owner: PartitionOwner): string {
  const uuid = derived(`${owner.partition}/slice`, owner.installation);
  return `${SLICES}/p${uuid.replaceAll('-', '').slice(0, 12)}`;
}

/** Every control group made here is below it. */
export const SLICES = `/${NAME_PREFIX}`;

/** A dot separates: it is in libvirt's alphabet and not in ours, so `a-b`+`c` and `a`+`b-c` differ. */
export function domainName(partition: PartitionName, secondary: SecondaryName): string {
  return `${domainNamePrefix(partition)}${secondary}`;
}

export function domainNamePrefix(partition: PartitionName): string {
  return `${NAME_PREFIX}.${partition}.`;
}

/** Whose a domain would be by its name alone; null: nobody's. */
export function partitionOfDomain(name: string): PartitionName | null {
  const [prefix, partition = '', secondary, ...more] = name.split('.');
  const isOurs = prefix === NAME_PREFIX && secondary !== undefined && more.length === 0;
  return (isOurs && partitionName(partition)) || null;
}

/** Whose a network would be by its name alone; null: nobody's. */
export function partitionOfNetwork(name: string): PartitionName | null {
  const prefix = `${NAME_PREFIX}.`;
  return (name.startsWith(prefix) && partitionName(name.slice(prefix.length))) || null;
}

/** @param a null: nobody's of ours */
export function samePartition(a: PartitionOwner | null, b: PartitionOwner): boolean {
  return a !== null && a.installation === b.installation && a.partition === b.partition;
}

export function sameOwner(a: Owner, b: Owner): boolean {
  return samePartition(a, b) && a.secondary === b.secondary;
}
