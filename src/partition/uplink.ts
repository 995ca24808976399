/** The one interface of the host that a Primary leaves by, if it is one. */
import type { NicWay } from '../model/uplink.ts';

export type Uplink =
  | { readonly kind: 'decided'; readonly device: string }
  | { readonly kind: 'undecided'; readonly why: string };

/** Of several that lead elsewhere none is chosen: that would be a guess. */
export function uplinkOf(ways: readonly NicWay[]): Uplink {
  if (ways.length === 0) return undecided('its Primary has no NIC');
  const untold = ways.flatMap((way) => (way.kind === 'untold' ? [way.why] : []));
  if (untold[0] !== undefined) return undecided(untold[0]);
  const [device, ...others] = [
    ...new Set(ways.flatMap((way) => (way.kind === 'leaves' ? [way.by] : []))),
  ].sort();
  if (device === undefined) return undecided('no NIC of its Primary leaves the host');
  if (others.length === 0) return { kind: 'decided', device };
  return undecided(`the NICs of its Primary leave by ${[device, ...others].join(', ')}`);
}

function undecided(why: string): Uplink {
  return { kind: 'undecided', why };
}
