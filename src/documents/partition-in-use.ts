/** Which partition a bundle is for: the one that was asked for, or the one that it describes. */
import type { PartitionName } from '../model/names.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { PartitionDocument } from './partition-schema.ts';
import type { Placed } from './placed.ts';

export interface PartitionInUse {
  readonly partition: PartitionName;
  readonly diagnostics: readonly Diagnostic[];
}

/** @param given by the user; null where nothing was said, so that a single document may name it */
export function partitionInUse(
  documents: readonly Placed<PartitionDocument>[],
  given: PartitionName | null,
  fallback: PartitionName,
): PartitionInUse {
  const [only, ...others] = documents;
  if (only === undefined) return { partition: given ?? fallback, diagnostics: [] };
  const described = only.document.metadata.name;
  const partition = given ?? described;
  const strangers = given === null ? others : documents.filter((each) => nameOf(each) !== given);
  return {
    partition,
    diagnostics: strangers.map((each) => complain(each, partition, given !== null)),
  };
}

function nameOf({ document }: Placed<PartitionDocument>): PartitionName {
  return document.metadata.name;
}

function complain(
  placed: Placed<PartitionDocument>,
  partition: PartitionName,
  wasGiven: boolean,
): Diagnostic {
  const message = `this describes partition "${nameOf(placed)}", and the documents are for "${partition}"`;
  const remedy = wasGiven
    ? `say -p ${nameOf(placed)} if that one is meant`
    : 'documents are for one partition; say with -p for which';
  return placed.source.complain('WrongPartition', ['metadata', 'name'], message, { remedy });
}
