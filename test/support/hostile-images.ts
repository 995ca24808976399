/**
 * Images by which a tenant could try to read files of the host, to write to them, or to use up what is
 * not its own: one for each rule, and combinations. They are made in a folder that is thrown away, and
 * nowhere else: `qemu-img create` with an external data file writes over that file.
 */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  openSync,
  readFileSync,
  readSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import type { ObjectionCode } from '../../src/host/image-objection.ts';
import type { ImageFormat } from '../../src/model/volume.ts';
import { hostileKernels } from './hostile-kernels.ts';

const MiB = 2 ** 20;

export interface HostileImage {
  readonly what: string;
  readonly declared: ImageFormat;
  /** How it is refused. */
  readonly code: ObjectionCode;
  readonly virtualBytesMax?: number;
  /** @param canary a file of the host that must neither be read nor written */
  readonly make: (path: string, canary: string) => void;
}

export function qemuImg(...args: readonly string[]): void {
  execFileSync('qemu-img', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** A disk of 8 MiB, of which 1 MiB has been written to. */
export function soundQcow2(path: string, ...options: readonly string[]): void {
  const size = options.includes('1G') ? [] : ['8M'];
  qemuImg('create', '-q', '-f', 'qcow2', ...options, path, ...size);
  execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -q -P 7 0 1M', path]);
}

/** The bytes of a file as one changes them. */
class Bytes {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'r+');
  }

  u32(at: number, value: number): void {
    const buffer = Buffer.alloc(4);
    buffer.writeUInt32BE(value);
    writeSync(this.#file, buffer, 0, 4, at);
  }

  u64(at: number, value: bigint): void {
    const buffer = Buffer.alloc(8);
    buffer.writeBigUInt64BE(value);
    writeSync(this.#file, buffer, 0, 8, at);
  }

  text(at: number, value: string): void {
    writeSync(this.#file, Buffer.from(value, 'latin1'), 0, value.length, at);
  }

  read64(at: number): bigint {
    const buffer = Buffer.alloc(8);
    readSync(this.#file, buffer, 0, 8, at);
    return buffer.readBigUInt64BE();
  }

  close(): void {
    closeSync(this.#file);
  }
}

function edit(path: string, change: (bytes: Bytes) => void): void {
  const bytes = new Bytes(path);
  change(bytes);
  bytes.close();
}

/** Of the first cluster of 64 KiB, and the tables that qemu-img makes behind it. */
const field = {
  backingOffset: 8,
  backingBytes: 16,
  clusterBits: 20,
  size: 24,
  crypt: 32,
  l1Entries: 36,
  l1Offset: 40,
  refcountTable: 48,
  refcountClusters: 56,
  snapshots: 60,
  snapshotsOffset: 64,
  incompatible: 72,
  compatible: 80,
  autoclear: 88,
  refcountOrder: 96,
  headerBytes: 100,
  compression: 104,
  extensions: 112,
} as const;

const offsetMask = 0x00ff_ffff_ffff_fe00n;
const COPIED = 2n ** 63n;
const COMPRESSED = 2n ** 62n;

const firstL2 = (bytes: Bytes): number => {
  const l1 = Number(bytes.read64(field.l1Offset));
  return Number(bytes.read64(l1) & offsetMask);
};
const refcountBlock = (bytes: Bytes): number =>
  Number(bytes.read64(Number(bytes.read64(field.refcountTable))));

const spoilt =
  (change: (bytes: Bytes, canary: string) => void, ...options: readonly string[]) =>
  (path: string, canary: string): void => {
    soundQcow2(path, ...options);
    edit(path, (bytes) => change(bytes, canary));
  };

/** The name of a backing file, as QEMU writes one: behind the extensions. */
const backedBy =
  (name: (canary: string) => string) =>
  (bytes: Bytes, canary: string): void => {
    const text = name(canary);
    bytes.text(0x300, text);
    bytes.u64(field.backingOffset, 0x300n);
    bytes.u32(field.backingBytes, text.length);
  };

const extension = (type: number, text: string) => (bytes: Bytes) => {
  bytes.u32(field.extensions, type);
  bytes.u32(field.extensions + 4, text.length);
  bytes.text(field.extensions + 8, text);
  bytes.u64(field.extensions + 8 + Math.ceil(text.length / 8) * 8, 0n);
};

type Rule = readonly [
  what: string,
  code: ObjectionCode,
  make: HostileImage['make'],
  more?: Pick<HostileImage, 'virtualBytesMax'>,
];

const references: readonly Rule[] = [
  [
    'a backing file of the host',
    'BackingFile',
    (path, canary) => qemuImg('create', '-q', '-f', 'qcow2', '-b', canary, '-F', 'raw', path, '8M'),
  ],
  ['a backing file without a format', 'BackingFile', spoilt(backedBy((canary) => canary))],
  ['a backing file by another way up', 'BackingFile', spoilt(backedBy((c) => `../../../..${c}`))],
  [
    'a backing file by json:',
    'BackingFile',
    spoilt(backedBy((c) => `json:{"driver":"raw","file":{"driver":"file","filename":"${c}"}}`)),
  ],
  ['a backing file by file:', 'BackingFile', spoilt(backedBy((canary) => `file:${canary}`))],
  ['a backing file by nbd:', 'BackingFile', spoilt(backedBy(() => 'nbd:127.0.0.1:10809'))],
  ['a backing file by http:', 'BackingFile', spoilt(backedBy(() => 'http://127.0.0.1:80/x'))],
  ['a backing file by fat:', 'BackingFile', spoilt(backedBy(() => 'fat:/etc'))],
  [
    'a backing file in an old header',
    'BackingFile',
    spoilt(
      backedBy((canary) => canary),
      '-o',
      'compat=0.10',
    ),
  ],
  ['a backing format without a backing file', 'BackingFile', spoilt(extension(0xe2792aca, 'raw'))],
  [
    'an external data file',
    'ExternalDataFile',
    (path, canary) => {
      // qemu-img writes over the data file: it is given one of its own, and another name later.
      const data = `${path}.data`;
      qemuImg(
        'create',
        '-q',
        '-f',
        'qcow2',
        '-o',
        `data_file=${data},data_file_raw=on`,
        path,
        '8M',
      );
      const bytes = readFileSync(path);
      const at = bytes.indexOf(data);
      if (at < 0 || canary.length > data.length) throw new Error('no room for the name');
      bytes.fill(0, at, at + data.length);
      bytes.write(canary, at);
      bytes.writeUInt32BE(canary.length, at - 4);
      writeFileSync(path, bytes);
    },
  ],
  [
    'the bit of an external data file alone',
    'ExternalDataFile',
    spoilt((bytes) => bytes.u64(field.incompatible, 4n)),
  ],
  [
    'the name of an external data file alone',
    'ExternalDataFile',
    spoilt((bytes, canary) => extension(0x44415441, canary)(bytes)),
  ],
];

const encrypted = ['create', '-q', '-f', 'qcow2', '--object', 'secret,id=s,data=x'];

/** QEMU measures what rounds of a hash cost, and fails if the clock of its CPU time stands still for them. */
function luks(path: string): void {
  const options = 'encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10';
  for (let triesLeft = 30; ; triesLeft -= 1) {
    try {
      return qemuImg(...encrypted, '-o', options, path, '8M');
    } catch (error) {
      if (triesLeft === 1) throw error;
    }
  }
}

const features: readonly Rule[] = [
  [
    'AES',
    'Encrypted',
    (path) => qemuImg(...encrypted, '-o', 'encrypt.format=aes,encrypt.key-secret=s', path, '8M'),
  ],
  ['LUKS', 'Encrypted', luks],
  ['the dirty bit', 'Dirty', spoilt((bytes) => bytes.u64(field.incompatible, 1n))],
  ['the corrupt bit', 'Corrupt', spoilt((bytes) => bytes.u64(field.incompatible, 2n))],
  ['an unknown feature', 'UnknownFeature', spoilt((b) => b.u64(field.incompatible, 2n ** 40n))],
  ['an unknown autoclear bit', 'UnknownFeature', spoilt((b) => b.u64(field.autoclear, 8n))],
  ['an unknown compatible bit', 'UnknownFeature', spoilt((b) => b.u64(field.compatible, 8n))],
  ['an unknown extension', 'UnknownFeature', spoilt(extension(0x4e4e4e4e, 'x'))],
  [
    'extended L2 entries',
    'UnknownFeature',
    (path) => qemuImg('create', '-q', '-f', 'qcow2', '-o', 'extended_l2=on', path, '8M'),
  ],
  [
    'zstd that its bit does not tell',
    'UnknownFeature',
    spoilt((bytes) => bytes.u32(field.compression, 0x0100_0000)),
  ],
  [
    'a snapshot inside',
    'InternalSnapshots',
    (path) => {
      soundQcow2(path);
      qemuImg('snapshot', '-c', 'before', path);
    },
  ],
  [
    'four billion snapshots',
    'InternalSnapshots',
    spoilt((bytes) => bytes.u32(field.snapshots, 0xffff_ffff)),
  ],
  [
    'a bitmap',
    'Bitmaps',
    (path) => {
      soundQcow2(path);
      qemuImg('bitmap', '--add', path, 'b');
    },
  ],
];

const formats: readonly Rule[] = [
  [
    'the header of a VDI within its own',
    'SeveralFormats',
    spoilt((bytes) => bytes.u32(field.snapshotsOffset, 0x7f10_dabe)),
  ],
  ['the footer of a VHD', 'SeveralFormats', withFooter('conectix')],
  ['the footer of a DMG', 'SeveralFormats', withFooter('koly')],
  ['an ISO 9660 behind its header', 'SeveralFormats', spoilt((b) => b.text(0x8001, 'CD001'))],
  ['a boot sector behind its header', 'SeveralFormats', spoilt((b) => b.u32(0x1fc, 0x0000_55aa))],
  ['a text behind its header', 'SeveralFormats', spoilt((b) => b.text(0xff00, '# Disk Desc'))],
  ['no qcow2 but a raw disk', 'WrongFormat', (path) => writeFileSync(path, Buffer.alloc(MiB))],
  ['nothing', 'WrongFormat', (path) => writeFileSync(path, '')],
  ['a QED', 'WrongFormat', converted('qed')],
  ['a VMDK', 'WrongFormat', converted('vmdk')],
  ['a VDI', 'WrongFormat', converted('vdi')],
  ['a VHD', 'WrongFormat', converted('vpc')],
  ['a qcow2 of version 1', 'UnknownVersion', spoilt((bytes) => bytes.u32(4, 1))],
  ['a qcow2 of version 9', 'UnknownVersion', spoilt((bytes) => bytes.u32(4, 9))],
];

function withFooter(words: string): HostileImage['make'] {
  return (path) => {
    soundQcow2(path);
    appendFileSync(path, Buffer.concat([Buffer.from(words), Buffer.alloc(512 - words.length)]));
  };
}

function converted(format: string): HostileImage['make'] {
  return (path) => qemuImg('create', '-q', '-f', format, path, '8M');
}

const sizes: readonly Rule[] = [
  ['clusters of 2 GiB', 'BadGeometry', spoilt((bytes) => bytes.u32(field.clusterBits, 31))],
  ['clusters of 1 byte', 'BadGeometry', spoilt((bytes) => bytes.u32(field.clusterBits, 0))],
  ['8 EiB', 'BadGeometry', spoilt((bytes) => bytes.u64(field.size, 2n ** 63n - 512n))],
  ['no size', 'BadGeometry', spoilt((bytes) => bytes.u64(field.size, 0n))],
  ['half a sector', 'BadGeometry', spoilt((bytes) => bytes.u64(field.size, 8_388_607n))],
  ['refcounts of 2^255 bits', 'BadGeometry', spoilt((b) => b.u32(field.refcountOrder, 255))],
  ['a header of 4 GiB', 'BadGeometry', spoilt((b) => b.u32(field.headerBytes, 0xffff_fff8))],
  [
    'an extension without end',
    'BadGeometry',
    spoilt((bytes) => bytes.u32(field.extensions + 4, 0xffff_ffff)),
  ],
  [
    'a larger disk than the document allows',
    'TooLarge',
    (path) => qemuImg('create', '-q', '-f', 'qcow2', path, '1T'),
    { virtualBytesMax: 8 * MiB },
  ],
  [
    'a bomb of 256 MiB in some KiB',
    'TooLarge',
    (path) => {
      const plain = `${path}.plain`;
      qemuImg('create', '-q', '-f', 'raw', plain, '256M');
      execFileSync('qemu-io', ['-f', 'raw', '-c', 'write -q -P 65 0 256M', plain]);
      qemuImg('convert', '-c', '-f', 'raw', '-O', 'qcow2', plain, path);
    },
    { virtualBytesMax: 8 * MiB },
  ],
  [
    'a sparse file of 4 TiB for a disk of 8 MiB',
    'TooLarge',
    (path) => {
      soundQcow2(path);
      truncateSync(path, 4 * 2 ** 40);
    },
  ],
];

const tables: readonly Rule[] = [
  ['an L1 table of 32 GiB', 'BadTables', spoilt((b) => b.u32(field.l1Entries, 0xffff_ffff))],
  ['no L1 table', 'BadTables', spoilt((bytes) => bytes.u32(field.l1Entries, 0))],
  ['an L1 table behind the end', 'BadTables', spoilt((b) => b.u64(field.l1Offset, 2n ** 50n))],
  ['an L1 table over the header', 'BadTables', spoilt((bytes) => bytes.u64(field.l1Offset, 0n))],
  [
    'an L1 table over the refcount table',
    'BadTables',
    spoilt((bytes) => bytes.u64(field.l1Offset, bytes.read64(field.refcountTable))),
  ],
  [
    'a refcount table of 256 TiB',
    'BadTables',
    spoilt((bytes) => bytes.u32(field.refcountClusters, 0xffff_ffff)),
  ],
  [
    'a refcount table behind the end',
    'BadTables',
    spoilt((bytes) => bytes.u64(field.refcountTable, 2n ** 55n)),
  ],
  [
    'an L2 table that is the L1 table',
    'Corrupt',
    spoilt((bytes) => {
      const l1 = bytes.read64(field.l1Offset);
      bytes.u64(Number(l1), l1 | COPIED);
    }),
  ],
  [
    'an L2 table behind the end',
    'Corrupt',
    spoilt((b) => b.u64(Number(b.read64(field.l1Offset)), (2n ** 40n) | COPIED)),
  ],
  [
    'an L2 table between clusters',
    // Of what it takes for entries there, qemu-img has more to say than it may.
    'OverLimits',
    spoilt((b) => b.u64(Number(b.read64(field.l1Offset)), 0x5_0200n | COPIED)),
  ],
  [
    'data that is the refcount table',
    'Corrupt',
    spoilt((b) => b.u64(firstL2(b), b.read64(field.refcountTable) | COPIED)),
  ],
  [
    'data that is the L1 table',
    'Corrupt',
    spoilt((b) => b.u64(firstL2(b), b.read64(field.l1Offset) | COPIED)),
  ],
  [
    'data behind the end',
    'Corrupt',
    spoilt((bytes) => bytes.u64(firstL2(bytes), (2n ** 48n) | COPIED)),
  ],
  [
    'one cluster in two places',
    'Corrupt',
    spoilt((bytes) => bytes.u64(firstL2(bytes) + 8, bytes.read64(firstL2(bytes)))),
  ],
  [
    'compressed data behind the end',
    'Corrupt',
    spoilt((bytes) => bytes.u64(firstL2(bytes), COMPRESSED | (2n ** 45n))),
  ],
  [
    'data that is counted as free',
    'Corrupt',
    spoilt((bytes) => bytes.u64(refcountBlock(bytes) + 8, 0n)),
  ],
  [
    'refcounts that are the L1 table',
    'Corrupt',
    spoilt((b) => b.u64(Number(b.read64(field.refcountTable)), b.read64(field.l1Offset))),
  ],
  [
    'refcounts behind the end',
    'Corrupt',
    spoilt((b) => b.u64(Number(b.read64(field.refcountTable)), 2n ** 50n)),
  ],
];

const combined: readonly Rule[] = [
  [
    'a backing file, encryption and a dirty bit',
    'BackingFile',
    spoilt((bytes, canary) => {
      backedBy(() => canary)(bytes, canary);
      bytes.u32(field.crypt, 1);
      bytes.u64(field.incompatible, 1n);
    }),
  ],
  [
    'the footer of a VHD and a backing file',
    'SeveralFormats',
    (path, canary) => {
      spoilt(backedBy(() => canary))(path, canary);
      appendFileSync(path, Buffer.concat([Buffer.from('conectix'), Buffer.alloc(504)]));
    },
  ],
  [
    'a name without its offset, and an absurd size',
    'BackingFile',
    spoilt((bytes) => {
      bytes.u32(field.backingBytes, 1023);
      bytes.u64(field.size, 2n ** 62n);
    }),
  ],
  [
    'tables within one another on a sparse file',
    'TooLarge',
    (path, canary) => {
      spoilt((b) => b.u64(firstL2(b), b.read64(field.l1Offset) | COPIED))(path, canary);
      truncateSync(path, 2 ** 40);
    },
  ],
];

/** Raw by their documents, and something else for whoever guesses. */
const disguised: readonly (readonly [string, HostileImage['make']])[] = [
  ['a qcow2', (path, canary) => spoilt(backedBy(() => canary))(path, canary)],
  ['a QED', converted('qed')],
  ['a VMDK', converted('vmdk')],
  ['the descriptor of a VMDK', descriptor],
  ['a VDI', converted('vdi')],
  ['a VHDX', converted('vhdx')],
  ['a VHD', converted('vpc')],
  ['a fixed VHD', (path) => withText(path, 'conectix', 8 * MiB - 512)],
  ['a LUKS container', (path) => withText(path, 'LUKS\xba\xbe', 0)],
  ['a Parallels disk', (path) => withText(path, 'WithoutFreeSpace', 0)],
  ['a Bochs disk', (path) => withText(path, 'Bochs Virtual HD Image', 0)],
  ['a cloop', (path) => withText(path, '#!/bin/sh\n#V2.0 Format\n', 0)],
  ['a DMG', (path) => withText(path, 'koly', 8 * MiB - 512)],
];

function withText(path: string, text: string, at: number): void {
  writeFileSync(path, '');
  truncateSync(path, 8 * MiB);
  edit(path, (bytes) => bytes.text(at, text));
}

function descriptor(path: string, canary: string): void {
  const text = `# Disk DescriptorFile\nversion=1\ncreateType="monolithicFlat"\nRW 16384 FLAT "${canary}" 0\n`;
  withText(path, text, 0);
}

export const hostileImages: readonly HostileImage[] = [
  ...[...references, ...features, ...formats, ...sizes, ...tables, ...combined].map(
    ([what, code, make, more = {}]) =>
      ({
        what: `a qcow2 with, or that is, ${what}`,
        declared: 'qcow2',
        code,
        make,
        ...more,
      }) as const,
  ),
  ...disguised.map(
    ([what, make]) =>
      ({ what: `raw that is ${what}`, declared: 'raw', code: 'WrongFormat', make }) as const,
  ),
  ...hostileKernels.map(({ what, code, make }) => ({
    what: `a kernel that is, or is one, ${what}`,
    declared: 'bzImage' as const,
    code,
    make: (path: string) => writeFileSync(path, make()),
  })),
  {
    what: 'an initial RAM disk of 2 GiB',
    declared: 'initrd',
    code: 'TooLarge',
    make: (path) => {
      writeFileSync(path, '');
      truncateSync(path, 2 ** 31);
    },
  },
  {
    what: 'an initial RAM disk of nothing',
    declared: 'initrd',
    code: 'BadGeometry',
    make: (path) => writeFileSync(path, ''),
  },
  {
    what: 'an initial RAM disk that is a qcow2',
    declared: 'initrd',
    code: 'WrongFormat',
    make: (path) => soundQcow2(path),
  },
];

export interface ValidImage {
  readonly what: string;
  readonly make: (path: string) => void;
}

const made = (...options: readonly string[]): ValidImage => ({
  what: options.join(' ') || 'no option',
  make: (path) => soundQcow2(path, ...options),
});

const repacked = (...options: readonly string[]): ValidImage => ({
  what: `convert ${options.join(' ')}`,
  make: (path) => {
    soundQcow2(`${path}.plain`);
    qemuImg('convert', '-f', 'qcow2', '-O', 'qcow2', ...options, `${path}.plain`, path);
  },
});

/** What qemu-img makes, with what it can be told: each can be imported. */
export const validImages: readonly ValidImage[] = [
  made(),
  ...['512', '4k', '64k', '1M', '2M'].map((size) => made('-o', `cluster_size=${size}`)),
  ...['1', '8', '64'].map((bits) => made('-o', `refcount_bits=${bits}`)),
  made('-o', 'compat=0.10'),
  made('-o', 'compat=0.10,cluster_size=4k'),
  made('-o', 'compat=1.1'),
  made('-o', 'lazy_refcounts=off'),
  made('-o', 'lazy_refcounts=on'),
  made('-o', 'compression_type=zstd'),
  ...['metadata', 'falloc', 'full'].map((how) => made('-o', `preallocation=${how}`)),
  repacked('-c'),
  repacked('-c', '-o', 'compression_type=zstd'),
  repacked('-c', '-o', 'cluster_size=2M'),
  repacked('-o', 'cluster_size=512,refcount_bits=1'),
  repacked('-S', '0'),
  {
    what: 'a disk that was made larger',
    make: (path) => {
      soundQcow2(path);
      qemuImg('resize', '-q', path, '64M');
    },
  },
  {
    what: 'an empty disk of 64 TiB',
    make: (path) => qemuImg('create', '-q', '-f', 'qcow2', path, '64T'),
  },
  {
    what: 'the smallest there is',
    make: (path) => qemuImg('create', '-q', '-f', 'qcow2', path, '512'),
  },
  {
    what: 'clusters that nothing refers to',
    make: (path) => {
      soundQcow2(path);
      edit(path, (bytes) => bytes.u64(firstL2(bytes), 0n));
    },
  },
  {
    what: 'a snapshot that was deleted',
    make: (path) => {
      soundQcow2(path);
      qemuImg('snapshot', '-c', 's', path);
      qemuImg('snapshot', '-d', 's', path);
    },
  },
];

/** 64 MiB that are one cluster a thousand times over, counted as such: nothing is wrong with it. */
export function repeatedCluster(path: string): void {
  qemuImg('create', '-q', '-f', 'qcow2', path, '64M');
  execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -q -P 7 0 64k', path]);
  edit(path, (bytes) => {
    const l2 = firstL2(bytes);
    const cluster = bytes.read64(l2) & offsetMask;
    for (let entry = 0; entry < 1024; entry += 1) bytes.u64(l2 + 8 * entry, cluster);
    const at = refcountBlock(bytes) + 2 * (Number(cluster) / 65_536);
    bytes.u32(at, 1024 * 65_536);
  });
}
