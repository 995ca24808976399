/** What one thing was like, as far as whether something has changed about it can be told. */
import type { Observed, ObservedDomain } from '../model/domain.ts';
import type { ImageName, SecondaryName, VolumeName } from '../model/names.ts';
import type { SeedName } from '../model/seed.ts';
import type { Observation } from '../model/observation.ts';

/** @param key as `resourceKey` makes it */
export function stateOf(key: string, observed: Observed): string {
  const at = key.indexOf('/');
  const name = key.slice(at + 1);
  // What stands behind the kind is a name of that kind.
  switch (key.slice(0, at)) {
    case 'secondary':
      return textOf(observed.domains.get(name as SecondaryName), domainState);
    case 'volume':
      return textOf(observed.volumes.get(name as VolumeName), JSON.stringify);
    case 'image':
      return textOf(observed.images.get(name as ImageName), JSON.stringify);
    case 'intake':
      return textOf(observed.intakes.get(name as ImageName), JSON.stringify);
    case 'image-disk':
      return textOf(observed.imageDisk, JSON.stringify);
    case 'seed':
      return textOf(observed.seeds.get(name as SeedName), JSON.stringify);
    case 'primary':
    case 'nic':
      return textOf(observed.primary, JSON.stringify);
    case 'filter':
      return textOf(observed.filter, JSON.stringify);
    case 'slice':
      return textOf(observed.slice, ({ fields }) => JSON.stringify(fields));
    default:
      return textOf(observed.network, ({ active, fingerprint }) => `${active} ${fingerprint}`);
  }
}

/** A guest that has let go of a disk at last is another one, though its definition was so already. */
function domainState({ power, fingerprint, live }: ObservedDomain): string {
  return `${power.status} ${fingerprint} ${live?.volumes ?? ''}`;
}

/** Of what could not be read nobody knows whether it has changed: that is a state of its own. */
function textOf<T>(seen: Observation<T> | undefined, text: (value: T) => string): string {
  return seen?.status === 'present' ? text(seen.value) : (seen?.status ?? 'absent');
}
