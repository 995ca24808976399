import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameReader, frameOf } from '../../../../src/daemon/worker/frames.ts';

test('what is framed comes out again, however it was cut up', () => {
  const piecesOf = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), piecesOf, (values, lengths) => {
      const bytes = Buffer.concat(values.map(frameOf));
      const reader = new FrameReader(2 ** 20);
      const read: unknown[] = [];
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const length = lengths[turn % lengths.length] ?? 1;
        const frames = reader.take(bytes.subarray(at, at + length)) ?? [];
        read.push(...frames.map((frame) => JSON.parse(Buffer.from(frame).toString())));
        at += length;
        // Only between two frames is it outside of one.
        const ends = values.map(
          (_, i) => Buffer.concat(values.slice(0, i + 1).map(frameOf)).length,
        );
        expect(reader.isInside).toBe(!ends.includes(Math.min(at, bytes.length)));
      }
      expect(read).toEqual(JSON.parse(JSON.stringify(values)));
    }),
    { numRuns: 200 },
  );
});

test('a frame is as large as it may be, and not larger', () => {
  const frame = frameOf('x'.repeat(8));
  expect(new FrameReader(10).take(frame)).toHaveLength(1);
  expect(new FrameReader(9).take(frame)).toBeNull();
  // The length alone is enough to know.
  expect(new FrameReader(9).take(frame.subarray(0, 4))).toBeNull();
  expect(new FrameReader(9).take(frame.subarray(0, 3))).toEqual([]);
});

test('a frame may be empty', () => {
  expect(new FrameReader(9).take(Buffer.alloc(8))).toEqual([new Uint8Array(0), new Uint8Array(0)]);
});
