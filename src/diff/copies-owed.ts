import type { Observed } from '../model/domain.ts';
import type { VolumeName } from '../model/names.ts';
import type { DesiredState } from '../model/secondary.ts';
import { looked } from './ownership.ts';

/** By Volume: those that are to begin with its data, and are not known to have. */
export function copiesOwed(
  { volumes }: DesiredState,
  observed: Observed,
): ReadonlyMap<VolumeName, readonly VolumeName[]> {
  const owed = new Map<VolumeName, VolumeName[]>();
  for (const { name, copyOf } of volumes.values()) {
    if (copyOf === null) continue;
    const seen = looked(observed.volumes.get(name));
    if (seen.status === 'present' && seen.value.state === 'ready') continue;
    owed.set(copyOf, [...(owed.get(copyOf) ?? []), name]);
  }
  return owed;
}
