/** Images that can be used as they are. */
import type { Observed } from '../model/domain.ts';
import { samePartition } from '../model/identity.ts';
import type { ImageName } from '../model/names.ts';
import type { ObservedImage } from '../model/volume.ts';

/** The one of that name that is there, whole, and ours, whatever a document wants of it; null: there is none. */
export function readyImage(name: ImageName, { images, ...us }: Observed): ObservedImage | null {
  const seen = images.get(name);
  if (seen?.status !== 'present') return null;
  const { owner, state } = seen.value;
  return state === 'ready' && samePartition(owner, us) ? seen.value : null;
}
