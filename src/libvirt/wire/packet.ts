import type { Codec } from './codec.ts';
import { packetBytesMin } from './limits.ts';
import { MalformedError } from './malformed.ts';
import { XdrReader } from './xdr-reader.ts';
import { XdrWriter } from './xdr-writer.ts';

/**
 * The 28 bytes in front of every packet: length, program, version, procedure, type, serial,
 * status. Kinds with file descriptors are never asked for, so to receive one is an error.
 */
export const programs = { remote: 0x2000_8086, keepalive: 0x6b65_6570 } as const;

export type PacketKind = 'call' | 'reply' | 'event' | 'stream';
export type PacketStatus = 'ok' | 'error' | 'continue';

export interface PacketHeader {
  readonly program: number;
  readonly procedure: number;
  readonly kind: PacketKind;
  readonly serial: number;
  readonly status: PacketStatus;
}

const version = 1;
const kinds: readonly PacketKind[] = ['call', 'reply', 'event', 'stream'];
const statuses: readonly PacketStatus[] = ['ok', 'error', 'continue'];

/** Reads the header of a whole packet (at least 28 bytes, as the frame splitter makes sure). */
export function readHeader(packet: Buffer): PacketHeader {
  const found = packet.readUInt32BE(8);
  if (found !== version) throw new MalformedError(`protocol version ${found}`);
  return {
    program: packet.readUInt32BE(4),
    procedure: packet.readInt32BE(12),
    kind: member(kinds, packet.readUInt32BE(16), 'type'),
    serial: packet.readUInt32BE(20),
    status: member(statuses, packet.readUInt32BE(24), 'status'),
  };
}

/** A reader that stands behind the header. */
export function bodyOf(packet: Buffer): XdrReader {
  return new XdrReader(packet, packetBytesMin);
}

/** Decodes the whole body of a packet; anything left over is an error. */
export function decodeBody<T>(codec: Codec<T>, packet: Buffer): T {
  const reader = bodyOf(packet);
  const value = codec.read(reader);
  reader.end();
  return value;
}

/** Encodes a header and, unless it is empty, a body. */
export function encodePacket<T>(header: PacketHeader, codec: Codec<T>, body: T): Buffer {
  const writer = new XdrWriter();
  writeHeader(writer, header);
  codec.write(writer, body);
  return writer.packet();
}

/** The header of a packet whose `bodyBytes` raw bytes the caller sends right behind it. */
export function encodeHeader(header: PacketHeader, bodyBytes: number): Buffer {
  const writer = new XdrWriter();
  writeHeader(writer, header);
  const bytes = writer.bytes();
  bytes.writeUInt32BE(packetBytesMin + bodyBytes, 0);
  return bytes;
}

function writeHeader(writer: XdrWriter, header: PacketHeader): void {
  writer.u32(packetBytesMin);
  writer.u32(header.program);
  writer.u32(version);
  writer.i32(header.procedure);
  writer.u32(kinds.indexOf(header.kind));
  writer.u32(header.serial);
  writer.u32(statuses.indexOf(header.status));
}

function member<T>(members: readonly T[], index: number, what: string): T {
  const found = members[index];
  if (found === undefined) throw new MalformedError(`packet ${what} ${index}`);
  return found;
}
