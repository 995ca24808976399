/**
 * Documents that are right and that nothing can act on yet. They are refused as a whole wherever
 * something would be done about them: half of what somebody asked for is not what they asked for.
 */
import type { Diagnostic } from './diagnostic.ts';
import type { PartitionDocument } from './partition-schema.ts';
import type { DocumentPath } from './paths.ts';
import type { Placed } from './placed.ts';

/** A field that cannot be acted on, and what acting on it needs, as the end of a sentence. */
type Missing = readonly [path: DocumentPath, needs: string];

export function notYetSupported({ document, source }: Placed): Diagnostic[] {
  return missingIn(document).map(([path, needs]) => {
    const message = `this is valid, and cannot be applied by this version: ${needs}`;
    return source.complain('NotYetSupported', path, message);
  });
}

function missingIn(document: Placed['document']): readonly Missing[] {
  switch (document.kind) {
    case 'Secondary':
    case 'Volume':
    case 'Image':
      return [];
    case 'Partition':
      return missingOfPartition(document);
  }
}

function missingOfPartition({ spec }: PartitionDocument): readonly Missing[] {
  const missing: Missing[] = [];
  const refuse = (isSet: boolean, path: DocumentPath, needs: string) => {
    if (isSet) missing.push([['spec', ...path], needs]);
  };
  const { policy } = spec;
  const grants = ['primary', 'grants'];
  refuse(isGranted(spec, 'channel'), grants, 'no Primary is given a channel yet');
  for (const list of lists)
    refuse(policy[list].length > 0, ['policy', list], 'there is no policy about that yet');
  return missing;
}

type Grant = NonNullable<PartitionDocument['spec']['primary']>['grants'][number];

function isGranted({ primary }: PartitionDocument['spec'], grant: Grant): boolean {
  return primary?.grants.includes(grant) ?? false;
}

const lists = ['devices', 'confidential', 'features'] as const;
