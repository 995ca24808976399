/**
 * The first sector of a disk that boots without anything else: 16-bit code that writes a line to the first
 * serial port again and again, with a break of a third of a second by the BIOS (int 15h, ah=86h).
 */

export function bootSector(line: string): Buffer {
  const code = 'baf803 be177c ac 84c0 7403 ee ebf8 b486 b90500 cd15 ebe9'.replaceAll(' ', '');
  const sector = Buffer.alloc(512);
  sector.write(code, 0, 'hex');
  sector.write(`${line}\r\n\0`, code.length / 2);
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}

/** With nothing on it besides, but for what stands at its end. */
export function bootableDisk(line: string, bytes: number, atItsEnd = ''): Buffer {
  const disk = Buffer.alloc(bytes);
  bootSector(line).copy(disk);
  if (atItsEnd !== '') disk.write(atItsEnd, bytes - 512);
  return disk;
}
