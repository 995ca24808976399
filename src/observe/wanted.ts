/** What to look for on a host, beside everything of the partition that is there. */
import type { FileName, ImageName, SecondaryName, VolumeName } from '../model/names.ts';
import { type DesiredState, filesOf } from '../model/secondary.ts';
import type { SeedName } from '../model/seed.ts';

export interface Wanted {
  readonly names: ReadonlySet<SecondaryName>;
  readonly volumes: ReadonlySet<VolumeName>;
  readonly images: ReadonlySet<ImageName>;
  readonly seeds: ReadonlySet<SeedName>;
  readonly files: ReadonlySet<FileName>;
  /** Files of the host's catalogue. */
  readonly catalogue: ReadonlySet<FileName>;
  /** Who is to have a vsock address. */
  readonly withCid: ReadonlySet<SecondaryName>;
  /** libvirt's name of the Primary; null: there is none. */
  readonly primary: string | null;
}

function filesFrom(
  kind: 'file' | 'catalogue',
  images: DesiredState['images'],
): readonly FileName[] {
  return [...images.values()].flatMap(({ source }) => (source.kind === kind ? [source.file] : []));
}

export const nothingWanted: Wanted = {
  names: new Set(),
  volumes: new Set(),
  images: new Set(),
  seeds: new Set(),
  files: new Set(),
  catalogue: new Set(),
  withCid: new Set(),
  primary: null,
};

export function wantedBy({ secondaries, volumes, images, primary }: DesiredState): Wanted {
  return {
    names: new Set(secondaries.keys()),
    volumes: new Set(
      [...volumes.values()].flatMap(({ name, copyOf }) => [name, copyOf ?? []].flat()),
    ),
    images: new Set(images.keys()),
    seeds: new Set([...secondaries.values()].flatMap(({ seed }) => seed?.name ?? [])),
    files: new Set([
      ...[...secondaries.values()].flatMap(({ boot }) => filesOf(boot)),
      ...filesFrom('file', images),
    ]),
    catalogue: new Set(filesFrom('catalogue', images)),
    withCid: new Set(
      [...secondaries.values()].flatMap(({ name, readiness }) =>
        readiness === 'Heartbeat' ? [name] : [],
      ),
    ),
    primary: primary === null || primary === 'unspoken' ? null : primary.domainName,
  };
}
