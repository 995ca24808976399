/** What every host must do with bytes of Images that come in, uploaded or fetched: the simulated one and real files. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HostError } from '../../src/host/host-error.ts';
import type { ImageReader, ImageWriter, IntakeReader, IntakeWriter } from '../../src/host/ports.ts';
import type { InstallationId, PartitionOwner } from '../../src/model/identity.ts';
import type { Intake } from '../../src/model/intake.ts';
import type { ImageName } from '../../src/model/names.ts';
import type { Image } from '../../src/model/volume.ts';
import { digestOf } from '../support/digest.ts';

/** A store of `owner.partition` that keeps nothing yet. */
export interface IntakeSubject {
  readonly intakes: IntakeReader & IntakeWriter;
  readonly images: ImageReader & ImageWriter;
  readonly owner: PartitionOwner;
  readonly dispose: () => Promise<void>;
}

const never = new AbortController().signal;
const bytes = Buffer.alloc(3 * 2 ** 20, 'an image');
const sizeBytes = bytes.length;
const digest = digestOf(bytes);

const refusal = async (call: Promise<unknown>) => {
  const error: unknown = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof HostError ? error.code : error;
};

export function describeIntakeContract(
  what: string,
  makeSubject: () => Promise<IntakeSubject>,
): void {
  describe.each([
    ['upload', 'raw'],
    ['url', 'raw'],
    ['upload', 'initrd'],
  ] as const)(`the intake contract of ${what}: by %s, of format %s`, (kind, format) => {
    let subject: IntakeSubject;
    const image = 'debian' as ImageName;
    const intake: Intake = { image, kind, digest, sizeBytes };
    const source = {
      upload: { kind: 'upload', sizeBytes },
      url: { kind: 'url', url: 'https://a.test/', sizeBytes, isAllowed: true },
    } as const;
    const wanted: Image = {
      name: image,
      digest,
      format,
      source: source[kind],
      virtualBytesMax: null,
    };
    const append = (from: number, to: number) =>
      subject.intakes.append(subject.owner, intake, from, bytes.subarray(from, to), never);
    const seen = async () => {
      const one = await subject.intakes.read(subject.owner.partition, image, never);
      return one.status === 'present' ? one.value : one.status;
    };
    beforeAll(async () => {
      subject = await makeSubject();
    });
    afterAll(() => subject.dispose());

    test('there is no room before it is made', async () => {
      expect(await seen()).toBe('absent');
      expect(['Conflict', 'Refused']).toContain(await refusal(append(0, 1)));
    });

    test('it is as large as it may become, and has nothing yet', async () => {
      await subject.intakes.create(subject.owner, intake, never);
      expect(await seen()).toEqual({
        name: image,
        owner: subject.owner,
        state: 'ready',
        kind,
        digest,
        sizeBytes,
        lentTo: null,
        receivedBytes: 0,
        heldBytes: sizeBytes,
      });
      expect(await refusal(subject.intakes.create(subject.owner, intake, never))).toBe('Conflict');
    });

    test('what comes is added behind what is there, and nowhere else', async () => {
      expect(await append(0, 1000)).toBe(1000);
      expect(await refusal(append(999, 1001))).toBe('Refused');
      expect(await refusal(append(1001, 1002))).toBe('Refused');
      expect(await append(1000, 2 ** 20)).toBe(2 ** 20);
      expect(await seen()).toMatchObject({ receivedBytes: 2 ** 20 });
    });

    test('no more is taken than there may be', async () => {
      const much = Buffer.alloc(sizeBytes);
      const more = subject.intakes.append(subject.owner, intake, 2 ** 20, much, never);
      expect(await refusal(more)).toBe('Refused');
      expect(await seen()).toMatchObject({ receivedBytes: 2 ** 20 });
    });

    test('no stranger adds anything', async () => {
      const other = '00000000-0000-4000-8000-0000000000cc' as InstallationId;
      const stranger = { ...subject.owner, installation: other };
      const adding = subject.intakes.append(stranger, intake, 2 ** 20, Buffer.alloc(1), never);
      expect(await refusal(adding)).toBe('Conflict');
    });

    test('nothing of other bytes is added, of whatever they are others', async () => {
      const others: readonly Intake[] = [
        { ...intake, digest: `sha256:${'0'.repeat(64)}` },
        { ...intake, sizeBytes: sizeBytes + 1 },
        { ...intake, kind: kind === 'url' ? 'upload' : 'url' },
      ];
      for (const other of others) {
        for (const at of [0, 2 ** 20]) {
          const adding = subject.intakes.append(subject.owner, other, at, Buffer.alloc(1), never);
          expect(await refusal(adding)).toBe('Conflict');
        }
      }
      expect(await seen()).toMatchObject({ receivedBytes: 2 ** 20 });
    });

    test('a part of an Image is none', async () => {
      expect(await refusal(subject.images.verify(subject.owner, wanted, never))).toBe('Refused');
      expect(await refusal(subject.images.import(subject.owner, wanted, never))).toBe('Refused');
    });

    test('nothing at all at 0 drops what was there', async () => {
      expect(await append(0, 0)).toBe(0);
      expect(await seen()).toMatchObject({ receivedBytes: 0, heldBytes: sizeBytes });
    });

    test('what is seen to be good is not begun anew before it is let go of, or used', async () => {
      await append(0, sizeBytes);
      const verify = () => subject.images.verify(subject.owner, wanted, never);
      await verify();
      expect(await refusal(append(0, 1))).toBe('Refused');
      expect(await refusal(append(sizeBytes - 1, sizeBytes))).toBe('Refused');
      subject.images.letGo(subject.owner, image);
      await verify();
      expect(await refusal(append(0, 1))).toBe('Refused');
      expect(await seen()).toMatchObject({ heldBytes: sizeBytes, receivedBytes: sizeBytes });
      subject.images.letGo(subject.owner, image);
      expect(await append(0, 1)).toBe(1);
      expect(await refusal(verify())).toBe('Refused');
      expect(await append(0, 1)).toBe(1);
      await append(0, sizeBytes);
      await verify();
      await subject.intakes.delete(subject.owner, image, never);
      await subject.intakes.create(subject.owner, intake, never);
      expect(await append(0, 1)).toBe(1);
    });

    test('all of it becomes the Image, and takes no room besides', async () => {
      await append(0, 2 ** 20);
      expect(await append(2 ** 20, sizeBytes)).toBe(sizeBytes);
      await subject.images.import(subject.owner, wanted, never);
      expect(await seen()).toMatchObject({ heldBytes: 0 });
      expect(await refusal(append(0, 1))).toBe('Refused');
      await subject.intakes.delete(subject.owner, image, never);
      expect(await seen()).toBe('absent');
      await subject.intakes.delete(subject.owner, image, never);
      const made = await subject.images.read(subject.owner.partition, image, never);
      expect(made).toMatchObject({ value: { state: 'ready', digest, format } });
    });
  });
}
