import { describe, expect, test } from 'vitest';
import { u32 } from '../../../../src/libvirt/wire/codec.ts';
import { MalformedError } from '../../../../src/libvirt/wire/malformed.ts';
import {
  decodeBody,
  encodeHeader,
  encodePacket,
  type PacketHeader,
  readHeader,
} from '../../../../src/libvirt/wire/packet.ts';

const header: PacketHeader = {
  program: 0x2000_8086,
  procedure: 14,
  kind: 'stream',
  serial: 3,
  status: 'continue',
};
const bytes = '0000002020008086000000010000000e0000000300000003000000020000002a';

describe('a packet', () => {
  test('begins with its own length, the length word included', () => {
    expect(encodePacket(header, u32, 42).toString('hex')).toBe(bytes);
    expect(encodeHeader(header, 4).toString('hex')).toBe(bytes.slice(0, 56));
  });

  test('reads back', () => {
    const packet = Buffer.from(bytes, 'hex');
    expect(readHeader(packet)).toEqual(header);
    expect(decodeBody(u32, packet)).toBe(42);
  });

  test.each([
    ['another protocol version', 8, 2],
    ['a type with file descriptors', 16, 5],
    ['a type that does not exist', 16, 7],
    ['a status that does not exist', 24, 3],
  ])('is refused with %s', (_, offset, value) => {
    const packet = Buffer.from(bytes, 'hex');
    packet.writeUInt32BE(value, offset);
    expect(() => readHeader(packet)).toThrow(MalformedError);
  });

  test('is refused with bytes left over behind its body', () => {
    expect(() => decodeBody(u32, Buffer.from(`${bytes}00000000`, 'hex'))).toThrow(
      '4 bytes left over',
    );
  });
});
