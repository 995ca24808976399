/**
 * The header of a qcow2, out of its first bytes, by the format's specification (QEMU,
 * docs/interop/qcow2). Nothing is opened, followed or allocated by what the bytes say: this only
 * says what is written there. What of it is allowed is in qcow2-rules.ts. QEMU's own `info` comes
 * second, in a sandbox: it opens what a header names.
 */
import { type Objection, objection } from '../image-objection.ts';

/** As much of a file as is looked at: the header and its extensions have to fit. */
export const QCOW2_HEAD_BYTES = 4096;

export interface Qcow2Extension {
  readonly type: number;
  readonly data: Uint8Array;
}

export interface Qcow2Header {
  readonly version: number;
  readonly backing: { readonly offset: bigint; readonly name: string | null } | null;
  readonly clusterBits: number;
  readonly virtualBytes: bigint;
  readonly cryptMethod: number;
  readonly l1Entries: number;
  readonly l1Offset: bigint;
  readonly refcountTableOffset: bigint;
  readonly refcountTableClusters: number;
  readonly snapshots: number;
  readonly incompatibleBits: bigint;
  readonly compatibleBits: bigint;
  readonly autoclearBits: bigint;
  readonly refcountOrder: number;
  readonly headerBytes: number;
  readonly compressionType: number;
  /** Null if their list has no end within the first cluster and `QCOW2_HEAD_BYTES`. */
  readonly extensions: readonly Qcow2Extension[] | null;
  /** Where they end, in bytes; 0 where they have no end. Nothing but zeroes is behind it in its cluster. */
  readonly endsAt: number;
}

const magic = 0x514649fb;
/** `QFI\xfb` to `snapshots_offset`; versions 1 and 2 end here. */
const shortHeaderBytes = 72;
const longHeaderBytes = 104;

/**
 * @param head the first `QCOW2_HEAD_BYTES` of the file, or all of it if it is shorter
 * @returns what it says, or why it is no qcow2 header
 */
export function parseQcow2Header(head: Uint8Array): Qcow2Header | Objection {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (bytes.length < shortHeaderBytes || bytes.readUInt32BE(0) !== magic) {
    return objection('WrongFormat', 'it does not begin as a qcow2 does');
  }
  const version = bytes.readUInt32BE(4);
  if (version !== 2 && version !== 3) {
    return objection('UnknownVersion', `version ${version} of qcow2 is not known`);
  }
  if (version === 3 && bytes.length < longHeaderBytes) {
    return objection('BadGeometry', 'it ends within its header');
  }
  const long = version === 3;
  const headerBytes = long ? bytes.readUInt32BE(100) : shortHeaderBytes;
  const clusterBits = bytes.readUInt32BE(20);
  return {
    version,
    backing: backingIn(bytes),
    clusterBits,
    virtualBytes: bytes.readBigUInt64BE(24),
    cryptMethod: bytes.readUInt32BE(32),
    l1Entries: bytes.readUInt32BE(36),
    l1Offset: bytes.readBigUInt64BE(40),
    refcountTableOffset: bytes.readBigUInt64BE(48),
    refcountTableClusters: bytes.readUInt32BE(56),
    snapshots: bytes.readUInt32BE(60),
    incompatibleBits: long ? bytes.readBigUInt64BE(72) : 0n,
    compatibleBits: long ? bytes.readBigUInt64BE(80) : 0n,
    autoclearBits: long ? bytes.readBigUInt64BE(88) : 0n,
    refcountOrder: long ? bytes.readUInt32BE(96) : 4,
    headerBytes,
    compressionType: headerBytes > longHeaderBytes ? (bytes[longHeaderBytes] ?? 0) : 0,
    ...extensionsIn(bytes, headerBytes, clusterBits),
  };
}

function backingIn(bytes: Buffer): Qcow2Header['backing'] {
  const offset = bytes.readBigUInt64BE(8);
  const length = bytes.readUInt32BE(16);
  if (offset === 0n && length === 0) return null;
  const end = offset + BigInt(length);
  if (end > BigInt(bytes.length)) return { offset, name: null };
  return { offset, name: bytes.toString('utf8', Number(offset), Number(end)) };
}

/** Type, length, data padded to 8 bytes; type 0 is the end. */
function extensionsIn(
  bytes: Buffer,
  headerBytes: number,
  clusterBits: number,
): Pick<Qcow2Header, 'extensions' | 'endsAt'> {
  const end = Math.min(bytes.length, clusterBits < 31 ? 2 ** clusterBits : bytes.length);
  const found: Qcow2Extension[] = [];
  for (let at = headerBytes; at + 8 <= end;) {
    const type = bytes.readUInt32BE(at);
    const length = bytes.readUInt32BE(at + 4);
    if (type === 0) return { extensions: found, endsAt: at };
    if (at + 8 + length > end) break;
    found.push({ type, data: bytes.subarray(at + 8, at + 8 + length) });
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return { extensions: null, endsAt: 0 };
}
