/** Which files of a simulated store can become an Image, and which Images can go. */
import { describe, expect, test } from 'vitest';
import { HostError } from '../../../../src/host/host-error.ts';
import type { FilesMode } from '../../../../src/host/simulated/store.ts';
import type { ObservedVolume } from '../../../../src/model/volume.ts';
import { fromFile, installation, partition } from '../../../support/passes.ts';
import { digestOf, imageOf, testHost, volumeOf, worldOf } from '../../../support/simulation.ts';

const { signal } = new AbortController();
const owner = { installation, partition };
const MiB = 2 ** 20;
const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => null,
    (error: unknown) => (error instanceof HostError ? error.code : error),
  );

describe('an Image out of a file', () => {
  const known = digestOf(7);
  const debian = imageOf('debian', { digest: known });
  const importing = async (files: FilesMode, file: string, digest: string) => {
    const host = testHost(worldOf({ files: ['listed.img'] }), { files });
    host.world.files.get(partition)?.set('known.img', { bytes: 2 * MiB, digest: known });
    const image = { ...debian, digest, source: fromFile(file), virtualBytesMax: null };
    const code = await codeOf(host.images.import(owner, image, signal));
    return code ?? host.world.images.get(partition)?.get(debian.name)?.sizeBytes;
  };

  test.each<[FilesMode, string, string, unknown]>([
    ['listed', 'listed.img', digestOf(1), MiB],
    ['listed', 'listed.img', digestOf(2), MiB],
    ['listed', 'known.img', known, 2 * MiB],
    ['listed', 'known.img', digestOf(1), 'Refused'],
    ['listed', 'other.img', known, 'Refused'],
    ['any', 'listed.img', digestOf(1), MiB],
    ['any', 'known.img', known, 2 * MiB],
    ['any', 'known.img', digestOf(1), 'Refused'],
    ['any', 'other.img', digestOf(1), 64 * MiB],
    ['any', '../other.img', digestOf(1), 'Refused'],
  ])('files=%s, %s as %s', async (files, file, digest, becomes) => {
    expect(await importing(files, file, digest)).toBe(becomes);
  });

  test('is no larger than it may be', async () => {
    const host = testHost(worldOf({ files: ['listed.img'] }));
    const image = { ...debian, source: fromFile('listed.img'), virtualBytesMax: MiB - 1 };
    expect(await codeOf(host.images.import(owner, image, signal))).toBe('Refused');
    await host.images.import(owner, { ...image, virtualBytesMax: MiB }, signal);
  });
});

describe('an Image that a Volume began as', () => {
  const debian = imageOf('debian');
  const { name: image, digest } = debian;
  const format = 'qcow2';
  const origin = { image, digest, format, provision: 'Overlay' } as const;

  test.each<[string, Partial<ObservedVolume>, string | null]>([
    ['lies on', { origin }, 'Refused'],
    ['of another owner lies on', { origin, owner: null }, 'Refused'],
    ['lies on another than', { origin: { ...origin, image: imageOf('alpine').name } }, null],
    ['has a copy of', { origin: { ...origin, provision: 'Copy' } }, null],
    ['was never finished on', { origin, state: 'creating' }, null],
    ['is half deleted on', { origin, state: 'deleting' }, null],
  ])('that %s it', async (_what, parts, code) => {
    const volumes = [volumeOf('root', { format: 'qcow2', ...parts })];
    const host = testHost(worldOf({ images: [debian], volumes }));
    expect(await codeOf(host.images.delete(owner, image, signal))).toBe(code);
    expect(host.world.images.get(partition)?.has(image)).toBe(code !== null);
  });
});
