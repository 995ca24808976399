/** A file's bytes as text, and what is said where they are none, or too many. */
import type { Diagnostic } from './diagnostic.ts';
import { documentLimits } from './limits.ts';

/** Null: they are not UTF-8. */
export function textOf(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

export function notUtf8(file: string): Diagnostic {
  const message = 'the file is not UTF-8 text';
  return { ...wholeFile(file), code: 'NotUtf8', message, remedy: 'is it the right file?' };
}

/** @param file the one with which they are */
export function tooLarge(file: string): Diagnostic {
  const message = `the documents are larger than ${documentLimits.bundleBytesMax} bytes together`;
  const remedy = 'split them over several partitions';
  return { ...wholeFile(file), code: 'TooLarge', message, remedy };
}

function wholeFile(file: string) {
  return { file, line: 0, column: 0, path: '', excerpt: null };
}
