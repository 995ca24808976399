import { expect, test } from 'vitest';
import { uuid } from '../../../../src/libvirt/wire/uuid.ts';
import { XdrReader } from '../../../../src/libvirt/wire/xdr-reader.ts';
import { XdrWriter } from '../../../../src/libvirt/wire/xdr-writer.ts';

test('a UUID is 16 bytes without a length', () => {
  const writer = new XdrWriter();
  uuid.write(writer, '00112233-4455-6677-8899-AABBCCDDEEFF');
  expect(writer.bytes().toString('hex')).toBe('00112233445566778899aabbccddeeff');
  expect(uuid.read(new XdrReader(writer.bytes()))).toBe('00112233-4455-6677-8899-aabbccddeeff');
});

test.each(['', '00112233445566778899aabbccddeeff', '00112233-4455-6677-8899-aabbccddeefg'])(
  '%j is not a UUID',
  (text) => {
    expect(() => uuid.write(new XdrWriter(), text)).toThrow(RangeError);
  },
);
