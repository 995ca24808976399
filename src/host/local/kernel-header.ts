/**
 * The header of a Linux kernel for x86 (bzImage), by its boot protocol (Linux, Documentation/arch/x86/boot.rst,
 * "Details of Header Fields"), and what of it is allowed: a list, so that what is new or odd is refused. It is read
 * out of the first bytes; nothing is followed or allocated by what they say, and the rest is for the guest.
 *
 * QEMU loads what has "HdrS" in its place as Linux, and looks at anything else for a Multiboot header, then for
 * an ELF of Xen's PVH entry (hw/i386/x86.c, x86_load_linux): loaders that read tables out of the file. So
 * nothing without that word ever gets to it, nor anything that has one of the others as well, which another
 * version could look for first. It takes lengths for signed numbers of 32 bits, which `BOOT_BYTES_MAX` sees to.
 */
import { type Objection, objection } from '../image-objection.ts';

/** As much of a file as is looked at: as far as the last Multiboot header can begin, and its words. */
export const KERNEL_HEAD_BYTES = 32_768 + 16;

/** Offsets, all little-endian. */
const at = {
  setupSectors: 0x1f1,
  sysSize: 0x1f4,
  bootFlag: 0x1fe,
  jump: 0x200,
  signature: 0x202,
  version: 0x206,
  loadFlags: 0x211,
  initrdAddrMax: 0x22c,
  xloadFlags: 0x236,
  payloadOffset: 0x248,
  payloadLength: 0x24c,
  /** Behind the last field of protocol 2.12. */
  end: 0x268,
} as const;

/** 2.12, since when there is all that is looked at (Linux 3.8, of 2013); 2.15 is the newest there is. */
const versions = { from: 0x20c, to: 0x20f } as const;
const sectorBytes = 512;
/** "The real-mode code can total up to 32K." */
const realModeBytesMax = 32_768;
/** What `syssize` counts in. */
const paragraphBytes = 16;
/** LOADED_HIGH: it is a bzImage, and no zImage. */
const loadedHigh = 0x01;
/** CAN_BE_LOADED_ABOVE_4G: so can its initial RAM disk, and QEMU takes no account of `initrd_addr_max` then. */
const loadedAbove4G = 0x02;
/**
 * "The maximum address that may be occupied by the initial ramdisk/ramfs contents": Linux says 2 GiB
 * (arch/x86/boot/header.S, `ramdisk_max`). Whether what is booted fits is reckoned with that (diff/boot-images.ts).
 */
const initrdAddrMaxMin = 0x7fff_ffff;

/**
 * @param head the first `KERNEL_HEAD_BYTES` of the file, or all of it if it is shorter
 * @param fileBytes how long the whole file is
 * @returns the first thing that is wrong with it, or null
 */
export function kernelObjection(head: Uint8Array, fileBytes: number): Objection | null {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  const isLinux =
    bytes.length >= at.end &&
    bytes.toString('latin1', at.signature, at.signature + 4) === 'HdrS' &&
    bytes.readUInt16LE(at.bootFlag) === 0xaa55;
  const other = otherLoaderOf(bytes);
  if (isLinux && other === null) return headerObjection(bytes, fileBytes);
  if (isLinux) return objection('SeveralFormats', `it is a Linux kernel, and ${other} too`);
  const what = other === null ? '' : `: it is ${other}`;
  return objection('WrongFormat', `it does not begin as a Linux kernel for x86 does${what}`);
}

function headerObjection(bytes: Buffer, fileBytes: number): Objection | null {
  const bad = (words: string) => objection('BadGeometry', words);
  const version = bytes.readUInt16LE(at.version);
  if (version < versions.from || version > versions.to) {
    const text = `${version >> 8}.${String(version & 0xff).padStart(2, '0')}`;
    return objection(
      'UnknownVersion',
      `version ${text} of the boot protocol is not known (2.12 to 2.15 are)`,
    );
  }
  // "An x86 jump instruction, 0xEB followed by a signed offset": where it leads, the header has its end.
  const headerEnd = at.signature + bytes.readInt8(at.jump + 1);
  if (bytes[at.jump] !== 0xeb || headerEnd < at.end)
    return bad('its header is shorter than its version says');
  if ((bytes.readUInt8(at.loadFlags) & loadedHigh) === 0) {
    return objection('UnknownFeature', 'it is to be loaded low (zImage)');
  }
  const misplaced = ramdiskObjection(bytes);
  if (misplaced !== null) return misplaced;
  // "If this field is 0, the real value is 4." The boot sector is not counted.
  const setupBytes = ((bytes.readUInt8(at.setupSectors) || 4) + 1) * sectorBytes;
  if (setupBytes > realModeBytesMax)
    return bad(`its setup has ${setupBytes} bytes, and may have ${realModeBytesMax}`);
  const codeBytes = bytes.readUInt32LE(at.sysSize) * paragraphBytes;
  const codeBytesMax =
    Math.ceil(Math.max(0, fileBytes - setupBytes) / paragraphBytes) * paragraphBytes;
  if (codeBytes === 0 || codeBytes > codeBytesMax) {
    return bad(`its code has ${codeBytes} bytes behind its setup, which are not in the file`);
  }
  const payload = bytes.readUInt32LE(at.payloadOffset);
  const payloadBytes = bytes.readUInt32LE(at.payloadLength);
  if (payload > 0 && payloadBytes > 0 && payload + payloadBytes <= codeBytes) return null;
  return bad('its compressed kernel does not lie within its code');
}

function ramdiskObjection(bytes: Buffer): Objection | null {
  const addrMax = bytes.readUInt32LE(at.initrdAddrMax);
  const isAnywhere = (bytes.readUInt16LE(at.xloadFlags) & loadedAbove4G) !== 0;
  if (addrMax >= initrdAddrMaxMin || isAnywhere) return null;
  const where = `up to 0x${addrMax.toString(16)} only (initrd_addr_max), and not up to 2 GiB`;
  return objection('UnknownFeature', `it takes an initial RAM disk ${where}`);
}

/** What else it could be loaded as, in words. */
function otherLoaderOf(bytes: Buffer): string | null {
  if (bytes.toString('latin1', 0, 4) === '\x7fELF') return 'an ELF';
  return hasMultiboot(bytes) ? 'a Multiboot kernel' : null;
}

/**
 * A header of Multiboot 1 (in the first 8 KiB) or 2 (in the first 32 KiB): three or four words that amount to 0,
 * so that compressed bytes hardly ever look like one.
 * @see https://www.gnu.org/software/grub/manual/multiboot/multiboot.html#Header-magic-fields
 * @see https://www.gnu.org/software/grub/manual/multiboot2/multiboot.html#Header-magic-fields
 */
function hasMultiboot(bytes: Buffer): boolean {
  const isHeader = (offset: number, magic: number, words: number) => {
    if (offset + words * 4 > bytes.length || bytes.readUInt32LE(offset) !== magic) return false;
    let sum = 0;
    for (let word = 0; word < words; word += 1) sum += bytes.readUInt32LE(offset + word * 4);
    return sum % 2 ** 32 === 0;
  };
  for (let offset = 0; offset < bytes.length; offset += 4) {
    if (offset < 8192 && isHeader(offset, 0x1bad_b002, 3)) return true;
    if (offset % 8 === 0 && isHeader(offset, 0xe852_50d6, 4)) return true;
  }
  return false;
}
