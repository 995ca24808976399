/** What the host says of the Primary's NIC on its partition's network, in a form that commands may be made of. */
import * as z from 'zod';
import type { PartitionStatus } from '../../report/partition-status.ts';

export interface PluggedNic {
  readonly mac: string;
  /** `10.20.0.7/24`. */
  readonly cidr: string;
}

/** What there is stays as it is. */
export interface NicUnknown {
  readonly status: 'unknown';
  readonly message: string;
}

export type NicKnown = ({ readonly status: 'plugged' } & PluggedNic) | { readonly status: 'none' };
export type NicWanted = NicKnown | NicUnknown;

const plugged = z.object({
  status: z.literal('Plugged'),
  mac: z.string().regex(/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/),
  address: z.ipv4(),
  // A default route is none of them.
  prefixLength: z.int().min(8).max(30),
});
const said = z.union([plugged, z.object({ status: z.enum(['None', 'Unknown']) })]);

export const nothingHeard: NicUnknown = {
  status: 'unknown',
  message: 'the host has not said anything of a NIC yet',
};

export function nicWanted(status: PartitionStatus): NicWanted {
  // Border: of another version it may be anything, or not be there.
  const given: unknown = status.primaryNic;
  if (given === undefined) {
    const message =
      'the host says nothing of a NIC: unnestd there is of a version before this one, so upgrade unnest on the host';
    return { status: 'unknown', message };
  }
  const heard = said.safeParse(given);
  if (!heard.success) {
    const message = `the host says of the NIC what this version does not understand: ${JSON.stringify(given).slice(0, 200)}`;
    return { status: 'unknown', message };
  }
  switch (heard.data.status) {
    case 'Plugged': {
      const { mac, address, prefixLength } = heard.data;
      return { status: 'plugged', mac, cidr: `${address}/${prefixLength}` };
    }
    case 'None':
      return { status: 'none' };
    case 'Unknown':
      return {
        status: 'unknown',
        message: 'the host does not know at the moment which NIC there is',
      };
  }
}
