/** A file's bytes as text, or what is wrong with them. */
import { expect, test } from 'vitest';
import { notUtf8, textOf, tooLarge } from '../../../src/documents/text-file.ts';

test('bytes are UTF-8, with or without a mark of order, or nothing', () => {
  expect(textOf(new TextEncoder().encode('größe'))).toBe('größe');
  expect(textOf(new Uint8Array([0xef, 0xbb, 0xbf, 0x61]))).toBe('a');
  expect(textOf(new Uint8Array([0x61, 0xff]))).toBeNull();
  expect(textOf(new Uint8Array([0xc3]))).toBeNull();
});

test('what is wrong is said of the whole file', () => {
  const whole = { file: 'a.yaml', line: 0, column: 0, path: '', excerpt: null };
  expect(notUtf8('a.yaml')).toMatchObject({ ...whole, code: 'NotUtf8' });
  expect(tooLarge('a.yaml')).toMatchObject({ ...whole, code: 'TooLarge' });
});
