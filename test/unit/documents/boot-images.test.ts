/** Kernels and initial RAM disks that are Images: what documents mean, and what is wrong beside others. */
import { describe, expect, test } from 'vitest';
import { bundleOf, diagnosticsOf, documentOf, secondaryDocument } from './parsing.ts';

const digest = `sha256:${'0a'.repeat(32)}`;
const image = (name: string, format: string, ...more: readonly string[]) =>
  documentOf('Image', name, [`digest: ${digest}`, `format: ${format}`, ...more]);
const fromFile = 'source: { file: some.img }';
const kernel = image('linux', 'bzImage', fromFile);
const initrd = image('ramdisk', 'initrd', fromFile);
const disk = image('debian', 'raw', fromFile);
const booting = (words: string, name = 'web', ...more: readonly string[]) =>
  secondaryDocument(name, ...more).replace('{ file: vmlinuz }', `{ ${words} }`);

test('are named by a Secondary, also by several', () => {
  const { secondaries, images } = bundleOf([
    kernel +
      initrd +
      booting(
        'image: linux, initrdImage: ramdisk, commandLine: "host=$(name)"',
        'web',
        'replicas: 2',
      ),
    booting('image: linux', 'bare'),
  ]);
  const kind = 'kernelImage';
  expect([...secondaries.values()].map(({ boot }) => boot)).toEqual([
    { kind, kernel: 'linux', initrd: 'ramdisk', commandLine: 'host=web-0' },
    { kind, kernel: 'linux', initrd: 'ramdisk', commandLine: 'host=web-1' },
    { kind, kernel: 'linux', initrd: null, commandLine: '' },
  ]);
  expect([...images.values()].map(({ format }) => format)).toEqual(['bzImage', 'initrd']);
});

describe('a Secondary does not boot', () => {
  const path = 'spec.boot.kernel';
  test.each([
    [
      'both a file and an Image',
      'file: vmlinuz, image: linux',
      path,
      /exactly one of file and image/,
    ],
    ['neither', 'commandLine: quiet', path, /exactly one of file and image/],
    [
      'a file with an Image',
      'file: vmlinuz, initrdImage: ramdisk',
      `${path}.initrdImage`,
      /expected nothing beside file, with which initrd names a file/,
    ],
    [
      'an Image with a file',
      'image: linux, initrd: initrd.img',
      `${path}.initrd`,
      /expected nothing beside image, with which initrdImage names an Image/,
    ],
    [
      'a disk',
      'image: debian',
      `${path}.image`,
      /Image "debian" is of format raw: expected one of format bzImage/,
    ],
    [
      'an initial RAM disk',
      'image: ramdisk',
      `${path}.image`,
      /is of format initrd: expected one of format bzImage/,
    ],
    [
      'a kernel as its initial RAM disk',
      'image: linux, initrdImage: linux',
      `${path}.initrdImage`,
      /is of format bzImage: expected one of format initrd/,
    ],
    ['a path', 'image: ../linux', `${path}.image`, /expected a name/],
  ])('%s', (_what, words, where, message) => {
    expect(diagnosticsOf([kernel + initrd + disk + booting(words)])).toEqual([
      expect.objectContaining({
        code: 'InvalidValue',
        path: where,
        message: expect.stringMatching(message) as string,
      }),
    ]);
  });

  test('what nobody describes, and is told what may be meant', () => {
    const words = 'image: linus, initrdImage: ramdusk';
    expect(diagnosticsOf([kernel + initrd + booting(words)])).toMatchObject([
      { code: 'UnknownReference', path: `${path}.image`, remedy: 'did you mean linux?' },
      { code: 'UnknownReference', path: `${path}.initrdImage`, remedy: 'did you mean ramdisk?' },
    ]);
  });

  test('a disk, and is told how disks are booted', () => {
    expect(diagnosticsOf([disk + booting('image: debian')])).toMatchObject([
      { remedy: 'a disk is booted by way of a Volume that begins as it (spec.boot.volume)' },
    ]);
  });
});

describe('a Volume', () => {
  test.each([
    ['a kernel', 'linux', 'bzImage', []],
    ['an initial RAM disk', 'ramdisk', 'initrd', []],
    ['a kernel, on which it lies', 'linux', 'bzImage', ['format: qcow2', 'provision: Overlay']],
  ])('does not begin as %s', (_what, name, format, more) => {
    const volume = documentOf('Volume', 'root', ['size: 1GiB', `image: ${name}`, ...more]);
    expect(diagnosticsOf([kernel + initrd + volume])).toMatchObject([
      {
        code: 'InvalidValue',
        path: 'spec.image',
        message: `Image "${name}" is of format ${format}: expected a disk, raw or qcow2`,
        remedy: 'a Secondary boots it directly (spec.boot.kernel)',
      },
    ]);
  });
});

describe('an Image that is no disk', () => {
  const coming = (bytes: number) => [
    `source: { upload: { bytes: ${bytes} } }`,
    `source: { handOver: { bytes: ${bytes} } }`,
    `source: { imageDisk: { path: boot/linux, bytes: ${bytes} } }`,
    `source: { url: { from: "https://a.test/linux", bytes: ${bytes} } }`,
  ];

  test.each([
    ['bzImage', 48 * 2 ** 20],
    ['initrd', 2 ** 31 - 1],
  ])('of format %s comes in in every way, up to %i bytes', (format, bytes) => {
    for (const source of coming(bytes)) {
      expect(diagnosticsOf([image('some', format, source)])).toEqual([]);
    }
    for (const source of coming(bytes + 1)) {
      const by = /\{ (\w+):/.exec(source)?.[1];
      expect(diagnosticsOf([image('some', format, source)])).toMatchObject([
        {
          code: 'InvalidValue',
          path: `spec.source.${by}.bytes`,
          message: expect.stringContaining(`expected at most ${bytes} bytes for format ${format}`),
        },
      ]);
    }
  });

  test('has no size as a disk', () => {
    const some = image('some', 'bzImage', 'virtualSize: 1GiB', fromFile);
    expect(diagnosticsOf([some])).toMatchObject([
      { code: 'InvalidValue', path: 'spec.virtualSize' },
    ]);
  });
});
