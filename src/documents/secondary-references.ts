/** What a Secondary refers to, besides other Secondaries: Volumes, and the network. */
import { volumeName } from '../model/names.ts';
import type { Diagnostic } from './diagnostic.ts';
import { replicaNames, withName } from './expand.ts';
import type { DocumentPath } from './paths.ts';
import type { Placed } from './placed.ts';
import { dangling } from './references.ts';
import type { Surroundings } from './secondaries.ts';
import type { SecondaryDocument } from './secondary-schema.ts';

/**
 * One for each field that is wrong, however many replicas it is wrong for.
 * @param mistakes how many were found before
 */
export function volumeProblems(
  { document, source }: Placed<SecondaryDocument>,
  { volumes, mayExist }: Surroundings,
  mistakes: number,
): Diagnostic[] {
  const names = replicaNames(document);
  return references(document).flatMap(([template, path]) => {
    const shared = names.length > 1 && !template.includes('$(name)');
    if (shared) {
      const message = `${names.length} replicas would have the same disk, and two guests would destroy it`;
      const remedy = `name one for each, such as $(name)-${template}`;
      return [source.complain('DiskInUse', path, message, { remedy })];
    }
    for (const text of names.map((each) => withName(template, each))) {
      const name = volumeName(text);
      if (name === undefined) {
        const message = `with the name filled in it is "${text}": expected at most 32 lower-case letters, digits and "-"`;
        return [source.complain('InvalidValue', path, message)];
      }
      if (volumes.has(name) || mayExist(name)) continue;
      const words = dangling('Volume', name, volumes, mistakes);
      return [source.complain('UnknownReference', path, ...words)];
    }
    return [];
  });
}

export function networkProblems(
  { document, source }: Placed<SecondaryDocument>,
  { network }: Surroundings,
): Diagnostic[] {
  if (document.spec.network === 'None' || network !== null) return [];
  const message = 'the Partition document describes no network';
  const remedy = 'give the Partition a spec.network, or say network: None';
  return [source.complain('UnknownReference', ['spec', 'network'], message, { remedy })];
}

function references({ spec }: SecondaryDocument): readonly (readonly [string, DocumentPath])[] {
  const { boot, disks } = spec;
  return [
    ...('volume' in boot ? [[boot.volume, ['spec', 'boot', 'volume']] as const] : []),
    ...disks.map(({ volume }, index) => [volume, ['spec', 'disks', index, 'volume']] as const),
  ];
}
