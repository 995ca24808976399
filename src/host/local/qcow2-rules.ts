/**
 * What a qcow2 may be: a list of what is allowed, so that what is new or odd is refused. It must
 * need nothing outside itself (a backing file, a data file: QEMU would open any path of the host
 * that the header names), have nothing hidden (snapshots, bitmaps), and make nobody allocate or run
 * more than its size is worth.
 */
import type { Qcow2Extension, Qcow2Header } from './qcow2-header.ts';

/** What lies below an overlay of ours: exactly this path, said to be of this format. */
export interface ExpectedBacking {
  readonly path: string;
  readonly format: string;
}

const incompatibleBits = new Map([
  [0n, 'it was not closed properly (dirty)'],
  [1n, 'it is marked as corrupt'],
  [2n, 'it has an external data file'],
  [4n, 'it has extended L2 entries'],
]);
/** Compression by zstd: the type is in the header. */
const compressionBit = 3n;
/** Lazy refcounts. */
const compatibleBitsAllowed = 1n;

const featureNames = 0x6803f857;
const backingFormat = 0xe2792aca;
const extensionNames = new Map([
  [backingFormat, 'the format of a backing file'],
  [0x44415441, 'the name of an external data file'],
  [0x0537be77, 'a LUKS header'],
  [0x23852875, 'bitmaps'],
]);

/** QEMU's own limits: qcow2.h, QCOW_MAX_L1_SIZE and QCOW_MAX_REFTABLE_SIZE. */
const l1BytesMax = 32 * 2 ** 20;
const refcountTableBytesMax = 8 * 2 ** 20;

/**
 * @param fileBytes how long the whole file is
 * @param backing what it has to lie on; null: on nothing
 * @returns the first thing that is wrong with it, or null
 */
export function qcow2Objection(
  header: Qcow2Header,
  fileBytes: number,
  backing: ExpectedBacking | null,
): string | null {
  return (
    backingObjection(header, backing) ??
    sizeObjection(header) ??
    featureObjection(header) ??
    extensionObjection(header.extensions, backing) ??
    tableObjection(header, BigInt(fileBytes))
  );
}

function backingObjection(
  { backing: there }: Qcow2Header,
  expected: ExpectedBacking | null,
): string | null {
  if (expected === null) return there === null ? null : 'it has a backing file';
  if (there?.name === expected.path) return null;
  return `it does not lie on ${expected.path}`;
}

function featureObjection(header: Qcow2Header): string | null {
  for (let bit = 0n; bit < 64n; bit += 1n) {
    if (((header.incompatibleBits >> bit) & 1n) === 0n || bit === compressionBit) continue;
    return incompatibleBits.get(bit) ?? `it needs a feature that is not known (bit ${bit})`;
  }
  const compressed = (header.incompatibleBits >> compressionBit) & 1n;
  if (BigInt(header.compressionType) !== compressed) {
    return `its type of compression is not known (${header.compressionType})`;
  }
  if ((header.compatibleBits & ~compatibleBitsAllowed) !== 0n || header.autoclearBits !== 0n) {
    return 'it has features that are not known, or bitmaps';
  }
  if (header.cryptMethod !== 0) return 'it is encrypted';
  return header.snapshots === 0 ? null : 'it has snapshots inside';
}

function extensionObjection(
  extensions: readonly Qcow2Extension[] | null,
  backing: ExpectedBacking | null,
): string | null {
  if (extensions === null) return 'its header extensions have no end';
  for (const { type, data } of extensions) {
    if (type === featureNames) continue;
    const isExpected = type === backingFormat && backing !== null;
    if (isExpected && Buffer.from(data).toString('latin1') === backing.format) continue;
    const name = extensionNames.get(type) ?? `that is not known (0x${type.toString(16)})`;
    return `it has a header extension: ${name}`;
  }
  const says = extensions.some(({ type }) => type === backingFormat);
  return backing === null || says ? null : 'it does not say the format of its backing file';
}

function sizeObjection(header: Qcow2Header): string | null {
  const { clusterBits, headerBytes, version, virtualBytes, refcountOrder } = header;
  if (clusterBits < 9 || clusterBits > 21) return `its clusters are of 2^${clusterBits} bytes`;
  const longHeader = headerBytes >= 104 && headerBytes <= 112 && headerBytes % 8 === 0;
  if (version === 3 && !longHeader) return `its header is of ${headerBytes} bytes`;
  if (refcountOrder > 6) return `its refcounts are of 2^${refcountOrder} bits`;
  if (virtualBytes === 0n) return 'it is a disk of 0 bytes';
  if (virtualBytes % 512n !== 0n) return 'it ends within a sector';
  return virtualBytes > BigInt(Number.MAX_SAFE_INTEGER) ? 'it is absurdly large' : null;
}

/** Both tables have to be where the format allows them, within the file and no longer than needed. */
function tableObjection(header: Qcow2Header, fileBytes: bigint): string | null {
  const { l1Entries, l1Offset, refcountTableOffset, virtualBytes } = header;
  const cluster = 1n << BigInt(header.clusterBits);
  const bytesPerEntry = (cluster * cluster) / 8n;
  const needed = (virtualBytes + bytesPerEntry - 1n) / bytesPerEntry;
  const l1Bytes = BigInt(l1Entries) * 8n;
  if (BigInt(l1Entries) !== needed || l1Bytes > BigInt(l1BytesMax)) {
    return `its L1 table has ${l1Entries} entries, and needs ${needed}`;
  }
  const lies = (offset: bigint, bytes: bigint) =>
    offset >= cluster && offset % cluster === 0n && offset + bytes <= fileBytes;
  if (!lies(l1Offset, l1Bytes)) return 'its L1 table does not lie within the file';
  const tableBytes = BigInt(header.refcountTableClusters) * cluster;
  if (tableBytes === 0n || tableBytes > BigInt(refcountTableBytesMax)) {
    return `its refcount table has ${header.refcountTableClusters} clusters`;
  }
  return lies(refcountTableOffset, tableBytes)
    ? null
    : 'its refcount table does not lie within the file';
}
