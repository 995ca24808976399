/**
 * What the image disk of every host must do behind the ports, and what is taken off it: a host that is simulated
 * and the files and tools of a real one are held against the same lines.
 */
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { HostError } from '../../src/host/host-error.ts';
import type { Host } from '../../src/host/ports.ts';
import type { PartitionOwner } from '../../src/model/identity.ts';
import type { Given } from '../../src/model/image-disk.ts';
import type { Intake } from '../../src/model/intake.ts';
import type { ImageName } from '../../src/model/names.ts';
import type { Image, StoredState } from '../../src/model/volume.ts';
import { digestOf } from '../support/simulation.ts';

/** A store of `owner.partition` that keeps nothing yet. */
export interface ImageDiskSubject {
  readonly host: Pick<Host, 'imageDisks' | 'images' | 'intakes'>;
  readonly owner: PartitionOwner;
  /** What its guest does, while it has it: there is a file of so many bytes. */
  readonly put: (path: string, sizeBytes: number) => Promise<void>;
  /** What a person beside us does: takes its place, without a record. */
  readonly makeForeign: () => Promise<void>;
  /** What a crash does: it is still, or again, in this state. */
  readonly leave: (state: StoredState) => Promise<void>;
  readonly dispose: () => Promise<void>;
}

const MiB = 2 ** 20;
const full = 64 * MiB;
const file = 4 * MiB;
const never = new AbortController().signal;
const debian = 'debian' as ImageName;
const digest = digestOf(1);
const intake: Intake = { image: debian, kind: 'imageDisk', digest, sizeBytes: file };
const given: Given = { image: debian, digest, path: 'images/debian', sizeBytes: file };
const tooLarge: Image = {
  name: debian,
  digest,
  format: 'raw',
  source: {
    kind: 'imageDisk',
    sizeBytes: file,
    path: given.path,
    taking: 'copy',
    isWritten: true,
  },
  virtualBytesMax: MiB,
};
const fresh = { sizeBytes: full, given: [] };
const smaller = { sizeBytes: full - file, given: [given], removed: [given.path] };

const refusal = async (call: Promise<unknown>) => {
  const error: unknown = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof HostError ? error.code : error;
};

export function describeImageDiskContract(
  what: string,
  makeSubject: () => Promise<ImageDiskSubject>,
): void {
  describe(`${what}: the image disk`, () => {
    let subject: ImageDiskSubject;
    beforeEach(async () => {
      await subject?.dispose();
      subject = await makeSubject();
    });
    afterAll(() => subject.dispose());

    const disks = () => subject.host.imageDisks;
    const look = async () => {
      const seen = await disks().find(subject.owner.partition, never);
      return seen.status === 'present' ? seen.value : seen.status;
    };
    const intakeThere = async () => {
      const seen = await subject.host.intakes.read(subject.owner.partition, debian, never);
      return seen.status === 'present' ? seen.value.receivedBytes : seen.status;
    };
    const create = () => disks().create(subject.owner, fresh, never);
    const fill = (path = given.path) =>
      subject.host.intakes.takeOut(subject.owner, debian, path, never);

    test('is none at first, then is there as it was asked for, once', async () => {
      expect(await look()).toBe('absent');
      await create();
      expect(await look()).toEqual({
        owner: subject.owner,
        state: 'ready',
        sizeBytes: full,
        heldBytes: full,
        given: [],
        takenOut: [],
        lentTo: null,
      });
      expect(await refusal(create())).toBe('Conflict');
    });

    test('begins with what it has given already', async () => {
      await disks().create(subject.owner, { sizeBytes: full - file, given: [given] }, never);
      expect(await look()).toMatchObject({ sizeBytes: full - file, given: [given] });
    });

    test('half made is made over; half deleted is deleted', async () => {
      await create();
      await subject.leave('creating');
      await create();
      expect(await look()).toMatchObject({ state: 'ready', sizeBytes: full });
      await subject.leave('deleting');
      expect(await refusal(create())).toBe('Conflict');
      await disks().delete(subject.owner, never);
      expect(await look()).toBe('absent');
      await disks().delete(subject.owner, never);
    });

    test('becomes smaller and larger again, as often as it is said', async () => {
      await create();
      await disks().rework(subject.owner, smaller, never);
      await disks().rework(subject.owner, smaller, never);
      expect(await look()).toMatchObject({
        sizeBytes: full - file,
        heldBytes: full - file,
        given: [given],
      });
      await disks().rework(subject.owner, { ...fresh, removed: [] }, never);
      expect(await look()).toMatchObject({ sizeBytes: full, heldBytes: full, given: [] });
    });

    test('that is not there is not reworked', async () => {
      expect(await refusal(disks().rework(subject.owner, smaller, never))).toBe('Conflict');
      await create();
      await subject.leave('deleting');
      expect(await refusal(disks().rework(subject.owner, smaller, never))).toBe('Conflict');
    });

    test('of somebody else is seen, and left as it is', async () => {
      await subject.makeForeign();
      expect(await look()).toMatchObject({ owner: null });
      expect(await refusal(create())).toBe('Conflict');
      expect(await refusal(disks().rework(subject.owner, smaller, never))).toBe('Conflict');
      expect(await refusal(disks().delete(subject.owner, never))).toBe('Conflict');
    });

    test('of another installation is left as it is', async () => {
      await create();
      const installation = '00000000-0000-4000-8000-0000000000cc';
      const other = { ...subject.owner, installation } as PartitionOwner;
      expect(await refusal(disks().rework(other, smaller, never))).toBe('Conflict');
      expect(await refusal(disks().delete(other, never))).toBe('Conflict');
      expect(await look()).toMatchObject({ sizeBytes: full });
    });

    test('gives a file whole, as often as it is asked, and keeps it', async () => {
      await create();
      await subject.put(given.path, file);
      await subject.host.intakes.create(subject.owner, intake, never);
      expect(await intakeThere()).toBe(0);
      await fill();
      expect(await intakeThere()).toBe(file);
      expect(await look()).toMatchObject({ sizeBytes: full, takenOut: [given.path] });
      await fill();
      expect(await intakeThere()).toBe(file);
      expect(await look()).toMatchObject({ takenOut: [given.path] });
      // What is moved off it is that file; then it is another disk.
      await disks().rework(subject.owner, smaller, never);
      expect(await look()).toMatchObject({ takenOut: [] });
    });

    test('gives no file that is not there', async () => {
      await create();
      await subject.host.intakes.create(subject.owner, intake, never);
      expect(await refusal(fill('missing/debian'))).toBe('Refused');
      expect(await intakeThere()).toBe(0);
    });

    test('leaves what was taken out before where the file is not there any more', async () => {
      await create();
      await subject.put(given.path, file);
      await subject.host.intakes.create(subject.owner, intake, never);
      await fill();
      await fill('missing/debian');
      expect(await intakeThere()).toBe(file);
      expect(await look()).toMatchObject({ takenOut: [given.path] });
    });

    test.each(['verify', 'import'] as const)(
      'is asked once more for what was no good: to %s it',
      async (what) => {
        await create();
        await subject.put(given.path, file);
        await subject.host.intakes.create(subject.owner, intake, never);
        await fill();
        const call = subject.host.images[what](subject.owner, tooLarge, never);
        expect(await refusal(call)).toBe('Refused');
        expect(await intakeThere()).toBe(0);
        await fill();
        expect(await intakeThere()).toBe(file);
      },
    );

    test('gives nothing where there is no room, none for it, or no disk', async () => {
      await subject.host.intakes.create(subject.owner, intake, never);
      expect(await refusal(fill())).toBe('Conflict');
      await create();
      await subject.put(given.path, file);
      await subject.host.intakes.delete(subject.owner, debian, never);
      expect(await refusal(fill())).toBe('Conflict');
      await subject.host.intakes.create(subject.owner, { ...intake, kind: 'upload' }, never);
      expect(await refusal(fill())).toBe('Refused');
    });
  });
}
