/**
 * Operations on the NIC of a Primary. It is plugged in when libvirt shows it, and out when its guest has
 * let go of it: one that does not is asked again by another pass, and never forced.
 */
import { HostError } from '../host/host-error.ts';
import { type PrimaryPlug, samePlug } from '../model/plug.ts';
import type { ObservedPrimary } from '../model/primary.ts';
import type { OperationOf } from '../plan/operation.ts';
import { askUntil, device } from './ask-until.ts';
import type { Done, Workbench } from './executors.ts';
import { readPrimary } from './primary.ts';

export async function plugPrimary(
  { primary, plug }: OperationOf<'primary.plug'>,
  bench: Workbench,
): Promise<Done> {
  if (isSo(await readPrimary(primary, bench), plug)) return 'already';
  await bench.host.primaries.plug(primary, plug, bench.signal);
  if (isSo(await readPrimary(primary, bench), plug)) return 'applied';
  throw new HostError('Conflict', `${primary.domainName} is not plugged in as it was asked to be`);
}

function isSo(primary: ObservedPrimary, plug: PrimaryPlug): boolean {
  return sidesOf(primary).every((side) => {
    const ours = side.filter(({ alias }) => alias === plug.alias);
    return ours.length === 1 && ours.every((each) => samePlug(each, plug));
  });
}

export function unplugPrimary(
  { primary, alias }: OperationOf<'primary.unplug'>,
  bench: Workbench,
): Promise<Done> {
  const ask = () => bench.host.primaries.unplug(primary, alias, bench.signal);
  const isGone = (seen: ObservedPrimary) =>
    sidesOf(seen).every((side) => side.every((each) => each.alias !== alias));
  const refusal = () => `${primary.domainName} has not let go of its NIC`;
  const read = () => readPrimary(primary, bench);
  return askUntil(primary, { read, ask, isSo: isGone, patience: device, forMs: 0, refusal }, bench);
}

function sidesOf({ plugs, livePlugs }: ObservedPrimary): readonly (readonly PrimaryPlug[])[] {
  return livePlugs === null ? [plugs] : [plugs, livePlugs];
}
