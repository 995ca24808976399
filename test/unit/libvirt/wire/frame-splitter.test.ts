import { describe, expect, test } from 'vitest';
import { FrameSplitter } from '../../../../src/libvirt/wire/frame-splitter.ts';
import { MalformedError } from '../../../../src/libvirt/wire/malformed.ts';

function packet(length: number, fill: number): Buffer {
  const bytes = Buffer.alloc(length, fill);
  bytes.writeUInt32BE(length, 0);
  return bytes;
}

function split(...chunks: Buffer[]): { packets: string[]; isMidPacket: boolean } {
  const packets: string[] = [];
  const splitter = new FrameSplitter((each) => packets.push(each.toString('hex')));
  for (const chunk of chunks) splitter.push(chunk);
  return { packets, isMidPacket: splitter.isMidPacket };
}

const a = packet(28, 0xaa);
const b = packet(40, 0xbb);
const expected = [a.toString('hex'), b.toString('hex')];

describe('FrameSplitter', () => {
  test('finds two packets in one chunk', () => {
    expect(split(Buffer.concat([a, b]))).toEqual({ packets: expected, isMidPacket: false });
  });

  test('puts a packet together from single bytes', () => {
    const bytes = Array.from(Buffer.concat([a, b]), (byte) => Buffer.from([byte]));
    expect(split(...bytes)).toEqual({ packets: expected, isMidPacket: false });
  });

  test('knows that it stands in the middle of a packet', () => {
    expect(split(a, b.subarray(0, 3)).isMidPacket).toBe(true);
    expect(split(a, b.subarray(0, 39)).isMidPacket).toBe(true);
  });

  test('gives a packet inside one chunk without a copy', () => {
    const seen: Buffer[] = [];
    new FrameSplitter((each) => seen.push(each)).push(a);
    expect(seen[0]?.buffer).toBe(a.buffer);
  });

  test.each([0, 27, 33_554_437, 0xffff_ffff])('refuses a length of %d', (length) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(length);
    expect(() => split(bytes)).toThrow(MalformedError);
    expect(() => split(bytes.subarray(0, 1), bytes.subarray(1))).toThrow(MalformedError);
  });

  test('takes the longest length there may be', () => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(33_554_436);
    expect(split(bytes).isMidPacket).toBe(true);
  });
});
