/**
 * By what the formats of disk images are known, ours and those that we never read. Nothing is believed
 * because of one: a file that has another one than its document declares is refused, since somebody
 * who reads it later might look at that and not at the document.
 *
 * Not among them: file systems, partition tables and ISO 9660, which raw disks have.
 */
import { type Objection, objection } from '../image-objection.ts';
import type { ImageFormat } from '../../model/volume.ts';

interface Signature {
  readonly format: string;
  readonly from: 'start' | 'end';
  /** From the first byte, or back from behind the last one. */
  readonly offset: number;
  readonly bytes: Buffer;
}

const text = (format: string, words: string, offset = 0): Signature => ({
  format,
  from: 'start',
  offset,
  bytes: Buffer.from(words, 'latin1'),
});
const footer = (format: string, words: string): Signature => ({
  ...text(format, words, footerBytes),
  from: 'end',
});

const footerBytes = 512;
/** As much of the beginning as is looked at. */
const headBytes = 128;

const signatures: readonly Signature[] = [
  text('qcow2', 'QFI\xfb'),
  text('qed', 'QED\0'),
  text('vmdk', 'KDMV'),
  text('vmdk', 'COWD'),
  text('vmdk', '# Disk DescriptorFile'),
  text('vdi', '\x7f\x10\xda\xbe', 64),
  text('vhdx', 'vhdxfile'),
  text('vhd', 'conectix'),
  footer('vhd', 'conectix'),
  text('luks', 'LUKS\xba\xbe'),
  text('parallels', 'WithoutFreeSpace'),
  text('parallels', 'WithouFreSpacExt'),
  text('bochs', 'Bochs Virtual HD Image'),
  text('cloop', '#!/bin/sh\n#V2.0 Format\n'),
  footer('dmg', 'koly'),
];

/** The parts of a file in which signatures are looked for. @param fileBytes how long it is */
export const signaturePlaces = (fileBytes: number) => ({
  start: { at: 0, bytes: Math.min(headBytes, fileBytes) },
  end: { at: Math.max(0, fileBytes - footerBytes), bytes: Math.min(footerBytes, fileBytes) },
});

/** @param start and end: what is there */
export function signatureObjection(
  declared: ImageFormat,
  { start, end }: { readonly start: Buffer; readonly end: Buffer },
): Objection | null {
  const found = signatures.filter(({ from, offset, bytes }) => {
    const place = from === 'start' ? start : end;
    const at = from === 'start' ? offset : place.length - offset;
    return at >= 0 && place.subarray(at, at + bytes.length).equals(bytes);
  });
  const formats = new Set(found.map(({ format }) => format));
  const isAsDeclared = formats.delete(declared);
  if (formats.size === 0) return null;
  const names = [...formats].join(', ');
  if (isAsDeclared) {
    return objection('SeveralFormats', `it is ${declared}, and has the signature of ${names} too`);
  }
  const words = `it is declared to be ${declared}, and has the signature of ${names}`;
  return objection('WrongFormat', words);
}
