/** Which guest has which Volume: what QEMU's locks on the files know. */
import type { HardwareFields } from '../../model/domain.ts';
import type { PartitionName, VolumeName } from '../../model/names.ts';
import { splitUses, type VolumeUse } from '../../model/volume.ts';
import type { SimulatedDomain, World } from './world.ts';

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
