/**
 * What a qcow2 may be: a list of what is allowed, so that what is new or odd is refused. It must
 * need nothing outside itself (a backing file, a data file: QEMU would open any path of the host
 * that the header names), have nothing hidden (snapshots, bitmaps), and make nobody allocate or run
 * more than its size is worth.
 */
import { type Objection, type ObjectionCode, objection } from '../image-objection.ts';
import type { Qcow2Extension, Qcow2Header } from './qcow2-header.ts';

/** What lies below an overlay of ours: exactly this path, said to be of this format. */
export interface ExpectedBacking {
  readonly path: string;
  readonly format: string;
}

const incompatibleBits = new Map<bigint, Objection>([
  [0n, objection('Dirty', 'it was not closed properly (dirty)')],
  [1n, objection('Corrupt', 'it is marked as corrupt')],
  [2n, objection('ExternalDataFile', 'it has an external data file')],
  [4n, objection('UnknownFeature', 'it has extended L2 entries')],
]);
/** Compression by zstd: the type is in the header. */
const compressionBit = 3n;
/** Lazy refcounts. */
const compatibleBitsAllowed = 1n;
/** Bitmaps, and that an external data file is raw. */
const bitmapsBit = 1n;

const featureNames = 0x6803f857;
const backingFormat = 0xe2792aca;
const extensionNames = new Map<number, readonly [ObjectionCode, string]>([
  [backingFormat, ['BackingFile', 'the format of a backing file']],
  [0x44415441, ['ExternalDataFile', 'the name of an external data file']],
  [0x0537be77, ['Encrypted', 'a LUKS header']],
  [0x23852875, ['Bitmaps', 'bitmaps']],
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
): Objection | null {
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
): Objection | null {
  if (expected === null) {
    return there === null ? null : objection('BackingFile', 'it has a backing file');
  }
  if (there?.name === expected.path) return null;
  return objection('BackingFile', `it does not lie on ${expected.path}`);
}

function featureObjection(header: Qcow2Header): Objection | null {
  for (let bit = 0n; bit < 64n; bit += 1n) {
    if (((header.incompatibleBits >> bit) & 1n) === 0n || bit === compressionBit) continue;
    const unknown = objection(
      'UnknownFeature',
      `it needs a feature that is not known (bit ${bit})`,
    );
    return incompatibleBits.get(bit) ?? unknown;
  }
  const compressed = (header.incompatibleBits >> compressionBit) & 1n;
  if (BigInt(header.compressionType) !== compressed) {
    const words = `its type of compression is not known (${header.compressionType})`;
    return objection('UnknownFeature', words);
  }
  if ((header.autoclearBits & bitmapsBit) !== 0n) return objection('Bitmaps', 'it has bitmaps');
  if ((header.compatibleBits & ~compatibleBitsAllowed) !== 0n || header.autoclearBits !== 0n) {
    return objection('UnknownFeature', 'it has features that are not known');
  }
  if (header.cryptMethod !== 0) return objection('Encrypted', 'it is encrypted');
  if (header.snapshots === 0) return null;
  return objection('InternalSnapshots', 'it has snapshots inside');
}

function extensionObjection(
  extensions: readonly Qcow2Extension[] | null,
  backing: ExpectedBacking | null,
): Objection | null {
  if (extensions === null) return objection('BadGeometry', 'its header extensions have no end');
  for (const { type, data } of extensions) {
    if (type === featureNames) continue;
    const isExpected = type === backingFormat && backing !== null;
    if (isExpected && Buffer.from(data).toString('latin1') === backing.format) continue;
    const unknown = ['UnknownFeature', `that is not known (0x${type.toString(16)})`] as const;
    const [code, name] = extensionNames.get(type) ?? unknown;
    return objection(code, `it has a header extension: ${name}`);
  }
  const says = extensions.some(({ type }) => type === backingFormat);
  if (backing === null || says) return null;
  return objection('BackingFile', 'it does not say the format of its backing file');
}

function sizeObjection(header: Qcow2Header): Objection | null {
  const { clusterBits, headerBytes, version, virtualBytes, refcountOrder } = header;
  const bad = (words: string) => objection('BadGeometry', words);
  if (clusterBits < 9 || clusterBits > 21) return bad(`its clusters are of 2^${clusterBits} bytes`);
  const longHeader = headerBytes >= 104 && headerBytes <= 112 && headerBytes % 8 === 0;
  if (version === 3 && !longHeader) return bad(`its header is of ${headerBytes} bytes`);
  if (refcountOrder > 6) return bad(`its refcounts are of 2^${refcountOrder} bits`);
  if (virtualBytes === 0n) return bad('it is a disk of 0 bytes');
  if (virtualBytes % 512n !== 0n) return bad('it ends within a sector');
  return virtualBytes > BigInt(Number.MAX_SAFE_INTEGER) ? bad('it is absurdly large') : null;
}

/**
 * Both tables have to be where the format allows them, within the file, apart from one another and no
 * longer than needed.
 */
function tableObjection(header: Qcow2Header, fileBytes: bigint): Objection | null {
  const { l1Entries, l1Offset, refcountTableOffset, virtualBytes } = header;
  const bad = (words: string) => objection('BadTables', words);
  const cluster = 1n << BigInt(header.clusterBits);
  const bytesPerEntry = (cluster * cluster) / 8n;
  const needed = (virtualBytes + bytesPerEntry - 1n) / bytesPerEntry;
  const l1Bytes = BigInt(l1Entries) * 8n;
  if (BigInt(l1Entries) !== needed || l1Bytes > BigInt(l1BytesMax)) {
    return bad(`its L1 table has ${l1Entries} entries, and needs ${needed}`);
  }
  const lies = (offset: bigint, bytes: bigint) =>
    offset >= cluster && offset % cluster === 0n && offset + bytes <= fileBytes;
  if (!lies(l1Offset, l1Bytes)) return bad('its L1 table does not lie within the file');
  const tableBytes = BigInt(header.refcountTableClusters) * cluster;
  if (tableBytes === 0n || tableBytes > BigInt(refcountTableBytesMax)) {
    return bad(`its refcount table has ${header.refcountTableClusters} clusters`);
  }
  if (!lies(refcountTableOffset, tableBytes)) {
    return bad('its refcount table does not lie within the file');
  }
  const areApart =
    l1Offset + l1Bytes <= refcountTableOffset || refcountTableOffset + tableBytes <= l1Offset;
  return areApart ? null : bad('its L1 table and its refcount table lie over one another');
}

/**
 * Metadata of the smallest clusters is some 4 % of their disk, and who has leaked clusters has not
 * leaked more than there were: what is longer is there to be read for nothing.
 */
export function bombObjection({ virtualBytes }: Qcow2Header, fileBytes: number): Objection | null {
  const bytesMax = virtualBytes + virtualBytes / 4n + 64n * 2n ** 20n;
  if (BigInt(fileBytes) <= bytesMax) return null;
  const words = `it is a file of ${fileBytes} bytes for a disk of ${virtualBytes}`;
  return objection('TooLarge', words);
}
