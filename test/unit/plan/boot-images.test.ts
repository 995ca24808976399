/** Secondaries that boot Images: what waits for what, and what is kept from whom. */
import { describe, expect, test } from 'vitest';
import { fieldsOf } from '../../../src/model/domain.ts';
import type { ObservedIntake } from '../../../src/model/intake.ts';
import type { ImageName, PartitionName } from '../../../src/model/names.ts';
import type { Boot, Secondary } from '../../../src/model/secondary.ts';
import type { Image, ObservedImage } from '../../../src/model/volume.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import {
  applyPass,
  blocksIn,
  converge,
  desiredWith,
  fromFile,
  image,
  installation,
  partition,
  planPass,
  secondary,
} from '../../support/passes.ts';
import { shareWithStorage } from '../../support/share.ts';
import {
  digestOf,
  domainOf,
  imageOf,
  testHost,
  unreadable,
  unreadableVolume,
  volumeOf,
  worldOf,
} from '../../support/simulation.ts';

const MiB = 2 ** 20;
const boot = (kernel: string, initrd: string | null = 'ramdisk'): Boot => ({
  kind: 'kernelImage',
  kernel: kernel as ImageName,
  initrd: initrd as ImageName | null,
  commandLine: 'quiet',
});
const booting = (name: string, more: Partial<Secondary> = {}) =>
  secondary(name, { boot: boot('linux'), ...more });
const linux = image('linux', {
  format: 'bzImage',
  digest: digestOf(0),
  source: fromFile('vmlinuz'),
});
const ramdisk = image('ramdisk', {
  format: 'initrd',
  digest: digestOf(0),
  source: fromFile('vmlinuz'),
});
const both = [linux, ramdisk];
const there = [imageOf('linux', { format: 'bzImage' }), imageOf('ramdisk', { format: 'initrd' })];
const uploaded = (bytes: number, more: Partial<Image> = {}): Image => ({
  ...linux,
  source: { kind: 'upload', sizeBytes: bytes },
  ...more,
});
const intakeOf = ({ name, digest }: Image, bytes: number): ObservedIntake => ({
  name,
  owner: { installation, partition },
  state: 'ready',
  kind: 'upload',
  digest,
  sizeBytes: bytes,
  receivedBytes: bytes,
  heldBytes: bytes,
  lentTo: null,
});
const running = (name: string, more: Partial<Secondary> = {}) =>
  domainOf(name, { power: { status: 'running' }, defined: fieldsOf(booting(name, more)) });
const stopped = (name: string) =>
  domainOf(name, {
    power: { status: 'stopped', reason: 'powered-off' },
    defined: fieldsOf(booting(name)),
  });
const saved = (name: string, more: Partial<Secondary> = {}) =>
  domainOf(name, {
    power: { status: 'stopped', reason: 'unknown' },
    saved: true,
    defined: fieldsOf(booting(name, more)),
  });
const worldWith = (...domains: readonly ReturnType<typeof running>[]) =>
  worldOf({ recorded: true, images: there, domains });
const afterOf = ({ operations }: Plan, id: string) =>
  operations.find((each) => each.id === id)?.after ?? null;
const ids = ({ operations }: Plan) => operations.map(({ id }) => id);

const elsewhere = { installation, partition: 'team-b' as PartitionName };
const inUse = (why: RegExp) => ({
  kind: 'blocked',
  resource: { kind: 'image', name: 'linux' },
  block: { code: 'ImageInUse', message: expect.stringMatching(why) as string },
});

describe('a Secondary', () => {
  test('starts once what it boots is there, and runs with it', async () => {
    const host = testHost(worldOf({}));
    const wanted = desiredWith({ images: both, secondaries: [booting('web')] });
    const plan = await planPass(host, wanted);
    expect(afterOf(plan, 'domain.start/web')).toEqual(
      expect.arrayContaining(['image.import/linux', 'image.import/ramdisk']),
    );
    await converge(host, wanted);
    expect([...host.world.domains.values()][0]?.guest?.fields).toMatchObject({
      kernel: null,
      kernelImage: 'linux',
      initrdImage: 'ramdisk',
    });
  });

  test('waits for bytes that have not come, with the Image and its reason', async () => {
    const wanted = desiredWith({
      images: [uploaded(MiB), ramdisk],
      secondaries: [booting('web'), secondary('other')],
    });
    const plan = await planPass(testHost(worldOf({})), wanted);
    expect(blocksIn(plan)).toEqual(['linux AwaitingBytes', 'web PartBlocked']);
    const web = plan.entries.find(({ resource }) => resource.name === 'web');
    expect(web).toMatchObject({
      block: { message: expect.stringMatching(/^Image linux is blocked: AwaitingBytes: /) },
    });
    expect(ids(plan)).toContain('domain.start/other');
  });

  test('waits where there is no room for what it boots', async () => {
    const limited = desiredWith({
      images: both,
      secondaries: [booting('web')],
      share: shareWithStorage(MiB),
    });
    expect(blocksIn(await planPass(testHost(worldOf({})), limited))).toEqual([
      'ramdisk OverBudget',
      'web PartBlocked',
    ]);
  });

  test('has its bytes counted once: those that came in are those of the Image', async () => {
    const intake = intakeOf(linux, MiB);
    const host = testHost(worldOf({ recorded: true, intakes: [intake] }));
    const wanted = desiredWith({
      images: [uploaded(MiB)],
      secondaries: [booting('web', { boot: boot('linux', null) })],
      share: shareWithStorage(MiB),
    });
    expect(blocksIn(await planPass(host, wanted))).toEqual([]);
    await converge(host, wanted);
    expect(host.world.images.get(partition)?.get(linux.name)?.fileBytes).toBe(MiB);
    expect(host.world.intakes.get(partition)?.size).toBe(0);
  });

  // From 1 MiB on, up to 2 GiB, and without the 160 KiB of the firmware and the last byte.
  const kept = MiB + 0x28000 + 1;
  test.each([
    ['128 MiB', 128 * MiB, MiB, 127 * MiB - kept, true],
    ['128 MiB', 128 * MiB, MiB, 127 * MiB - kept + 1, false],
    ['128 MiB', 128 * MiB, MiB + 1, 127 * MiB - kept - 4096, true],
    ['128 MiB', 128 * MiB, MiB + 1, 127 * MiB - kept - 4095, false],
    ['128 MiB', 128 * MiB, 128 * MiB - kept, 0, false],
    ['128 MiB', 128 * MiB, 127 * MiB, null, false],
    ['16 MiB', 16 * MiB, 14 * MiB, null, true],
    ['a byte less than 2 GiB', 2048 * MiB - 1, MiB, 2047 * MiB - kept, false],
    ['2 GiB', 2048 * MiB, MiB, 2047 * MiB - kept, true],
    ['2 GiB', 2048 * MiB, MiB, 2047 * MiB - kept + 1, false],
    ['64 GiB', 65_536 * MiB, MiB, 2047 * MiB - kept, true],
    ['64 GiB', 65_536 * MiB, MiB, 2047 * MiB - kept + 1, false],
  ])('of %s (%i) boots a kernel of %i and %s bytes besides: %s', async (...given) => {
    const [, memoryBytes, kernelBytes, initrdBytes, fits] = given;
    const world = worldOf({
      images: [
        imageOf('linux', { format: 'bzImage', sizeBytes: kernelBytes }),
        imageOf('ramdisk', { format: 'initrd', sizeBytes: initrdBytes ?? 0 }),
      ],
    });
    const web = { boot: boot('linux', initrdBytes === null ? null : 'ramdisk'), memoryBytes };
    const wanted = desiredWith({ images: both, secondaries: [booting('web', web)] });
    expect(blocksIn(await planPass(testHost(world), wanted))).toEqual(
      fits ? [] : ['web BootTooLarge'],
    );
  });

  test('that is too small for what it boots is told how much of it there is', async () => {
    const images = [{ ...ramdisk, format: 'initrd', sizeBytes: 127 * MiB } as const];
    const world = worldOf({ images: images.map(({ name, ...is }) => imageOf(name, is)) });
    const wanted = desiredWith({ images: both, secondaries: [booting('web')] });
    const { entries } = await planPass(testHost(world), wanted);
    expect(entries.find(({ resource }) => resource.name === 'web')).toMatchObject({
      block: {
        message:
          'what it boots takes 128MiB, and it has 128MiB of memory, in which there has to be more than that between 1MiB and 130912KiB: it could not be loaded',
      },
    });
  });

  test('that runs goes on though what it boots is blocked, and is not started again', async () => {
    const wanted = desiredWith({
      images: [uploaded(MiB, { digest: digestOf(1) }), ramdisk],
      secondaries: [booting('web'), booting('down')],
    });
    const plan = await planPass(testHost(worldWith(running('web'), stopped('down'))), wanted);
    expect(blocksIn(plan)).toEqual(['linux AwaitingBytes', 'down PartBlocked']);
  });

  test('that boots another kernel needs a restart for it, and keeps its own meanwhile', async () => {
    const next = { ...linux, name: 'next' as ImageName };
    const web = booting('web', { boot: boot('next') });
    const host = testHost(worldWith(running('web')));
    const staged = desiredWith({ images: [next, ramdisk], secondaries: [web] });
    const { entries } = await planPass(host, staged);
    expect(entries.find(({ resource }) => resource.name === 'web')).toMatchObject({
      kind: 'update',
      fields: [{ path: 'spec.boot.kernel.image', from: 'linux', to: 'next', impact: 'restart' }],
      waiting: [{ path: 'spec.boot.kernel.image' }],
    });
    expect(entries).toContainEqual({ kind: 'kept', resource: { kind: 'image', name: 'linux' } });
    await converge(host, staged);
    expect([...(host.world.images.get(partition)?.keys() ?? [])].sort()).toEqual(
      ['linux', 'next', 'ramdisk'].sort(),
    );
    const restarting = desiredWith({
      images: [next, ramdisk],
      secondaries: [{ ...web, updatePolicy: 'Restart' }],
    });
    const plan = await planPass(host, restarting);
    expect(ids(plan)).toContain('image.delete/linux');
    expect(afterOf(plan, 'image.delete/linux')).toContain('domain.forget-stop/web');
    await converge(host, restarting);
    expect([...(host.world.images.get(partition)?.keys() ?? [])]).not.toContain('linux');
  });

  test('is stopped for a restart only once what it comes up with is there', async () => {
    const next = { ...linux, name: 'next' as ImageName };
    const wanted = desiredWith({
      images: [linux, next, ramdisk],
      secondaries: [booting('web', { boot: boot('next'), updatePolicy: 'Restart' })],
    });
    const plan = await planPass(testHost(worldWith(running('web'))), wanted);
    expect(afterOf(plan, 'domain.stop/web')).toContain('image.import/next');
  });
});

describe('bytes that a guest was booted with', () => {
  const other = { ...linux, digest: digestOf(1) };

  test.each([
    ['as it is', {}],
    ['and is restarted', { updatePolicy: 'Restart', vcpus: 2 } as const],
  ])('are not replaced while it runs %s', async (_what, more) => {
    const wanted = desiredWith({ images: [other, ramdisk], secondaries: [booting('web', more)] });
    const plan = await planPass(testHost(worldWith(running('web'))), wanted);
    expect(plan.entries).toContainEqual(
      inUse(
        /^web runs with the bytes that it has: give the new ones an Image of another name, and boot that \(which needs a restart\), or halt web first$/,
      ),
    );
    expect(ids(plan).filter((id) => /image|stop/.test(id))).toEqual([]);
  });

  test('are replaced once it is halted, and it starts with the new ones', async () => {
    const host = testHost(worldWith(running('web')));
    const halted = desiredWith({
      images: [other, ramdisk],
      secondaries: [booting('web', { runPolicy: 'Halted' })],
    });
    const plan = await planPass(host, halted);
    expect(blocksIn(plan)).toEqual([]);
    expect(afterOf(plan, 'image.delete/linux')).toContain('domain.stop/web');
    await converge(host, halted);
    const up = desiredWith({ images: [other, ramdisk], secondaries: [booting('web')] });
    await converge(host, up);
    const shelf = host.world.images.get(partition);
    expect(shelf?.get('linux' as ImageName)?.digest).toBe(digestOf(1));
  });

  test('are replaced under a definition, before it is started with them', async () => {
    const wanted = desiredWith({ images: [other, ramdisk], secondaries: [booting('web')] });
    const plan = await planPass(testHost(worldWith(stopped('web'))), wanted);
    expect(afterOf(plan, 'domain.start/web')).toContain('image.import/linux');
    expect(afterOf(plan, 'image.import/linux')).toContain('image.delete/linux');
    expect(afterOf(plan, 'image.delete/linux')).toContain('image.verify/linux');
  });

  test('are kept where the new ones are no good, and are there for whoever wants them back', async () => {
    const host = testHost(worldWith(stopped('web')));
    host.world.files.get(partition)?.set('vmlinuz', { bytes: MiB, digest: digestOf(2) });
    const wanted = desiredWith({ images: [other, ramdisk], secondaries: [booting('web')] });
    const { outcomes } = await applyPass(host, wanted);
    const results = outcomes.map(({ operation, result }) => `${operation.id} ${result.status}`);
    expect(results.filter((each) => !each.endsWith(' already'))).toEqual([
      'image.verify/linux failed',
      'image.delete/linux skipped',
      'image.import/linux skipped',
      'domain.start/web skipped',
    ]);
    const shelf = host.world.images.get(partition);
    expect(shelf?.get('linux' as ImageName)).toMatchObject({
      state: 'ready',
      digest: digestOf(0),
    });
    await converge(host, desiredWith({ images: both, secondaries: [booting('web')] }));
    expect([...host.world.domains.values()][0]?.guest?.fields).toMatchObject({
      kernelImage: 'linux',
    });
  });

  test.each([
    ['is saved', { saved: true }],
    ['is stopped', { saved: false }],
    ['runs', { power: { status: 'running' } } as const],
  ])('are replaced only once one that %s and goes is gone', async (_what, more) => {
    const goes = { ...stopped('web'), ...more };
    const wanted = desiredWith({ images: [other, ramdisk], secondaries: [booting('stays')] });
    const host = testHost(worldWith(goes, stopped('stays')));
    const plan = await planPass(host, wanted);
    expect(blocksIn(plan)).toEqual([]);
    expect(afterOf(plan, 'image.delete/linux')).toContain('domain.undefine/web');
    await applyPass(host, wanted);
    const shelf = host.world.images.get(partition);
    expect(shelf?.get('linux' as ImageName)?.digest).toBe(digestOf(1));
  });

  test('are neither replaced nor deleted while it is saved', async () => {
    for (const images of [[other, ramdisk], []]) {
      const secondaries = images.length > 0 ? [booting('web')] : [secondary('web')];
      const host = testHost(worldWith(saved('web')));
      const plan = await planPass(host, desiredWith({ images, secondaries }));
      expect(ids(plan).filter((id) => id.startsWith('image.'))).toEqual([]);
    }
  });

  test('nor while one is saved whose definition has changed since', async () => {
    // libvirt saves what it ran with, and restores that.
    const changed = domainOf('web', {
      power: { status: 'stopped', reason: 'unknown' },
      saved: true,
      defined: fieldsOf(secondary('web')),
    });
    const secondaries = [secondary('web')];
    const none = await planPass(testHost(worldWith(changed)), desiredWith({ secondaries }));
    expect(ids(none)).toEqual(['domain.start/web']);
    const next = await planPass(
      testHost(worldWith(changed)),
      desiredWith({ images: [other, ramdisk], secondaries }),
    );
    expect(blocksIn(next)).toEqual(['linux ImageInUse']);
    const gone = await planPass(testHost(worldWith(changed)), desiredWith({}), true);
    expect(afterOf(gone, 'image.delete/linux')).toContain('domain.undefine/web');
  });

  const awaited = uploaded(MiB, { digest: digestOf(1) });
  const huge = uploaded(2 ** 30, { digest: digestOf(1) });

  test.each([
    ['supplied', other, [], 'ImageInUse'],
    ['awaited', awaited, [], 'AwaitingBytes'],
    ['larger than its memory', huge, [intakeOf(huge, 2 ** 30)], 'ImageInUse'],
  ])('are what it is restored with, while others are %s', async (_what, next, intakes, code) => {
    const domains = [saved('web')];
    const host = testHost(worldOf({ recorded: true, images: there, intakes, domains }));
    const images = [next, ramdisk];
    const wanted = desiredWith({ images, secondaries: [booting('web')] });
    const plan = await planPass(host, wanted);
    expect(blocksIn(plan)).toEqual([`linux ${code}`]);
    expect(ids(plan)).toContain('domain.start/web');
    await converge(host, wanted);
    const [web] = host.world.domains.values();
    expect(web).toMatchObject({ saved: false, guest: { fields: { kernelImage: 'linux' } } });
    expect(host.world.images.get(partition)?.get(linux.name)?.digest).toBe(linux.digest);
  });

  test('are replaced once who was restored with them is halted', async () => {
    const host = testHost(worldWith(saved('web')));
    const images = [other, ramdisk];
    for (const more of [{}, { runPolicy: 'Halted' }, {}] as const) {
      await converge(host, desiredWith({ images, secondaries: [booting('web', more)] }));
    }
    expect(host.world.images.get(partition)?.get(linux.name)?.digest).toBe(other.digest);
    expect([...host.world.domains.values()][0]?.guest).not.toBeNull();
  });

  test.each(['Halted', 'Manual'] as const)('and it stays saved (%s) are said to be', async (to) => {
    const wanted = desiredWith({
      images: [other, ramdisk],
      secondaries: [booting('web', { runPolicy: to })],
    });
    const plan = await planPass(testHost(worldWith(saved('web', { runPolicy: to }))), wanted);
    expect(plan.entries).toContainEqual(
      inUse(
        /^web is saved, and may go on with these bytes: .* put the old digest back, or .* `virsh managedsave-remove unnest\.[a-z-]+\.web`$/,
      ),
    );
    expect(plan.operations).toEqual([]);
  });

  test('are replaced once the last who is saved with them is gone with its memory', async () => {
    const plan = await planPass(
      testHost(worldWith(saved('gone'), stopped('web'))),
      desiredWith({ images: [other, ramdisk], secondaries: [booting('web')] }),
    );
    expect(blocksIn(plan)).toEqual([]);
    expect(afterOf(plan, 'image.delete/linux')).toContain('domain.undefine/gone');
  });

  test.each([
    ['gone', []],
    ['half made', [{ ...there[0], state: 'creating' } as ObservedImage]],
    ['of another partition', [{ ...there[0], owner: elsewhere } as ObservedImage]],
  ])('that are %s are waited for though it was saved with them', async (what, kernels) => {
    const images = [...kernels, ...there.slice(1)];
    const world = worldOf({ recorded: true, images, domains: [saved('web')] });
    const wanted = desiredWith({ images: [uploaded(MiB), ramdisk], secondaries: [booting('web')] });
    const why = what === 'of another partition' ? 'MarkMismatch' : 'AwaitingBytes';
    expect(blocksIn(await planPass(testHost(world), wanted))).toEqual([
      `linux ${why}`,
      'web PartBlocked',
    ]);
  });

  test('are not deleted while it runs, or could not be read', async () => {
    const nothing = desiredWith({ secondaries: [secondary('other')] });
    const kept = desiredWith({ secondaries: [secondary('web', { updatePolicy: 'Staged' })] });
    const runs = await planPass(testHost(worldWith(running('web'))), kept);
    expect(ids(runs)).not.toContain('image.delete/linux');
    const dark = testHost(worldWith(running('web')), { rules: [unreadable('web')] });
    const unread = await planPass(dark, nothing, true);
    expect(blocksIn(unread)).toEqual(expect.arrayContaining(['linux HostUnknown']));
    expect(ids(unread).filter((id) => id.startsWith('image.'))).toEqual([]);
  });

  test('are not in the way of a Volume that cannot be read, nor it in theirs', async () => {
    const domains = [stopped('web')];
    const volumes = [volumeOf('data')];
    const world = worldOf({ recorded: true, images: there, volumes, domains });
    const host = testHost(world, { rules: [unreadableVolume('data')] });
    const wanted = desiredWith({ images: [other], secondaries: [secondary('web')] });
    const plan = await planPass(host, wanted);
    expect(blocksIn(plan)).toEqual(['data HostUnknown']);
    expect(ids(plan)).toEqual(
      expect.arrayContaining(['image.delete/linux', 'image.import/linux', 'image.delete/ramdisk']),
    );
  });

  test('are deleted after the last guest that has them', async () => {
    const host = testHost(worldWith(running('web'), running('more')));
    const plan = await planPass(host, desiredWith({ secondaries: [secondary('other')] }), true);
    expect(afterOf(plan, 'image.delete/linux')).toEqual(
      expect.arrayContaining(['domain.undefine/web', 'domain.undefine/more']),
    );
    await applyPass(host, desiredWith({ secondaries: [secondary('other')] }));
    expect(host.world.images.get(partition)?.size).toBe(0);
  });
});
