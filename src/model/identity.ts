/**
 * Who a thing on the host belongs to. The UUID of a domain follows from the installation, the
 * partition and the Secondary's name, so that a crash between "made" and "noted down" loses
 * nothing: the next pass finds the same UUID again. Two installations on one host never collide,
 * since the installation id is random.
 */
import { v5, validate } from 'uuid';
import type { Brand } from './brand.ts';
import type { PartitionName, SecondaryName } from './names.ts';

export type InstallationId = Brand<string, 'InstallationId'>;
export type DomainUuid = Brand<string, 'DomainUuid'>;

/** Every libvirt object made here has a name that starts so. */
const NAME_PREFIX = 'unnest';

/** The mark that every domain made here carries in its libvirt metadata. */
export interface Owner {
  readonly installation: InstallationId;
  readonly partition: PartitionName;
  readonly secondary: SecondaryName;
}

export function installationId(text: string): InstallationId | undefined {
  return validate(text) ? (text.toLowerCase() as InstallationId) : undefined;
}

/** The UUID libvirt gives us back, in its canonical lower-case form. */
export function domainUuid(text: string): DomainUuid | undefined {
  return validate(text) ? (text.toLowerCase() as DomainUuid) : undefined;
}

/** UUIDv5 (RFC 9562) of `PARTITION/secondary/NAME` in the installation's namespace. */
export function secondaryUuid(owner: Owner): DomainUuid {
  return v5(`${owner.partition}/secondary/${owner.secondary}`, owner.installation) as DomainUuid;
}

/** A dot separates: it is in libvirt's alphabet and not in ours, so `a-b`+`c` and `a`+`b-c` differ. */
export function domainName(partition: PartitionName, secondary: SecondaryName): string {
  return `${domainNamePrefix(partition)}${secondary}`;
}

export function domainNamePrefix(partition: PartitionName): string {
  return `${NAME_PREFIX}.${partition}.`;
}

export function sameOwner(a: Owner, b: Owner): boolean {
  return (
    a.installation === b.installation && a.partition === b.partition && a.secondary === b.secondary
  );
}
