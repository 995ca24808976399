/**
 * What the Volumes and Images of every host must do behind the ports. A host that is simulated and
 * the files of a real one are held against the same lines.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../support/digest.ts';
import { soundKernel } from '../support/hostile-kernels.ts';
import { fileOf, fromFile } from '../support/passes.ts';
import { HostError } from '../../src/host/host-error.ts';
import type { ImageReader, ImageWriter, VolumeReader, VolumeWriter } from '../../src/host/ports.ts';
import type { InstallationId, PartitionOwner } from '../../src/model/identity.ts';
import type { VolumeStore } from '../../src/model/thin-pool.ts';
import type { FileName, ImageName, PartitionName, VolumeName } from '../../src/model/names.ts';
import type {
  DiskFormat,
  Image,
  ObservedImage,
  ObservedVolume,
  Provision,
  StoredState,
  Volume,
} from '../../src/model/volume.ts';

/** A store of `owner.partition` that keeps nothing yet. */
export interface StorageSubject {
  readonly volumes: VolumeReader & VolumeWriter;
  readonly images: ImageReader & ImageWriter;
  /** The same store, of which nothing can be changed. */
  readonly view: { readonly volumes: VolumeReader; readonly images: ImageReader };
  readonly owner: PartitionOwner;
  /** Whether it looks into the bytes of a qcow2; a simulated file has none. */
  readonly readsHeaders: boolean;
  /** What the operator does: puts a file into the partition's store, or replaces it. */
  readonly putFile: (name: FileName, content: Uint8Array) => Promise<void>;
  /** What a person beside us does: takes the place of a Volume or an Image, without a record. */
  readonly makeForeign: (kind: Kind, name: string) => Promise<void>;
  /** What a crash does: what is kept is still, or again, in this state. */
  readonly leave: (kind: Kind, name: string, state: StoredState) => Promise<void>;
  readonly dispose: () => Promise<void>;
}

type Kind = 'volume' | 'image';

const MiB = 2 ** 20;
const never = new AbortController().signal;
const over = AbortSignal.abort();
const otherInstallation = '00000000-0000-4000-8000-0000000000cc' as InstallationId;

/** 1 MiB that differs by its seed. */
const bytesOf = (seed: string, length = MiB): Uint8Array => {
  const bytes = Buffer.alloc(length);
  bytes.write(seed);
  return bytes;
};

/** The reason goes first, so that a wrong one is seen beside the right one. */
const refusal = async (call: Promise<unknown>) => {
  const error: unknown = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof HostError ? error.code : error;
};

/** @param keeps as its store says */
export function describeStorageContract(
  what: string,
  makeSubject: () => Promise<StorageSubject>,
  keeps: VolumeStore['keeps'] = 'all',
): void {
  const formats = { all: ['raw', 'qcow2'], raw: ['raw'] } as const;
  const last = keeps === 'all' ? 'qcow2' : 'raw';
  const ifAll = keeps === 'all' ? test : test.skip;
  describe(`the storage contract of ${what}`, () => {
    let subject: StorageSubject;
    let count = 0;
    const volumes = () => subject.volumes;
    const images = () => subject.images;
    const us = () => subject.owner;
    /** Another installation, which has the same partition. */
    const stranger = (): PartitionOwner => ({ ...us(), installation: otherInstallation });

    /** The Volume of this test. */
    const volume = (overrides: Partial<Volume> = {}): Volume => ({
      name: `v-${count}` as VolumeName,
      sizeBytes: 4 * MiB,
      format: 'raw',
      origin: null,
      copyOf: null,
      deletionPolicy: 'Retain',
      ...overrides,
    });
    const create = async (overrides: Partial<Volume> = {}) => {
      const made = volume(overrides);
      await volumes().create(us(), made, never);
      return made;
    };
    /** The Image of this test, with a file of 1 MiB that it can be imported from. */
    const image = async (overrides: Partial<Image> = {}, bytes = bytesOf(`image ${count}`)) => {
      const file = `image-${count}.img` as FileName;
      await subject.putFile(file, bytes);
      const made: Image = {
        name: `i-${count}` as ImageName,
        digest: digestOf(bytes),
        format: 'raw',
        source: fromFile(file),
        virtualBytesMax: null,
        ...overrides,
      };
      return made;
    };
    const imported = async (overrides: Partial<Image> = {}, bytes?: Uint8Array) => {
      const made = await image(overrides, bytes);
      await images().import(us(), made, never);
      return made;
    };
    const from = ({ name, digest, format }: Image, provision: Provision) => ({
      origin: { image: name, digest, format: format as DiskFormat, provision },
    });
    const lookVolume = async (name = volume().name): Promise<ObservedVolume | null> => {
      const seen = await volumes().read(us().partition, name, never);
      if (seen.status === 'unknown') throw new Error(seen.why);
      if (seen.status === 'absent') return null;
      const { thin: _, ...volume } = seen.value;
      return volume;
    };
    const lookImage = async (name = `i-${count}` as ImageName): Promise<ObservedImage | null> => {
      const seen = await images().read(us().partition, name, never);
      if (seen.status === 'unknown') throw new Error(seen.why);
      return seen.status === 'present' ? seen.value : null;
    };
    const listed = async () => [
      ...(await volumes().list(us().partition, never)),
      ...(await images().list(us().partition, never)),
    ];

    beforeAll(async () => {
      subject = await makeSubject();
    });
    afterAll(() => subject.dispose());
    beforeEach(() => {
      count += 1;
    });

    describe('a Volume', () => {
      test.each<DiskFormat>(formats[keeps])(
        'that is %s is read back as it was asked for',
        async (format) => {
          const made = await create({ format, deletionPolicy: 'Delete' });
          expect(await lookVolume()).toEqual({ ...made, owner: us(), state: 'ready' });
          expect(await listed()).toContain(made.name);
          const { view, owner } = subject;
          expect(await view.volumes.list(owner.partition, never)).toContain(made.name);
          expect(await view.volumes.read(owner.partition, made.name, never)).toEqual(
            await volumes().read(owner.partition, made.name, never),
          );
        },
      );

      test('is absent before and after, also of a partition that has nothing', async () => {
        const nowhere = 'nowhere' as PartitionName;
        expect(await lookVolume()).toBeNull();
        expect(await volumes().list(nowhere, never)).toEqual([]);
        expect(await images().list(nowhere, never)).toEqual([]);
        const { name } = await create();
        await volumes().delete(us(), name, never);
        expect(await lookVolume()).toBeNull();
        expect(await listed()).not.toContain(name);
        expect(await refusal(volumes().delete(us(), name, never))).toBeNull();
      });

      test('is of what its store keeps, and else refused', async () => {
        const { keeps: says, refusal: why } = await volumes().store(never);
        expect([says, why]).toEqual([keeps, null]);
        const answer = keeps === 'all' ? null : 'Refused';
        expect(await refusal(create({ format: 'qcow2' }))).toBe(answer);
        expect((await lookVolume()) === null).toBe(keeps !== 'all');
      });

      test('is not made twice, and is what it was', async () => {
        await create();
        const before = await lookVolume();
        expect(await refusal(create({ sizeBytes: 8 * MiB, format: 'qcow2' }))).toBe('Conflict');
        expect(await lookVolume()).toEqual(before);
      });

      test.each<DiskFormat>(formats[keeps])(
        'that is %s grows, and never shrinks',
        async (format) => {
          const { name } = await create({ format });
          await volumes().grow(us(), name, 6 * MiB, never);
          expect(await lookVolume()).toMatchObject({ sizeBytes: 6 * MiB, state: 'ready' });
          await volumes().grow(us(), name, 6 * MiB, never);
          expect(await refusal(volumes().grow(us(), name, 5 * MiB, never))).toBe('Refused');
          expect(await lookVolume()).toMatchObject({ sizeBytes: 6 * MiB });
        },
      );

      test('changes what becomes of it, and nothing else', async () => {
        const made = await create();
        await volumes().setDeletionPolicy(us(), made.name, 'Delete', never);
        const now = { ...made, owner: us(), state: 'ready', deletionPolicy: 'Delete' };
        expect(await lookVolume()).toEqual(now);
      });

      test('that is not there neither grows nor changes', async () => {
        const { name } = volume();
        expect(await refusal(volumes().grow(us(), name, 8 * MiB, never))).toBe('Conflict');
        const change = volumes().setDeletionPolicy(us(), name, 'Delete', never);
        expect(await refusal(change)).toBe('Conflict');
        expect(await lookVolume()).toBeNull();
      });

      test('of another owner is shown with its owner', async () => {
        await volumes().create(stranger(), volume(), never);
        expect(await lookVolume()).toMatchObject({ owner: stranger(), state: 'ready' });
      });

      test('of another owner stays as it is', async () => {
        await volumes().create(stranger(), volume(), never);
        const before = await lookVolume();
        const { name } = volume();
        const calls = [
          () => create(),
          () => volumes().grow(us(), name, 8 * MiB, never),
          () => volumes().setDeletionPolicy(us(), name, 'Delete', never),
          () => volumes().delete(us(), name, never),
        ];
        for (const call of calls) expect(await refusal(call())).toBe('Conflict');
        expect(await lookVolume()).toEqual(before);
      });

      test('has its place taken by something without a record, which stays', async () => {
        const { name } = volume();
        await subject.makeForeign('volume', name);
        const calls = [
          () => create(),
          () => volumes().grow(us(), name, 8 * MiB, never),
          () => volumes().setDeletionPolicy(us(), name, 'Delete', never),
          () => volumes().delete(us(), name, never),
        ];
        for (const call of calls) expect(await refusal(call())).toBe('Conflict');
        expect(await lookVolume()).toMatchObject({ name, owner: null });
        expect(await listed()).toContain(name);
      });

      const copyOf = (of: VolumeName, overrides: Partial<Volume> = {}) =>
        create({ name: `c-${count}` as VolumeName, copyOf: of, ...overrides });

      test.each<DiskFormat>(formats[keeps])(
        'that is a copy of another, %s, is read back as such, and outlives it',
        async (format) => {
          const { name } = await create({ format });
          const made = await copyOf(name, { format, sizeBytes: 6 * MiB });
          await volumes().delete(us(), name, never);
          expect(await lookVolume(made.name)).toEqual({ ...made, owner: us(), state: 'ready' });
          await volumes().grow(us(), made.name, 8 * MiB, never);
          expect(await lookVolume(made.name)).toMatchObject({ sizeBytes: 8 * MiB, copyOf: name });
        },
      );

      ifAll('that is a copy of an overlay lies on the same Image', async () => {
        const ground = from(await imported(), 'Overlay');
        const { name } = await create({ format: 'qcow2', ...ground });
        const refused = copyOf(name, { format: 'qcow2' });
        expect(await refusal(refused)).toBe('Refused');
        const made = await copyOf(name, { format: 'qcow2', ...ground });
        expect(await lookVolume(made.name)).toMatchObject({ ...ground, state: 'ready' });
        await volumes().delete(us(), name, never);
        const gone = images().delete(us(), ground.origin.image, never);
        expect(await refusal(gone)).toBe('Refused');
      });

      test.each([
        ['is of another format', {}, { format: 'qcow2' }],
        ['is smaller', {}, { sizeBytes: 2 * MiB }],
        ['is of one that is not there', {}, { copyOf: 'nowhere' as VolumeName }],
      ] as const)('that is a copy and %s is none', async (_what, source, overrides) => {
        const { name } = await create(source);
        expect(await refusal(copyOf(name, overrides))).toBe('Refused');
        expect(await lookVolume(`c-${count}` as VolumeName)).toBeNull();
      });

      test('that is a copy of one of another owner, or of half of one, is none', async () => {
        await volumes().create(stranger(), volume(), never);
        const { name } = volume();
        expect(await refusal(copyOf(name))).toBe('Refused');
        await volumes().delete(stranger(), name, never);
        await create();
        await subject.leave('volume', name, 'creating');
        expect(await refusal(copyOf(name))).toBe('Refused');
        expect(await lookVolume(`c-${count}` as VolumeName)).toBeNull();
      });

      test('whose making was cut short is made anew, as it is wanted by now', async () => {
        await create();
        await subject.leave('volume', volume().name, 'creating');
        expect(await lookVolume()).toMatchObject({ state: 'creating', owner: us() });
        const { name } = volume();
        expect(await refusal(volumes().grow(us(), name, 8 * MiB, never))).toBe('Conflict');
        const made = await create({ format: last, sizeBytes: 8 * MiB });
        expect(await lookVolume()).toEqual({ ...made, owner: us(), state: 'ready' });
      });

      test('whose making was cut short can be deleted', async () => {
        const { name } = await create();
        await subject.leave('volume', name, 'creating');
        await volumes().delete(us(), name, never);
        expect(await lookVolume()).toBeNull();
      });

      test('whose deletion was cut short can only be deleted', async () => {
        const { name } = await create();
        await subject.leave('volume', name, 'deleting');
        expect(await lookVolume()).toMatchObject({ state: 'deleting', owner: us() });
        const calls = [
          () => create(),
          () => volumes().grow(us(), name, 8 * MiB, never),
          () => volumes().setDeletionPolicy(us(), name, 'Delete', never),
        ];
        for (const call of calls) expect(await refusal(call())).toBe('Conflict');
        await volumes().delete(us(), name, never);
        expect(await lookVolume()).toBeNull();
      });
    });

    describe('an Image', () => {
      test('is read back as what it is', async () => {
        const { name, digest, format } = await imported();
        const seen = {
          name,
          digest,
          format,
          owner: us(),
          state: 'ready',
          sizeBytes: MiB,
          fileBytes: MiB,
          moved: null,
        };
        expect(await lookImage()).toEqual(seen);
        expect(await subject.view.images.list(us().partition, never)).toContain(name);
        expect(await subject.view.images.read(us().partition, name, never)).toEqual({
          status: 'present',
          value: seen,
        });
      });

      test('stays what it is when its file changes', async () => {
        const made = await imported();
        const before = await lookImage();
        await subject.putFile(fileOf(made), bytesOf('other bytes', 2 * MiB));
        expect(await lookImage()).toEqual(before);
      });

      test('that is not what its digest says leaves nothing behind', async () => {
        const made = await image({ digest: digestOf(bytesOf('something else')) });
        expect(await refusal(images().import(us(), made, never))).toBe('Refused');
        expect(await lookImage()).toBeNull();
        expect(await listed()).not.toContain(made.name);
      });

      test.each([
        ['is empty', 0],
        ['ends within a sector', MiB + 1],
      ])('that %s is refused', async (_, length) => {
        const made = await image({}, bytesOf('', length));
        expect(await refusal(images().import(us(), made, never))).toBe('Refused');
        expect(await lookImage()).toBeNull();
      });

      test('is refused if it is larger than it may be', async () => {
        const large = await image({ virtualBytesMax: MiB - 512 });
        expect(await refusal(images().import(us(), large, never))).toBe('Refused');
        expect(await lookImage()).toBeNull();
        await imported({ virtualBytesMax: MiB });
        expect(await lookImage()).toMatchObject({ sizeBytes: MiB });
      });

      test('is refused if its file is not there', async () => {
        const made = { ...(await image()), source: fromFile('nosuch') };
        expect(await refusal(images().import(us(), made, never))).toBe('Refused');
        expect(await lookImage()).toBeNull();
      });

      test.each(['qcow2', 'bzImage'] as const)(
        'that is said to be a %s has to be one, where bytes are looked at',
        async (format) => {
          const made = await image({ format });
          const answer = await refusal(images().import(us(), made, never));
          expect(answer).toBe(subject.readsHeaders ? 'Refused' : null);
          expect((await lookImage()) === null).toBe(subject.readsHeaders);
        },
      );

      test.each([
        ['bzImage', soundKernel()],
        ['initrd', Buffer.from('070701, or whatever its kernel reads')],
      ] as const)('of format %s is its bytes, however many', async (format, bytes) => {
        await imported({ format }, bytes);
        const length = { sizeBytes: bytes.length, fileBytes: bytes.length };
        expect(await lookImage()).toMatchObject({ format, ...length, state: 'ready' });
        await images().delete(us(), `i-${count}` as ImageName, never);
        expect(await lookImage()).toBeNull();
      });

      test.each([
        ['bzImage', 0],
        ['initrd', 0],
        ['bzImage', 48 * MiB + 1],
      ] as const)('of format %s with %i bytes is refused', async (format, length) => {
        const bytes = Buffer.alloc(length);
        soundKernel().copy(bytes);
        const made = await image({ format }, bytes);
        expect(await refusal(images().import(us(), made, never))).toBe('Refused');
        expect(await lookImage()).toBeNull();
      });

      test('that is no disk begins no Volume', async () => {
        const made = await imported({ format: 'initrd' });
        expect(await refusal(create(from(made, 'Copy')))).toBe('Refused');
      });

      test('is not imported over, and can be deleted and be another one', async () => {
        await imported();
        const before = await lookImage();
        const next = await image({}, bytesOf('the next one', 2 * MiB));
        expect(await refusal(images().import(us(), next, never))).toBe('Conflict');
        expect(await lookImage()).toEqual(before);
        await images().delete(us(), next.name, never);
        expect(await lookImage()).toBeNull();
        expect(await refusal(images().delete(us(), next.name, never))).toBeNull();
        await images().import(us(), next, never);
        expect(await lookImage()).toMatchObject({ digest: next.digest, sizeBytes: 2 * MiB });
      });

      test('is verified beside the one that it would take the place of, which stays', async () => {
        await imported();
        const before = await lookImage();
        const verified = (made: Image) => refusal(images().verify(us(), made, never));
        const next = await image({}, bytesOf('the next one', 2 * MiB));
        expect(await verified(next)).toBeNull();
        expect(await verified({ ...next, digest: digestOf(bytesOf('another')) })).toBe('Refused');
        expect(await verified({ ...next, virtualBytesMax: MiB })).toBe('Refused');
        expect(await verified({ ...next, source: fromFile('nosuch') })).toBe('Refused');
        expect(await verified(await image({}, bytesOf('', MiB + 1)))).toBe('Refused');
        const kernel = await image({ format: 'bzImage' }, bytesOf('no kernel'));
        expect(await verified(kernel)).toBe(subject.readsHeaders ? 'Refused' : null);
        expect(await lookImage()).toEqual(before);
      });

      test('of another owner stays as it is', async () => {
        const made = await image();
        await images().import(stranger(), made, never);
        const before = await lookImage();
        expect(before).toMatchObject({ owner: stranger() });
        expect(await refusal(images().import(us(), made, never))).toBe('Conflict');
        expect(await refusal(images().delete(us(), made.name, never))).toBe('Conflict');
        expect(await lookImage()).toEqual(before);
      });

      test('has its place taken by something without a record, which stays', async () => {
        const made = await image();
        await subject.makeForeign('image', made.name);
        expect(await refusal(images().import(us(), made, never))).toBe('Conflict');
        expect(await refusal(images().delete(us(), made.name, never))).toBe('Conflict');
        expect(await lookImage()).toMatchObject({ name: made.name, owner: null });
      });

      test('whose import was cut short is imported anew', async () => {
        const made = await imported();
        await subject.leave('image', made.name, 'creating');
        expect(await lookImage()).toMatchObject({ state: 'creating' });
        await images().import(us(), made, never);
        expect(await lookImage()).toMatchObject({ state: 'ready', digest: made.digest });
      });

      test('whose deletion was cut short can only be deleted', async () => {
        const made = await imported();
        await subject.leave('image', made.name, 'deleting');
        expect(await refusal(images().import(us(), made, never))).toBe('Conflict');
        await images().delete(us(), made.name, never);
        expect(await lookImage()).toBeNull();
      });
    });

    describe('a Volume that begins as an Image', () => {
      test.each([
        ['of its size', MiB],
        ['that it is larger than', 4 * MiB],
      ])('has a copy of one %s, and outlives it', async (_, sizeBytes) => {
        const made = await create({ ...from(await imported(), 'Copy'), sizeBytes });
        expect(await lookVolume()).toEqual({ ...made, owner: us(), state: 'ready' });
        await images().delete(us(), `i-${count}` as ImageName, never);
        expect(await lookImage()).toBeNull();
        expect(await lookVolume()).toEqual({ ...made, owner: us(), state: 'ready' });
      });

      ifAll('lies on it, and the Image stays as long as it does', async () => {
        const base = await imported();
        const made = await create({ ...from(base, 'Overlay'), format: 'qcow2' });
        expect(await lookVolume()).toEqual({ ...made, owner: us(), state: 'ready' });
        expect(await refusal(images().delete(us(), base.name, never))).toBe('Refused');
        expect(await lookImage()).toMatchObject({ state: 'ready' });
        await volumes().grow(us(), made.name, 8 * MiB, never);
        expect(await lookVolume()).toMatchObject({ sizeBytes: 8 * MiB, origin: made.origin });
        await volumes().delete(us(), made.name, never);
        await images().delete(us(), base.name, never);
        expect(await lookImage()).toBeNull();
      });

      ifAll.each(['creating', 'deleting'] as const)('does not hold its Image %s', async (state) => {
        const base = await imported();
        const made = await create({ ...from(base, 'Overlay'), format: 'qcow2' });
        await subject.leave('volume', made.name, state);
        await images().delete(us(), base.name, never);
        expect(await lookImage()).toBeNull();
      });

      test.each<[string, (base: Image) => Partial<Volume>]>([
        ['is smaller', (base) => ({ ...from(base, 'Copy'), sizeBytes: MiB - 512 })],
        [
          'lies on it and is smaller',
          (base) => ({ ...from(base, 'Overlay'), format: 'qcow2', sizeBytes: MiB - 512 }),
        ],
        ['is a copy in another format', (base) => ({ ...from(base, 'Copy'), format: 'qcow2' })],
        ['lies on it and is raw', (base) => from(base, 'Overlay')],
        [
          'means other bytes',
          (base) => from({ ...base, digest: digestOf(bytesOf('other')) }, 'Copy'),
        ],
        [
          'means another format',
          (base) => ({ ...from({ ...base, format: 'qcow2' }, 'Copy'), format: 'qcow2' }),
        ],
        ['means another Image', (base) => from({ ...base, name: 'nosuch' as ImageName }, 'Copy')],
      ])('is refused if it %s, and leaves nothing behind', async (_, overrides) => {
        const base = await imported();
        expect(await refusal(create(overrides(base)))).toBe('Refused');
        expect(await lookVolume()).toBeNull();
        expect(await listed()).not.toContain(volume().name);
        expect(await lookImage()).toMatchObject({ state: 'ready' });
      });

      test.each(['creating', 'deleting'] as const)(
        'is refused while the Image is %s',
        async (state) => {
          const base = await imported();
          await subject.leave('image', base.name, state);
          expect(await refusal(create(from(base, 'Copy')))).toBe('Refused');
          expect(await lookVolume()).toBeNull();
        },
      );

      test('is refused if the Image is of another owner', async () => {
        const base = await image();
        await images().import(stranger(), base, never);
        expect(await refusal(create(from(base, 'Copy')))).toBe('Refused');
        expect(await lookVolume()).toBeNull();
      });
    });

    test('every name is in its own partition', async () => {
      const elsewhere = { ...us(), partition: 'elsewhere' as PartitionName };
      const { name } = await create();
      const seen = await volumes().read(elsewhere.partition, name, never);
      expect(seen).toEqual({ status: 'absent' });
      await volumes().create(elsewhere, volume({ sizeBytes: 2 * MiB }), never);
      await volumes().delete(elsewhere, name, never);
      expect(await lookVolume()).toMatchObject({ state: 'ready', sizeBytes: 4 * MiB });
    });

    test('once the signal has fired everything is given up, without effect', async () => {
      const { name } = await create();
      const base = await imported();
      const another = await image({ name: 'another' as ImageName });
      const before = [await listed(), await lookVolume(), await lookImage()];
      const { partition } = us();
      const calls: readonly Promise<unknown>[] = [
        volumes().list(partition, over),
        volumes().read(partition, name, over),
        volumes().create(us(), volume({ name: 'another' as VolumeName }), over),
        volumes().grow(us(), name, 8 * MiB, over),
        volumes().setDeletionPolicy(us(), name, 'Delete', over),
        volumes().delete(us(), name, over),
        images().list(partition, over),
        images().read(partition, base.name, over),
        images().import(us(), another, over),
        images().delete(us(), base.name, over),
      ];
      const codes = await Promise.all(calls.map(refusal));
      expect(codes).toEqual(calls.map(() => 'Cancelled'));
      expect([await listed(), await lookVolume(), await lookImage()]).toEqual(before);
    });
  });
}
