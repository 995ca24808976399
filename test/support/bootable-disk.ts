/**
 * The first sector of a disk that boots without anything else: 16-bit code that writes a line to the first
 * serial port again and again, and counts to 2^26 in between: a third of a second under emulation. Without
 * interrupts: under emulation inside emulation, one in real mode now and then ends its guest, or its host.
 */

export function bootSector(line: string): Buffer {
  const code = 'fa baf803 be1a7c ac 84c0 7403 ee ebf8 66b900000004 67e2fd ebe7'.replaceAll(' ', '');
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
