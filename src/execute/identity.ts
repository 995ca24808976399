/**
 * The one place through which every operation passes before it is carried out: what it acts on is
 * ours, by the name and UUID that follow from what it is about, and, where it exists, by its mark
 * (invariant 2). A plan from a file may say anything; the host decides.
 */
import { HostError } from '../host/host-error.ts';
import type { DomainDefinition, DomainRef, ObservedDomain } from '../model/domain.ts';
import { filterRefOf, type FilterRef } from '../model/filter.ts';
import {
  bridgeName,
  domainName,
  macAddress,
  networkName,
  networkUuid,
  partitionOfDomain,
  type Owner,
  type PartitionOwner,
  sameOwner,
  samePartition,
  secondaryUuid,
  slicePath,
  tapName,
} from '../model/identity.ts';
import { secondaryName } from '../model/names.ts';
import type { NetworkDefinition, NetworkRef } from '../model/network.ts';
import { plugAlias, plugOf, samePlug } from '../model/plug.ts';
import type { Operation, OperationOf, OwnedPort } from '../plan/operation.ts';

/** Whose domain an operation acts on; null for one that acts on none. */
export function ownerFor(operation: Operation, us: PartitionOwner): Owner | null {
  if (operation.kind === 'domain.grow-disk') return operation.user;
  if (operation.resource?.kind !== 'secondary') return null;
  const secondary = secondaryName(operation.resource.name);
  return secondary === undefined ? null : { ...us, secondary };
}

/** @throws HostError `Refused` if the operation acts on anything but what it is about */
export function checkTarget(operation: Operation, us: PartitionOwner): void {
  if (isAboutItsOwn(operation, us)) return;
  throw new HostError('Refused', `${operation.id} does not act on what it is about`);
}

function isAboutItsOwn(operation: Operation, us: PartitionOwner): boolean {
  const { kind, resource } = operation;
  switch (kind) {
    case 'installation.record':
      return resource === null && operation.installation === us.installation;
    case 'domain.define':
      return isMarkedFor(operation.definition, ownerFor(operation, us));
    case 'domain.set-memory':
    case 'domain.start':
    case 'domain.resume':
    case 'domain.stop':
    case 'domain.await-ready':
    case 'domain.note-stop':
    case 'domain.forget-stop':
    case 'domain.undefine':
    case 'domain.attach-disk':
    case 'domain.detach-disk':
      return isDomainOf(operation.domain, ownerFor(operation, us));
    case 'domain.grow-disk':
      return (
        isNamed(operation, 'volume', operation.volume) &&
        samePartition(operation.user, us) &&
        isDomainOf(operation.domain, operation.user)
      );
    case 'volume.create':
      return isNamed(operation, 'volume', operation.volume.name);
    case 'volume.grow':
    case 'volume.set-deletion-policy':
    case 'volume.delete':
      return isNamed(operation, 'volume', operation.volume);
    case 'intake.create':
      return isNamed(operation, 'intake', operation.intake.image);
    case 'intake.delete':
      // Also with the Image that its bytes have become.
      return (
        isNamed(operation, 'intake', operation.image) ||
        isNamed(operation, 'image', operation.image)
      );
    case 'primary.lend-disk':
      return isNamed(operation, 'intake', operation.image) && isOperators(operation.primary);
    case 'primary.take-disk':
      return (
        (isNamed(operation, 'intake', operation.image) ||
          isNamed(operation, 'image', operation.image)) &&
        isOperators(operation.primary)
      );
    case 'intake.fill':
      return isNamed(operation, 'image', operation.image);
    case 'image-disk.create':
    case 'image-disk.rework':
    case 'image-disk.delete':
      return isNamed(operation, 'image-disk', us.partition);
    case 'primary.lend-image-disk':
    case 'primary.take-image-disk':
      return isNamed(operation, 'image-disk', us.partition) && isOperators(operation.primary);
    case 'image.verify':
    case 'image.import':
      return isNamed(operation, 'image', operation.image.name);
    case 'image.delete':
      return isNamed(operation, 'image', operation.image);
    case 'seed.create':
      return isNamed(operation, 'seed', operation.seed.name);
    case 'seed.delete':
      return isNamed(operation, 'seed', operation.seed);
    case 'primary.set-vcpus':
    case 'primary.set-memory':
      // Whose it is, its Partition says; one of ours it never is.
      return isNamed(operation, 'primary', us.partition) && isOperators(operation.primary);
    case 'primary.plug':
      // To the operator's domain exactly this is added, and exactly this is taken out again.
      return isNicOf(operation, operation.primary, us) && samePlug(operation.plug, plugOf(us));
    case 'primary.unplug':
      return isNicOf(operation, operation.primary, us) && operation.alias === plugAlias(us);
    case 'slice.apply':
    case 'slice.remove':
      return isNamed(operation, 'slice', us.partition) && operation.slice.path === slicePath(us);
    case 'filter.apply':
      return isFilterOf(operation, operation.filter, us) && operation.ports.every(isPortOf(us));
    case 'filter.close':
      return (
        isFilterOf(operation, operation.filter, us) &&
        operation.tap === tapName({ ...us, secondary: operation.secondary })
      );
    case 'filter.remove':
      return isFilterOf(operation, operation.filter, us);
    case 'network.define':
      return isNetworkOf(operation, operation.definition, us) && isOurs(operation.definition, us);
    case 'network.reserve':
      return isNetworkOf(operation, operation.network, us) && isAddressOf(operation, us);
    case 'network.start':
    case 'network.stop':
    case 'network.undefine':
    case 'network.unreserve':
      return isNetworkOf(operation, operation.network, us);
  }
}

function isNicOf(operation: Operation, primary: DomainRef, us: PartitionOwner): boolean {
  return isNamed(operation, 'nic', us.partition) && isOperators(primary);
}

function isOperators({ domainName: name }: DomainRef): boolean {
  return partitionOfDomain(name) === null;
}

function isDomainOf(target: DomainRef, owner: Owner | null): boolean {
  return (
    owner !== null &&
    target.uuid === secondaryUuid(owner) &&
    target.domainName === domainName(owner.partition, owner.secondary)
  );
}

function isMarkedFor(definition: DomainDefinition, owner: Owner | null): boolean {
  return owner !== null && isDomainOf(definition, owner) && sameOwner(definition.owner, owner);
}

/** The MAC address decides which guest gets the address. */
function isAddressOf(
  { secondary, reservation }: OperationOf<'network.reserve'>,
  us: PartitionOwner,
): boolean {
  return reservation.mac === macAddress({ ...us, secondary });
}

function isNamed(
  { resource }: Operation,
  kind: 'primary' | 'nic' | 'slice' | 'volume' | 'intake' | 'image' | 'image-disk' | 'seed',
  name: string,
): boolean {
  return resource?.kind === kind && resource.name === name;
}

function isFilterOf({ resource }: Operation, ref: FilterRef, us: PartitionOwner): boolean {
  const { table, bridge } = filterRefOf(us);
  const isOurs = ref.table === table && ref.bridge === bridge;
  return isOurs && resource?.kind === 'filter' && resource.name === us.partition;
}

/** The tap and the MAC address decide whose packets pass as whose. */
function isPortOf(us: PartitionOwner): (port: OwnedPort) => boolean {
  return ({ secondary, tap, mac }) => {
    const owner = { installation: us.installation, partition: us.partition, secondary };
    return tap === tapName(owner) && mac === macAddress(owner);
  };
}

function isNetworkOf({ resource }: Operation, ref: NetworkRef, us: PartitionOwner): boolean {
  return (
    resource?.kind === 'network' &&
    resource.name === us.partition &&
    ref.uuid === networkUuid(us) &&
    ref.networkName === networkName(us.partition)
  );
}

function isOurs({ owner, bridge }: NetworkDefinition, us: PartitionOwner): boolean {
  return samePartition(owner, us) && bridge === bridgeName(us);
}

/** @throws HostError `Conflict` if the domain that is there has another owner, or none */
export function checkOwner(domain: ObservedDomain, owner: Owner | null): void {
  if (owner !== null && domain.owner !== null && sameOwner(domain.owner, owner)) return;
  throw new HostError('Conflict', `domain ${domain.domainName} is not marked as ours`);
}

/** @throws HostError `Conflict`. @param what such as `volume data` */
export function checkPartition(
  what: string,
  found: PartitionOwner | null,
  us: PartitionOwner,
): void {
  if (samePartition(found, us)) return;
  throw new HostError('Conflict', `${what} is not marked as ours`);
}
