/** Secondaries that boot Images: what waits for what, and what is kept from whom. */
import { describe, expect, test } from 'vitest';
import { fieldsOf } from '../../../src/model/domain.ts';
import type { ObservedIntake } from '../../../src/model/intake.ts';
import type { ImageName } from '../../../src/model/names.ts';
import type { Boot, Secondary } from '../../../src/model/secondary.ts';
import type { Image } from '../../../src/model/volume.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import {
  applyPass,
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
const running = (name: string, more: Partial<Secondary> = {}) =>
  domainOf(name, { power: { status: 'running' }, defined: fieldsOf(booting(name, more)) });
const stopped = (name: string) =>
  domainOf(name, {
    power: { status: 'stopped', reason: 'powered-off' },
    defined: fieldsOf(booting(name)),
  });
const worldWith = (...domains: readonly ReturnType<typeof running>[]) =>
  worldOf({ recorded: true, images: there, domains });
const blocks = ({ entries }: Plan) =>
  entries.flatMap((entry) =>
    entry.kind === 'blocked' ? [`${entry.resource.name} ${entry.block.code}`] : [],
  );
const afterOf = ({ operations }: Plan, id: string) =>
  operations.find((each) => each.id === id)?.after ?? null;
const ids = ({ operations }: Plan) => operations.map(({ id }) => id);

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
    expect(blocks(plan)).toEqual(['linux AwaitingBytes', 'web PartBlocked']);
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
    expect(blocks(await planPass(testHost(worldOf({})), limited))).toEqual([
      'ramdisk OverBudget',
      'web PartBlocked',
    ]);
  });

  test('has its bytes counted once: those that came in are those of the Image', async () => {
    const intake: ObservedIntake = {
      name: linux.name,
      owner: { installation, partition },
      state: 'ready',
      kind: 'upload',
      digest: linux.digest,
      sizeBytes: MiB,
      receivedBytes: MiB,
      heldBytes: MiB,
      lentTo: null,
    };
    const host = testHost(worldOf({ recorded: true, intakes: [intake] }));
    const wanted = desiredWith({
      images: [uploaded(MiB)],
      secondaries: [booting('web', { boot: boot('linux', null) })],
      share: shareWithStorage(MiB),
    });
    expect(blocks(await planPass(host, wanted))).toEqual([]);
    await converge(host, wanted);
    expect(host.world.images.get(partition)?.get(linux.name)?.fileBytes).toBe(MiB);
    expect(host.world.intakes.get(partition)?.size).toBe(0);
  });

  test.each([
    ['just fits', 126 * MiB, []],
    ['does not', 126 * MiB + 1, ['web BootTooLarge']],
  ])('of 128 MiB, with what %s into them', async (_what, initrdBytes, expected) => {
    const images = [linux, { ...ramdisk, source: { kind: 'upload', sizeBytes: initrdBytes } }];
    const world = worldOf({
      images: [
        imageOf('linux', { format: 'bzImage', sizeBytes: MiB }),
        imageOf('ramdisk', { format: 'initrd', sizeBytes: initrdBytes }),
      ],
    });
    const wanted = desiredWith({
      images: images as readonly Image[],
      secondaries: [booting('web')],
    });
    expect(blocks(await planPass(testHost(world), wanted))).toEqual(expected);
  });

  test('that runs goes on though what it boots is blocked, and is not started again', async () => {
    const wanted = desiredWith({
      images: [uploaded(MiB, { digest: digestOf(1) }), ramdisk],
      secondaries: [booting('web'), booting('down')],
    });
    const plan = await planPass(testHost(worldWith(running('web'), stopped('down'))), wanted);
    expect(blocks(plan)).toEqual(['linux AwaitingBytes', 'down PartBlocked']);
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
    expect(plan.entries).toContainEqual({
      kind: 'blocked',
      resource: { kind: 'image', name: 'linux' },
      block: {
        code: 'ImageInUse',
        message: expect.stringMatching(
          /^web runs, or is saved, .* give the new ones an Image of another name, and boot that \(which needs a restart\), or halt web first$/,
        ) as string,
      },
    });
    expect(ids(plan).filter((id) => /image|stop/.test(id))).toEqual([]);
  });

  test('are replaced once it is halted, and it starts with the new ones', async () => {
    const host = testHost(worldWith(running('web')));
    const halted = desiredWith({
      images: [other, ramdisk],
      secondaries: [booting('web', { runPolicy: 'Halted' })],
    });
    const plan = await planPass(host, halted);
    expect(blocks(plan)).toEqual([]);
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
    expect(blocks(plan)).toEqual([]);
    expect(afterOf(plan, 'image.delete/linux')).toContain('domain.undefine/web');
    await applyPass(host, wanted);
    const shelf = host.world.images.get(partition);
    expect(shelf?.get('linux' as ImageName)?.digest).toBe(digestOf(1));
  });

  test('are neither replaced nor deleted while it is saved', async () => {
    const power = { status: 'stopped', reason: 'powered-off' } as const;
    const saved = domainOf('web', { power, saved: true, defined: fieldsOf(booting('web')) });
    for (const images of [[other, ramdisk], []]) {
      const secondaries = images.length > 0 ? [booting('web')] : [secondary('web')];
      const plan = await planPass(testHost(worldWith(saved)), desiredWith({ images, secondaries }));
      expect(ids(plan).filter((id) => id.startsWith('image.'))).toEqual([]);
    }
  });

  test('are not deleted while it runs, or could not be read', async () => {
    const nothing = desiredWith({ secondaries: [secondary('other')] });
    const kept = desiredWith({ secondaries: [secondary('web', { updatePolicy: 'Staged' })] });
    const runs = await planPass(testHost(worldWith(running('web'))), kept);
    expect(ids(runs)).not.toContain('image.delete/linux');
    const dark = testHost(worldWith(running('web')), { rules: [unreadable('web')] });
    const unread = await planPass(dark, nothing);
    expect(blocks(unread)).toEqual(expect.arrayContaining(['linux HostUnknown']));
    expect(ids(unread).filter((id) => id.startsWith('image.'))).toEqual([]);
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
