/** Which guest has which Volume: what QEMU's locks on the files know. */
import type { HardwareFields } from '../../model/domain.ts';
import type { PartitionName, VolumeName } from '../../model/names.ts';
import { joinUses, splitUses, type VolumeUse } from '../../model/volume.ts';
import type { Guest, SimulatedDomain, World } from './world.ts';

export function usesOf({
  bootVolume,
  volumes,
}: Pick<HardwareFields, 'bootVolume' | 'volumes'>): readonly VolumeUse[] {
  return [bootVolume ?? '', volumes].flatMap(splitUses);
}

/** The domain whose guest has the Volume open, whatever its definition says by now. */
export function runningUser(
  { domains }: World,
  partition: PartitionName,
  name: VolumeName,
): SimulatedDomain | null {
  const isUser = ({ definition, guest }: SimulatedDomain) =>
    definition.owner?.partition === partition &&
    guest !== null &&
    usesOf(guest.fields).some(({ volume }) => volume === name);
  return [...domains.values()].find(isUser) ?? null;
}

/** In the order of its definition, which is the one that a reader tells them in. */
export function plug(guest: Guest, wanted: string, volume: VolumeName): void {
  const has = new Set([...splitUses(guest.fields.volumes).map((use) => use.volume), volume]);
  const ordered = splitUses(wanted).filter((use) => has.has(use.volume));
  const others = splitUses(guest.fields.volumes).filter(
    (use) => !ordered.some((each) => each.volume === use.volume),
  );
  guest.fields = { ...guest.fields, volumes: joinUses([...ordered, ...others]) };
  guest.portsFree -= 1;
}

export function unplug(guest: Guest, volume: VolumeName): void {
  const left = splitUses(guest.fields.volumes).filter((use) => use.volume !== volume);
  guest.fields = { ...guest.fields, volumes: joinUses(left) };
  guest.portsFree += 1;
  guest.unplugging = guest.unplugging.filter((each) => each.volume !== volume);
}
