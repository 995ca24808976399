/** Which Images are to be fetched, and which of them can be by now. Pure. */
import type { Observed } from '../model/domain.ts';
import type { PartitionOwner } from '../model/identity.ts';
import { type ImageHost, type ImageUrl, parseImageUrl } from '../model/image-url.ts';
import { type Intake, intakeOf, isFor } from '../model/intake.ts';
import { byName, type ImageName } from '../model/names.ts';
import type { DesiredState } from '../model/secondary.ts';
import type { Image } from '../model/volume.ts';
import type { Plan } from '../plan/plan.ts';

export interface Looked {
  readonly observed: Observed;
  readonly plan: Pick<Plan, 'operations'>;
}

/** One that the documents ask for. */
interface Fetch {
  readonly image: ImageName;
  readonly digest: string;
  readonly url: ImageUrl;
  readonly sizeBytes: number;
  /** Where redirects may lead, too. */
  readonly hosts: readonly ImageHost[];
}

export interface Wanted extends Fetch {
  readonly owner: PartitionOwner;
}

/** Where it comes in. */
export function intakeFor({ image, digest, sizeBytes }: Fetch): Intake {
  return { image, kind: 'url', digest, sizeBytes };
}

/** Another one of the same name is another thing to try. */
export function keyOf({ digest, url, sizeBytes, hosts }: Fetch): string {
  return JSON.stringify([digest, url, sizeBytes, hosts]);
}

export function fetchesFor({ images, imageHosts: hosts }: DesiredState): readonly Fetch[] {
  return [...images.values()].flatMap(({ name: image, digest, source }): Fetch[] => {
    if (source.kind !== 'url' || !source.isAllowed) return [];
    const url = parseImageUrl(source.url);
    return url === null ? [] : [{ image, digest, url, sizeBytes: source.sizeBytes, hosts }];
  });
}

/** Whose room is there, which nothing of the plan is about to touch: in the order of their names. */
export function mayFetchIn(desired: DesiredState, looked: Looked): readonly Wanted[] {
  const { observed } = looked;
  const { installation, partition } = observed;
  if (!isPlaceThere(desired, looked)) return [];
  return fetchesFor(desired)
    .filter(({ image }) => isRoomThere(desired.images.get(image), looked))
    .sort((a, b) => byName(a.image, b.image))
    .map((fetch) => ({ ...fetch, owner: { installation, partition } }));
}

/** Who has a slice fetches in it, and so not before it is there. */
function isPlaceThere({ share }: DesiredState, { observed, plan }: Looked): boolean {
  if (plan.operations.some(({ kind }) => kind === 'slice.remove')) return false;
  if (share === 'unspoken' || share === null || share.enforcement !== 'Cgroup') return true;
  return observed.slice.status === 'present';
}

function isRoomThere(image: Image | undefined, { observed, plan }: Looked): boolean {
  const intake = image === undefined ? null : intakeOf(image);
  if (image === undefined || intake === null) return false;
  const seen = observed.intakes.get(image.name);
  if (seen?.status !== 'present' || seen.value.state !== 'ready') return false;
  const { heldBytes, receivedBytes, sizeBytes } = seen.value;
  if (!isFor(intake, seen.value) || heldBytes === 0 || receivedBytes >= sizeBytes) return false;
  return !plan.operations.some(
    ({ resource }) => resource?.kind === 'intake' && resource.name === image.name,
  );
}
