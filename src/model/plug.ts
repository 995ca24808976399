/**
 * The NIC that unnest gives a Primary on its partition's network. It is told from an operator's by its
 * alias, which libvirt keeps and which says whose it is: the Primary's other NICs are never touched.
 */
import { bridgeName, macAddress, networkName, type PartitionOwner, tapName } from './identity.ts';
import { PRIMARY_STATION } from './names.ts';

export interface PrimaryPlug {
  readonly alias: string;
  readonly mac: string;
  /** The host's side of it; null: it has none, or is in no bridge any more. */
  readonly tap: string | null;
  /** Null: somebody has plugged it in elsewhere. */
  readonly networkName: string | null;
}

/** libvirt leaves an alias alone that begins with `ua-`. */
export function plugAlias(owner: PartitionOwner): string {
  return `ua-${bridgeName(owner)}`;
}

export function isPlugAlias(alias: string): boolean {
  return /^ua-un-[0-9a-f]{12}$/.test(alias);
}

/** As it is to be. */
export function plugOf({ installation, partition }: PartitionOwner): PrimaryPlug {
  const owner = { installation, partition, secondary: PRIMARY_STATION };
  return {
    alias: plugAlias(owner),
    mac: macAddress(owner),
    tap: tapName(owner),
    networkName: networkName(partition),
  };
}

export function samePlug(a: PrimaryPlug, b: PrimaryPlug): boolean {
  return (
    a.alias === b.alias && a.mac === b.mac && a.tap === b.tap && a.networkName === b.networkName
  );
}
