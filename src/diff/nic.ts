/**
 * The NIC that a Primary has on its partition's network: there if it is granted and there is a network,
 * and gone otherwise. Its other NICs are the operator's, and nothing here looks at them.
 */
import type { Observed } from '../model/domain.ts';
import { plugAlias, plugOf, type PrimaryPlug, samePlug } from '../model/plug.ts';
import type { ObservedPrimary } from '../model/primary.ts';
import type { DesiredState } from '../model/secondary.ts';
import type { Block, NetworkChange, NicChange } from './change.ts';
import { blocked } from './ownership.ts';

/** @param block why nobody comes up on the network now; null: they can */
export function diffNic(
  { primary: wanted }: DesiredState,
  observed: Observed,
  network: NetworkChange | null,
  block: Block | null,
): NicChange | null {
  const { partition: name, primary: seen } = observed;
  if (wanted === null || wanted === 'unspoken') return null;
  const isWanted =
    wanted.grants.includes('network') && network !== null && network.kind !== 'delete';
  if (seen.status === 'unknown' && isWanted) return blocked(name, 'HostUnknown', seen.why);
  // That it is missing the Primary itself says.
  if (seen.status !== 'present') return null;
  const plug = plugOf(observed);
  const sides = plugsIn(seen.value, plug.alias);
  const isThere = sides.some((side) => side !== null);
  if (!isWanted) {
    const { alias } = plug;
    return isThere ? { kind: 'delete', name, observed: seen.value, alias } : null;
  }
  const isSo = sides.every((side) => side !== null && samePlug(side, plug));
  if (block !== null) return isSo ? null : { kind: 'blocked', name, block };
  const isChanged = sides.some((side) => side !== null && !samePlug(side, plug));
  return { kind: isThere ? 'update' : 'create', name, observed: seen.value, plug, isChanged, isSo };
}

/** Of its definition and, where it runs, of what runs; null: there is none. */
function plugsIn(
  { plugs, livePlugs }: ObservedPrimary,
  alias: string,
): readonly (PrimaryPlug | null)[] {
  const sides = livePlugs === null ? [plugs] : [plugs, livePlugs];
  return sides.map((side) => side.find((each) => each.alias === alias) ?? null);
}

/** Whether a Primary that was looked at is on the network, or will be with its next start. */
export function isPlugged({ primary, ...us }: Observed): boolean {
  if (primary.status !== 'present') return false;
  return plugsIn(primary.value, plugAlias(us)).some((side) => side !== null);
}

export function isPluggedLive({ primary, ...us }: Observed): boolean {
  if (primary.status !== 'present') return false;
  const alias = plugAlias(us);
  return primary.value.livePlugs?.some((each) => each.alias === alias) ?? false;
}
