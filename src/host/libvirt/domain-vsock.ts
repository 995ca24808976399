/** The vsock device of a Secondary that says by it that it is ready. A domain can have one only. */
import type { XmlElement, XmlNode } from '../../libvirt/xml.ts';
import { type Owner, secondaryUuid } from '../../model/identity.ts';
import { cidOf } from '../../model/vsock.ts';
import { HostError } from '../host-error.ts';
import { attributeOf, childNamed, edit, element } from './xml-tree.ts';

const isVsock = (device: XmlNode): device is XmlElement =>
  typeof device !== 'string' && device.name === 'vsock';

/** Null: none, or one that libvirt chooses for each run. */
export function cidIn(devices: XmlElement | undefined): number | null {
  const device = devices?.children.find(isVsock);
  const address = attributeOf(childNamed(device, 'cid'), 'address') ?? '';
  return /^[1-9][0-9]{0,9}$/.test(address) ? Number(address) : null;
}

/** @param isOurs whether our mark says that we gave it one */
export function readVsock(
  devices: XmlElement | undefined,
  owner: Owner | null,
  isOurs: boolean,
): { readonly vsock: string; readonly foreignCid: number | null } {
  if (devices?.children.some(isVsock) !== true) return { vsock: 'None', foreignCid: null };
  const cid = cidIn(devices);
  if (!isOurs || owner === null) return { vsock: 'None', foreignCid: cid ?? 0 };
  const isIts = cid === cidOf(secondaryUuid(owner));
  return { vsock: isIts ? 'Heartbeat' : `CID ${cid ?? 'of each run'}`, foreignCid: null };
}

/** The devices with the one that is wanted, in its place if there is one. */
export function withVsock(
  devices: readonly XmlNode[],
  wanted: string,
  owner: Owner,
  isOurs: boolean,
): readonly XmlNode[] {
  if (wanted === 'None') return devices.filter((child) => !isOurs || !isVsock(child));
  if (wanted !== 'Heartbeat') throw new HostError('Refused', `no vsock device is called ${wanted}`);
  const cid = element('cid', { auto: 'no', address: `${cidOf(secondaryUuid(owner))}` });
  const device = devices.find(isVsock);
  if (device === undefined) return [...devices, element('vsock', { model: 'virtio' }, [cid])];
  if (!isOurs) {
    throw new HostError('Conflict', 'the domain has a vsock device that somebody else gave it');
  }
  return devices.map((child) => (isVsock(child) ? edit(child, [['cid', () => cid]]) : child));
}
