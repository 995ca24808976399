/**
 * What a Primary has to know to configure the NIC that it was given on its partition's network. It follows from
 * what was seen of the host alone: nobody asks the guest, and nothing on the host waits for it.
 */
import type { Observed } from '../model/domain.ts';
import { PRIMARY_STATION } from '../model/names.ts';
import { fieldsOfNetwork } from '../model/network.ts';
import { plugOf, samePlug } from '../model/plug.ts';
import { isWithin, subnetOf } from '../model/subnet.ts';

/** `Plugged`: the running Primary has it. `None`: it has none. `Unknown`: so is that, or what it is to be. */
export const PRIMARY_NIC_WORDS = ['Plugged', 'None', 'Unknown'] as const;

export type PrimaryNic =
  | {
      readonly status: 'Plugged';
      /** In lower case. */
      readonly mac: string;
      /** The one that the network keeps for it. */
      readonly address: string;
      /** Of the network: what is reached by that NIC, and nothing else is. */
      readonly prefixLength: number;
    }
  | {
      readonly status: 'None' | 'Unknown';
      readonly mac: null;
      readonly address: null;
      readonly prefixLength: null;
    };

/** @param observed null: nothing was */
export function primaryNicOf(observed: Observed | null): PrimaryNic {
  if (observed === null || observed.primary.status === 'unknown') return not('Unknown');
  const { primary, network } = observed;
  if (primary.status === 'absent') return not('None');
  const plug = plugOf(observed);
  const isPlugged = primary.value.livePlugs?.some((each) => samePlug(each, plug)) ?? false;
  if (!isPlugged) return not('None');
  // From here on it is there, so that whatever is not right of its network is on its way to be.
  if (network.status !== 'present') return not('Unknown');
  const reserved = network.value.reservations.get(PRIMARY_STATION);
  const cidr = (network.value.live ?? fieldsOfNetwork(network.value))?.cidr;
  if (reserved?.mac !== plug.mac || cidr === undefined) return not('Unknown');
  const { mac, address } = reserved;
  if (!isWithin(subnetOf(address), subnetOf(cidr))) return not('Unknown');
  return { status: 'Plugged', mac, address, prefixLength: Number(cidr.split('/')[1]) };
}

function not(status: 'None' | 'Unknown'): PrimaryNic {
  return { status, mac: null, address: null, prefixLength: null };
}
