/** The documents of kind Secondary, expanded and judged beside each other. */
import type { ImageName, SecondaryName, VolumeName } from '../model/names.ts';
import type { DesiredState, Secondary } from '../model/secondary.ts';
import type { SeedContent, SeedName } from '../model/seed.ts';
import type { Image, Volume } from '../model/volume.ts';
import type { Diagnostic } from './diagnostic.ts';
import { tooMuchExpanded } from './expanded-size.ts';
import { expand, expansionProblems } from './expand.ts';
import { firstBootProblems, seedsFor } from './first-boot.ts';
import type { DocumentPath } from './paths.ts';
import type { Placed } from './placed.ts';
import type { SecondaryDocument } from './secondary-schema.ts';
import { startOrder } from './start-order.ts';
import { bootImageProblems, networkProblems, volumeProblems } from './secondary-references.ts';

export interface Expanded {
  readonly secondaries: ReadonlyMap<SecondaryName, Secondary>;
  readonly seedContents: DesiredState['seedContents'];
  readonly diagnostics: readonly Diagnostic[];
}

/** What Secondaries are judged beside. */
export interface Surroundings {
  readonly volumes: ReadonlyMap<VolumeName, Volume>;
  readonly images: ReadonlyMap<ImageName, Image>;
  readonly network: DesiredState['network'];
  readonly share: DesiredState['share'];
  /** Whether a name that no valid document has may be that of one with mistakes. */
  readonly mayExist: (name: string) => boolean;
}

export function expandAll(
  documents: readonly Placed<SecondaryDocument>[],
  surroundings: Surroundings,
): Expanded {
  const tooMuch = tooMuchExpanded(documents);
  if (tooMuch !== null) {
    return { secondaries: new Map(), seedContents: new Map(), diagnostics: [tooMuch] };
  }
  const order = startOrder(documents, surroundings.mayExist);
  const diagnostics: Diagnostic[] = [...order.diagnostics];
  const found: Found = { secondaries: new Map(), diskUsers: new Map() };
  const seedContents = new Map<SeedName, SeedContent>();
  for (const placed of documents) {
    const problems = [
      ...expansionProblems(placed),
      ...firstBootProblems(placed),
      ...volumeProblems(placed, surroundings, diagnostics.length),
      ...bootImageProblems(placed, surroundings, diagnostics.length),
      ...networkProblems(placed, surroundings),
    ];
    diagnostics.push(...problems);
    if (problems.length > 0) continue;
    const startAfter = order.startAfter.get(placed.document.metadata.name) ?? [];
    const seedFor = seedsFor(placed.document, seedContents);
    for (const secondary of expand(placed.document, startAfter, surroundings, seedFor)) {
      const problem = add(secondary, placed, found);
      if (problem === null) continue;
      diagnostics.push(problem);
      break;
    }
  }
  return { secondaries: found.secondaries, seedContents, diagnostics };
}

interface Found {
  readonly secondaries: Map<SecondaryName, Secondary>;
  /** By `file NAME` and `volume NAME`. */
  readonly diskUsers: Map<string, SecondaryName>;
}

function add(
  secondary: Secondary,
  { source }: Placed<SecondaryDocument>,
  { secondaries, diskUsers }: Found,
): Diagnostic | null {
  const { name, boot, disks } = secondary;
  if (secondaries.has(name)) {
    const message = `another document already stands for a Secondary named "${name}"`;
    return source.complain('DuplicateName', ['metadata', 'name'], message);
  }
  secondaries.set(name, secondary);
  for (const [disk, path] of disksOf(boot, disks)) {
    const sharer = diskUsers.get(disk);
    diskUsers.set(disk, name);
    if (sharer === undefined) continue;
    const message =
      sharer === name
        ? 'it has this disk already, and one disk twice destroys what is on it'
        : `Secondary "${sharer}" has the same disk, and two guests would destroy it`;
    return source.complain('DiskInUse', path, message);
  }
  return null;
}

type PlacedDisk = readonly [disk: string, path: DocumentPath];

/** Everything that nobody else may write to, with the field that asks for it. */
function disksOf(boot: Secondary['boot'], disks: Secondary['disks']): readonly PlacedDisk[] {
  const others = disks.map(({ volume }, index): PlacedDisk => [
    `volume ${volume}`,
    ['spec', 'disks', index, 'volume'],
  ]);
  switch (boot.kind) {
    case 'kernel':
    case 'kernelImage':
      return others;
    case 'disk':
      return [[`file ${boot.file}`, ['spec', 'boot', 'disk', 'file']], ...others];
    case 'volume':
      return [[`volume ${boot.use.volume}`, ['spec', 'boot', 'volume']], ...others];
  }
}
