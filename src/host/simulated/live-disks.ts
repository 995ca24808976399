/** What plugging a disk into a running guest of a simulated host does, and taking it out, and what is refused. */
import type { DomainRef } from '../../model/domain.ts';
import type { VolumeName } from '../../model/names.ts';
import { splitUses } from '../../model/volume.ts';
import { plug, usesOf } from './disk-uses.ts';
import { find, guestOf } from './domain-changes.ts';
import type { Temper } from './guest.ts';
import { refused } from './refusal.ts';
import { missingUse } from './start-needs.ts';
import type { World } from './world.ts';

export function attachDisk(world: World, ref: DomainRef, name: VolumeName): void {
  const doing = `plugging ${name} into`;
  const domain = find(world, ref, doing);
  const guest = guestOf(domain, doing);
  const { fields, owner } = domain.definition;
  const use = splitUses(fields.volumes).find(({ volume }) => volume === name);
  const refusal = (why: string) => refused(`${doing} ${ref.domainName}`, why);
  if (use === undefined || owner === null) throw refusal(`its definition has no volume ${name}`);
  if (usesOf(guest.fields).some(({ volume }) => volume === name)) {
    throw refusal('a device of that alias is there already');
  }
  const missing = missingUse(world, owner.partition, use);
  if (missing !== null) throw refusal(missing);
  if (guest.portsFree === 0) throw refusal('No more available PCI slots');
  plug(guest, fields.volumes, name);
}

/** Asked again, it is given no more time than it had. */
export function detachDisk(
  world: World,
  ref: DomainRef,
  name: VolumeName,
  { unplugsAfterMs }: Temper,
  nowMs: number,
): void {
  const { guest } = find(world, ref, `taking ${name} out of`);
  if (guest === null || !splitUses(guest.fields.volumes).some(({ volume }) => volume === name))
    return;
  if (unplugsAfterMs === null || guest.unplugging.some(({ volume }) => volume === name)) return;
  guest.unplugging.push({ atMs: nowMs + unplugsAfterMs, volume: name });
}
