/** Reading networks: the definition and the running network are two things, and both count. */
import { LibvirtError, type Network, type ReadOnlyConnection } from '../../libvirt/index.ts';
import { parseXml, type XmlElement } from '../../libvirt/xml.ts';
import { networkUuidFrom } from '../../model/identity.ts';
import type { NetworkRef, ObservedNetwork } from '../../model/network.ts';
import { absent, type Observation, present, unknown } from '../../model/observation.ts';
import { explainError } from '../host-error.ts';
import type { NetworkReader } from '../ports.ts';
import { calling } from './host-error-from.ts';
import { readEntries, readReservations } from './network-hosts.ts';
import { networkFingerprint, readNetwork } from './read-network-xml.ts';

export function networkReader({ networks }: ReadOnlyConnection): NetworkReader {
  return {
    find: (ref, signal) =>
      calling(`reading network ${ref.networkName}`, async () => {
        const found =
          (await unlessGone(networks.lookupByUuid(ref.uuid, { signal }))) ??
          (await unlessGone(networks.lookupByName(ref.networkName, { signal })));
        const sides = found && (await unlessGone(readSides(networks, found, signal)));
        return found && sides ? observation(found, sides) : absent;
      }),
  };
}

export function networkHandle({ networkName, uuid }: NetworkRef): Network {
  return { name: networkName, uuid };
}

/** Null for a network that libvirt does not have, or no longer. */
export async function unlessGone<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof LibvirtError && error.code === 'NO_NETWORK') return null;
    throw error;
  }
}

/** At least one of the two is there. */
export interface NetworkSides {
  /** Null for a transient network, which vanishes when it stops. */
  readonly config: string | null;
  /** Null unless it is active. */
  readonly live: string | null;
}

export async function readSides(
  networks: ReadOnlyConnection['networks'],
  network: Network,
  signal: AbortSignal,
): Promise<NetworkSides> {
  const [isActive, isPersistent, config] = await Promise.all([
    networks.isActive(network, { signal }),
    networks.isPersistent(network, { signal }),
    // Of a transient network libvirt shows what runs.
    networks.xml(network, { inactive: true, signal }),
  ]);
  const live = isActive ? await networks.xml(network, { signal }) : null;
  return { config: isPersistent ? config : null, live };
}

function observation(
  { name, uuid }: Network,
  { config, live }: NetworkSides,
): Observation<ObservedNetwork> {
  const known = networkUuidFrom(uuid);
  try {
    const definition = config === null ? null : parseXml(config);
    const running = live === null ? null : parseXml(live);
    const shown = definition ?? running;
    if (known === undefined || shown === null) return unknown('libvirt does not say what it is');
    const { owner, fields, lastApplied } = readNetwork(shown);
    return present({
      uuid: known,
      networkName: name,
      owner,
      active: running !== null,
      defined: definition === null ? null : fields,
      live: running === null ? null : readNetwork(running).fields,
      lastApplied: definition === null ? null : lastApplied,
      ...readReservations([definition, running].filter(isThere)),
      ...readEntries([definition, running].filter(isThere)),
      fingerprint: networkFingerprint(shown),
    });
  } catch (error) {
    return unknown(`its XML cannot be read: ${explainError(error)}`);
  }
}

function isThere(side: XmlElement | null): side is XmlElement {
  return side !== null;
}
