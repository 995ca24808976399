/** A store of one partition in a folder of its own, for tests of the real adapters. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localImages } from '../../src/host/local/images.ts';
import { storeLayout } from '../../src/host/local/layout.ts';
import { localVolumes } from '../../src/host/local/volumes.ts';
import type { FileName, ImageName, VolumeName } from '../../src/model/names.ts';
import type { Image, Volume } from '../../src/model/volume.ts';
import { digestOf } from './digest.ts';
import { fromFile, installation, partition } from './passes.ts';

export const MiB = 2 ** 20;
export const never: AbortSignal = new AbortController().signal;
export const us = { installation, partition };
const name = 'data' as VolumeName;
const imageName = 'base' as ImageName;
const file = 'base.img' as FileName;

export function localStoreForTests() {
  const dir = mkdtempSync(join(tmpdir(), 'unnest-kept-'));
  // As QEMU has to get there, and the sandbox.
  chmodSync(dir, 0o755);
  const layout = storeLayout(dir, partition);
  mkdirSync(layout.filesDir, { recursive: true });
  const folder = join(layout.volumesDir, name);
  const imageFolder = join(layout.imagesDir, imageName);
  const volumes = localVolumes(dir);
  const images = localImages(dir);
  /** The Volume `data`. */
  const volume = (overrides: Partial<Volume> = {}): Volume => {
    const common = { sizeBytes: 4 * MiB, format: 'raw', origin: null, copyOf: null } as const;
    return { name, deletionPolicy: 'Retain', ...common, ...overrides };
  };
  /** The Image `base`, whose file has these bytes. */
  const image = (bytes: Uint8Array, overrides: Partial<Image> = {}): Image => {
    writeFileSync(layout.file(file), bytes);
    const source = fromFile(file);
    const common = { name: imageName, format: 'raw', source, virtualBytesMax: null } as const;
    return { ...common, digest: digestOf(bytes), ...overrides };
  };
  return {
    dir,
    layout,
    folder,
    imageFolder,
    volumes,
    images,
    volume,
    image,
    /** The bytes of a new qcow2, made as a stranger would. */
    qcow2: (...args: readonly string[]): Buffer => {
      const path = join(dir, 'made.qcow2');
      rmSync(path, { force: true });
      execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', ...args, path, '8M']);
      return readFileSync(path);
    },
    create: (overrides: Partial<Volume> = {}) => volumes.create(us, volume(overrides), never),
    look: () => volumes.read(partition, name, never),
    lookImage: () => images.read(partition, imageName, never),
    filesIn: (path: string) => (existsSync(path) ? readdirSync(path).sort() : null),
    dispose: () => rmSync(dir, { recursive: true }),
  };
}

export type LocalStoreForTests = ReturnType<typeof localStoreForTests>;
