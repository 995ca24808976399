/** Where the NICs of a simulated Primary lead: every bridge has a cable, and every network is routed. */
import type { NicWay, PrimaryNic } from '../../model/uplink.ts';
import type { UplinkReader } from '../ports.ts';
import type { Simulation } from './host.ts';
import type { World } from './world.ts';

export function uplinkReader({ faults, read }: Simulation): UplinkReader {
  return {
    of: (nics, signal) =>
      faults.carryOut('uplinks.of', [], signal, {
        whole: async () => {
          const world = await read();
          return nics.map((nic) => wayOf(nic, world));
        },
      }),
  };
}

function wayOf(nic: PrimaryNic, { defaultRoute }: World): NicWay {
  switch (nic.kind) {
    case 'bridge':
      return { kind: 'leaves', by: nic.bridge };
    case 'direct':
      return { kind: 'leaves', by: nic.device };
    case 'network':
      if (defaultRoute !== null) return { kind: 'leaves', by: defaultRoute };
      return { kind: 'untold', why: 'the host has no default route' };
    case 'ethernet':
      return { kind: 'untold', why: `${nic.tap} is in no bridge` };
    case 'other':
      return { kind: 'untold', why: `a NIC of its Primary is of type ${nic.type}` };
  }
}
