/** The NIC of a Secondary on its partition's network; NICs without our alias are an operator's. */
import type { XmlElement, XmlNode } from '../../libvirt/xml.ts';
import { macAddress, networkName, type Owner, tapName } from '../../model/identity.ts';
import { HostError } from '../host-error.ts';
import { isNic, NIC_ALIAS } from './domain-parts.ts';
import { attributeOf, childNamed, type Edit, edit, element, withAttributes } from './xml-tree.ts';

/**
 * How libvirt begins the name of a tap that it makes up for a run. Those of guests that were defined
 * before taps had names of ours are no difference: they get theirs with their next definition.
 */
const MADE_UP = 'vnet';

/** `None`, `Partition`, or words that no document can ask for. */
export function readNic(
  devices: readonly XmlElement[],
  owner: Owner | null,
  isPluggedIn: (tap: string) => boolean,
): string {
  const nic = devices.find(isNic);
  if (nic === undefined) return 'None';
  if (owner !== null && isOfPartition(nic, owner)) {
    const tap = attributeOf(childNamed(nic, 'target'), 'dev');
    if (tap === undefined) return 'Partition';
    // The packet filter knows it by its tap.
    if (tap !== tapName(owner) && !tap.startsWith(MADE_UP)) return `Partition, by ${tap}`;
    return isPluggedIn(tap) ? 'Partition' : 'Partition, unplugged';
  }
  const mac = attributeOf(childNamed(nic, 'mac'), 'address') ?? 'no address';
  const source = attributeOf(childNamed(nic, 'source'), 'network') ?? attributeOf(nic, 'type');
  return `${mac} on ${source ?? 'nothing'}`;
}

/** What else a running one says of its source is libvirt's. */
function isOfPartition(nic: XmlElement, owner: Owner): boolean {
  return (
    attributeOf(nic, 'type') === 'network' &&
    attributeOf(childNamed(nic, 'mac'), 'address')?.toLowerCase() === macAddress(owner) &&
    attributeOf(childNamed(nic, 'source'), 'network') === networkName(owner.partition)
  );
}

/** The devices with the NIC that is wanted, in its place if there is one. */
export function withNic(
  devices: readonly XmlNode[],
  wanted: string,
  owner: Owner,
): readonly XmlNode[] {
  if (wanted !== 'None' && wanted !== 'Partition') {
    throw new HostError('Refused', `no network is called ${wanted}`);
  }
  const isOurs = (child: XmlNode) => typeof child !== 'string' && isNic(child);
  if (wanted === 'None') return devices.filter((child) => !isOurs(child));
  if (!devices.some(isOurs)) return [...devices, nicElement(undefined, owner)];
  return devices.map((child) =>
    typeof child !== 'string' && isNic(child) ? nicElement(child, owner) : child,
  );
}

/** A guest may not have its host take other addresses than its own (`trustGuestRxFilters`). */
function nicElement(current: XmlElement | undefined, owner: Owner): XmlElement {
  const tap: Edit = [
    'target',
    (target) => withAttributes(target ?? element('target'), { dev: tapName(owner) }),
  ];
  if (current !== undefined && isOfPartition(current, owner)) return edit(current, [tap]);
  const base = current ?? element('interface', { trustGuestRxFilters: 'no' });
  return edit(withAttributes(base, { type: 'network' }), [
    ['mac', () => element('mac', { address: macAddress(owner) })],
    ['source', () => element('source', { network: networkName(owner.partition) })],
    tap,
    ['model', (model) => model ?? element('model', { type: 'virtio' })],
    ['alias', () => element('alias', { name: NIC_ALIAS })],
  ]);
}
