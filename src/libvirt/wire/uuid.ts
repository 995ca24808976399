import type { Codec } from './codec.ts';

/** A UUID: 16 bytes on the wire without a length, the usual 36 lower-case characters here. */
export const uuid: Codec<string> = {
  bytesMin: 16,
  read(reader) {
    const hex = reader.hex(16);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  },
  write(writer, value) {
    if (!pattern.test(value)) throw new RangeError(`${JSON.stringify(value)} is not a UUID`);
    writer.opaqueFixed(Buffer.from(value.replaceAll('-', ''), 'hex'));
  },
};

const pattern = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
