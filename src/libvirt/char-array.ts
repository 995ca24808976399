import type { Codec } from './wire/codec.ts';
import { MalformedError } from './wire/malformed.ts';

/**
 * A C array of `size` chars. XDR, having no single bytes, sends each as an integer of four;
 * the text ends at the first NUL.
 */
export function charArray(size: number): Codec<string> {
  return {
    bytesMin: size * 4,
    read(reader) {
      const bytes: number[] = [];
      for (let index = 0; index < size; index += 1) bytes.push(reader.i32());
      if (bytes.some((byte) => byte < -128 || byte > 255)) {
        throw new MalformedError('a character of more than 8 bits');
      }
      const end = bytes.indexOf(0);
      return Buffer.from(end === -1 ? bytes : bytes.slice(0, end)).toString('utf8');
    },
    write(writer, value) {
      const bytes = Buffer.alloc(size);
      bytes.write(value, 'utf8');
      for (const byte of bytes) writer.i32(byte);
    },
  };
}
