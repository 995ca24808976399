/**
 * Where the NICs of a Primary lead: what libvirt says of its networks, and the kernel of the rest.
 * Nothing is guessed: what leads to one of several, or to something that has no name on the host, is
 * untold.
 */
import { LibvirtError, type ReadOnlyConnection } from '../../libvirt/index.ts';
import { parseXml } from '../../libvirt/xml.ts';
import type { NicWay, PrimaryNic } from '../../model/uplink.ts';
import { type Interfaces, leavesBy, localInterfaces } from '../local/interfaces.ts';
import type { UplinkReader } from '../ports.ts';
import { calling } from './host-error-from.ts';
import { attributeOf, childNamed, elementsNamed } from './xml-tree.ts';

export function uplinkReader(
  { networks }: ReadOnlyConnection,
  interfaces: Interfaces = localInterfaces(),
): UplinkReader {
  const xmlOf = (name: string, signal: AbortSignal) =>
    calling(`reading network ${name}`, async () => {
      try {
        return await networks.xml(await networks.lookupByName(name, { signal }), { signal });
      } catch (error) {
        if (error instanceof LibvirtError && error.code === 'NO_NETWORK') return null;
        throw error;
      }
    });
  const wayOf = async (nic: PrimaryNic, signal: AbortSignal): Promise<NicWay> => {
    switch (nic.kind) {
      case 'bridge':
        return interfaces.ofBridge(nic.bridge, signal);
      case 'direct':
        return leavesBy(nic.device);
      case 'ethernet':
        return interfaces.ofTap(nic.tap, signal);
      case 'network': {
        const xml = await xmlOf(nic.networkName, signal);
        if (xml === null) return untold(`there is no network ${nic.networkName}`);
        return wayOfNetwork(nic.networkName, xml, interfaces, signal);
      }
      case 'other':
        return untold(`a NIC of its Primary is of type ${nic.type}`);
    }
  };
  return { of: (nics, signal) => Promise.all(nics.map((nic) => wayOf(nic, signal))) };
}

async function wayOfNetwork(
  name: string,
  xml: string,
  interfaces: Interfaces,
  signal: AbortSignal,
): Promise<NicWay> {
  const network = parseXml(xml);
  const forward = childNamed(network, 'forward');
  if (forward === undefined) return { kind: 'stays' };
  const mode = attributeOf(forward, 'mode') ?? 'nat';
  // libvirt writes the first of these as an attribute too.
  const listed = elementsNamed(forward, 'interface').map((each) => attributeOf(each, 'dev'));
  const devices = new Set([attributeOf(forward, 'dev'), ...listed].flatMap((dev) => dev ?? []));
  const [device, ...others] = devices;
  const bridge = attributeOf(childNamed(network, 'bridge'), 'name');
  if (others.length > 0)
    return untold(`network ${name} leaves by one of ${[...devices].join(', ')}`);
  if (device !== undefined) return leavesBy(device);
  if (mode === 'bridge' && bridge !== undefined) return interfaces.ofBridge(bridge, signal);
  if (routedModes.has(mode)) return interfaces.ofHost(signal);
  return untold(`network ${name} is of mode ${mode}`);
}

const routedModes: ReadonlySet<string> = new Set(['nat', 'route', 'open']);

function untold(why: string): NicWay {
  return { kind: 'untold', why };
}
