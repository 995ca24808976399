import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sha256 } from '../../../src/model/sha256.ts';

const witness = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');

test('is what the standard says', () => {
  expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

test('is what OpenSSL says of any text, at every length around a block', () => {
  for (let length = 0; length < 200; length += 1) {
    expect(sha256('x'.repeat(length))).toBe(witness('x'.repeat(length)));
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      expect(sha256(text)).toBe(witness(text));
    }),
  );
});
