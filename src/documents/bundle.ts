/**
 * A bundle of documents to what they mean together: the end of YAML. Whoever calls this gets all
 * of it, defaulted and frozen, or every mistake there is, and never a part of it: a bundle with
 * one bad document changes nothing (invariant 6).
 */
import { egressText, type EgressRule } from '../model/egress.ts';
import type { PartitionName } from '../model/names.ts';
import { BLOCK_BYTES } from '../model/image-disk.ts';
import { GRANTS } from '../model/primary.ts';
import type { DesiredState } from '../model/secondary.ts';
import { collect, type Collected, isKind } from './collect.ts';
import type { Diagnostic } from './diagnostic.ts';
import { plainCpus } from '../model/cpu-set.ts';
import { documentLimits } from './limits.ts';
import { notYetSupported } from './not-yet-supported.ts';
import { partitionInUse } from './partition-in-use.ts';
import type { PartitionDocument } from './partition-schema.ts';
import type { Placed } from './placed.ts';
import { type PlainDocument, sourceOf } from './plain-document.ts';
import { expandAll } from './secondaries.ts';
import { parseSource, type SourceFile } from './source.ts';
import { storedIn } from './volumes.ts';

export interface Bundle extends DesiredState {
  /** As they were given. */
  readonly documents: readonly Placed[];
  /** What is valid and cannot be acted on yet. Whoever acts has to refuse it. */
  readonly notYet: readonly Diagnostic[];
}

export type ParsedBundle =
  | { readonly ok: true; readonly bundle: Bundle }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** @param partition null where nobody said: a Partition document may, else it is `fallback` */
export function parseBundle(
  files: readonly SourceFile[],
  partition: PartitionName | null,
  fallback: PartitionName = 'default' as PartitionName,
): ParsedBundle {
  const tooLarge = bundleTooLarge(files);
  if (tooLarge !== null) return { ok: false, diagnostics: [tooLarge] };
  const collected = collect(files.map((file) => () => parseSource(file)));
  return judge(
    collected,
    files.map(({ path }) => path),
    partition,
    fallback,
  );
}

/** The same from what a bundle's documents hold, once somebody else has read its YAML. */
export function bundleOfValues(
  documents: readonly PlainDocument[],
  partition: PartitionName | null,
  fallback: PartitionName = 'default' as PartitionName,
): ParsedBundle {
  const collected = collect(documents.map((document) => () => sourceOf(document)));
  return judge(
    collected,
    documents.map(({ file }) => file),
    partition,
    fallback,
  );
}

/**
 * Documents beside each other.
 * @param files as a reader goes through them
 */
export function judge(
  { placed, diagnostics, mayExist }: Collected,
  files: readonly string[],
  partition: PartitionName | null,
  fallback: PartitionName,
): ParsedBundle {
  const inUse = partitionInUse(placed.filter(isKind('Partition')), partition, fallback);
  const stored = storedIn(placed, mayExist);
  const network = networkIn(placed.filter(isKind('Partition')));
  const share = shareIn(placed.filter(isKind('Partition')));
  const { volumes, images } = stored;
  const context = { volumes, images, network, share, mayExist };
  const expanded = expandAll(placed.filter(isKind('Secondary')), context);
  const all = [
    ...diagnostics,
    ...inUse.diagnostics,
    ...expanded.diagnostics,
    ...stored.diagnostics,
  ];
  if (all.length > 0) return { ok: false, diagnostics: inOrder(all, files) };
  const notYet = placed.flatMap(notYetSupported);
  return {
    ok: true,
    bundle: Object.freeze({
      partition: inUse.partition,
      documents: placed,
      secondaries: expanded.secondaries,
      volumes,
      images,
      imageHosts: stored.imageHosts,
      seedContents: expanded.seedContents,
      network,
      share,
      commonCpus: 'unspoken',
      primary: primaryIn(placed.filter(isKind('Partition'))),
      notYet: inOrder(notYet, files),
    }),
  };
}

/** More than one Partition is a mistake of its own. */
function networkIn([placed]: readonly Placed<PartitionDocument>[]): DesiredState['network'] {
  if (placed === undefined) return 'unspoken';
  const { network, limits } = placed.document.spec;
  if (network === undefined) return null;
  const { cidr, mode, uplink = null, portIsolation } = network;
  const egress = network.egress === undefined ? null : egressText(network.egress.map(egressRule));
  const networkBytesPerSecond = limits?.networkBandwidthPerSecond ?? null;
  return Object.freeze({ cidr, mode, uplink, portIsolation, egress, networkBytesPerSecond });
}

type EgressEntry = NonNullable<NonNullable<PartitionDocument['spec']['network']>['egress']>[number];

function egressRule({ cidr, protocol, ports = [] }: EgressEntry): EgressRule {
  return { cidr, protocol: protocol ?? null, ports };
}

function primaryIn([placed]: readonly Placed<PartitionDocument>[]): DesiredState['primary'] {
  if (placed === undefined) return 'unspoken';
  const { primary } = placed.document.spec;
  if (primary === undefined) return null;
  const { vcpus, memory } = primary.reserved;
  return Object.freeze({
    domainName: primary.domain,
    reserved: Object.freeze({ vcpus, memoryBytes: memory }),
    grants: GRANTS.filter((each) => primary.grants.includes(each)),
    imageDiskBytes: primary.imageDisk === undefined ? null : wholeBlocks(primary.imageDisk.size),
  });
}

function wholeBlocks(bytes: number): number {
  return Math.floor(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

function shareIn([placed]: readonly Placed<PartitionDocument>[]): DesiredState['share'] {
  if (placed === undefined) return 'unspoken';
  const { limits, guarantees } = placed.document.spec;
  if (limits === undefined) return null;
  return Object.freeze({
    limits: Object.freeze({
      vcpus: limits.vcpus,
      memoryBytes: limits.memory,
      storageBytes: limits.storage,
      secondaries: limits.secondaries,
      diskBytesPerSecond: limits.diskBandwidthPerSecond ?? null,
      diskOperationsPerSecond: limits.diskOperationsPerSecond ?? null,
    }),
    guarantees: Object.freeze({
      cpuset: guarantees?.cpuset === undefined ? null : plainCpus(guarantees.cpuset),
      memoryBytes: guarantees?.memory ?? null,
    }),
    enforcement: limits.enforcement,
  });
}

/** As a reader goes through the files, and no more than anybody reads. */
function inOrder(diagnostics: readonly Diagnostic[], files: readonly string[]): Diagnostic[] {
  const position = new Map(files.map((file, index) => [file, index]));
  const at = ({ file }: Diagnostic) => position.get(file) ?? 0;
  return [...diagnostics]
    .sort((a, b) => at(a) - at(b) || a.line - b.line || a.column - b.column)
    .slice(0, documentLimits.diagnosticsMax);
}

/** More text than is looked at; null: it is not. */
export function bundleTooLarge(files: readonly SourceFile[]): Diagnostic | null {
  let length = 0;
  for (const file of files) {
    length += file.text.length;
    if (length <= documentLimits.bundleBytesMax) continue;
    return {
      code: 'TooLarge',
      file: file.path,
      line: 0,
      column: 0,
      path: '',
      message: `the documents are larger than ${documentLimits.bundleBytesMax} bytes together`,
      remedy: 'split them over several partitions',
      excerpt: null,
    };
  }
  return null;
}
