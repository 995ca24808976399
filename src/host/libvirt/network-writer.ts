/**
 * Changing networks. What is reserved is changed in the definition first, and then in the running
 * network: a crash in between leaves what is seen as stray and asked for again.
 */
import type { Connection } from '../../libvirt/index.ts';
import { parseXml } from '../../libvirt/xml.ts';
import type { SecondaryName } from '../../model/names.ts';
import type { NetworkRef, Reservation } from '../../model/network.ts';
import type { NetworkWriter } from '../ports.ts';
import { calling } from './host-error-from.ts';
import { updatesFor } from './network-hosts.ts';
import { networkHandle, readSides, unlessGone } from './network-reader.ts';
import { writeNetworkXml } from './write-network-xml.ts';

export function networkWriter({ networks }: Connection): NetworkWriter {
  const on = (doing: string, ref: NetworkRef, call: () => Promise<unknown>) =>
    calling(`${doing} network ${ref.networkName}`, async () => void (await call()));
  return {
    define: (definition, signal) =>
      on('defining', definition, async () => {
        const handle = networkHandle(definition);
        const current = await unlessGone(networks.xml(handle, { inactive: true, signal }));
        await networks.define(writeNetworkXml(definition, current), { signal });
      }),
    start: (ref, signal) =>
      on('starting', ref, () => networks.create(networkHandle(ref), { signal })),
    stop: (ref, signal) =>
      on('stopping', ref, () => networks.destroy(networkHandle(ref), { signal })),
    undefine: (ref, signal) =>
      on('undefining', ref, () => networks.undefine(networkHandle(ref), { signal })),
    reserve: (ref, name, reservation, signal) =>
      on(`reserving an address for ${name} in`, ref, () =>
        change(networks, ref, name, reservation, signal),
      ),
    unreserve: (ref, name, signal) =>
      on(`releasing the address of ${name} in`, ref, () =>
        change(networks, ref, name, null, signal),
      ),
  };
}

async function change(
  networks: Connection['networks'],
  ref: NetworkRef,
  name: SecondaryName,
  wanted: Reservation | null,
  signal: AbortSignal,
): Promise<void> {
  const network = networkHandle(ref);
  const { config, live } = await readSides(networks, network, signal);
  const updates = (xml: string | null) =>
    xml === null ? [] : updatesFor(parseXml(xml), name, wanted);
  // Both before the first call: what one of them refuses is done to neither.
  const toConfig = updates(config);
  const toLive = updates(live);
  for (const update of toConfig) await networks.update(network, update, { config: true, signal });
  for (const update of toLive) await networks.update(network, update, { live: true, signal });
}
