/** The fields of a network by what matters about it in a test; all else is as no document says anything. */
import type { NetworkFields } from '../../src/model/network.ts';

/** In the order in which documents give them, which a plan's file keeps. */
export function networkFields({
  cidr,
  mode = 'nat',
  uplink = null,
  portIsolation = false,
  egress = null,
  networkBytesPerSecond = null,
}: Pick<NetworkFields, 'cidr'> & Partial<NetworkFields>): NetworkFields {
  return { cidr, mode, uplink, portIsolation, egress, networkBytesPerSecond };
}
