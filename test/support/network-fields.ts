/** The fields of a network by what matters about it in a test; all else is as no document says anything. */
import type { NetworkFields } from '../../src/model/network.ts';

const nothingSaid = {
  mode: 'nat',
  uplink: null,
  portIsolation: false,
  egress: null,
  networkBytesPerSecond: null,
} as const;

export function networkFields(
  some: Pick<NetworkFields, 'cidr'> & Partial<NetworkFields>,
): NetworkFields {
  return { ...nothingSaid, ...some };
}
