/** The image disk: whose it is when, what is taken off it, and what that costs, at every moment. */
import { describe, expect, test } from 'vitest';
import { plain } from '../../../src/cli/render/paint.ts';
import { renderPlan } from '../../../src/cli/render/plan.ts';
import type { ExecuteOptions } from '../../../src/execute/execute.ts';
import { HostError } from '../../../src/host/host-error.ts';
import type { Fault } from '../../../src/host/simulated/faults.ts';
import type { World } from '../../../src/host/simulated/world.ts';
import type { ObservedImageDisk } from '../../../src/model/image-disk.ts';
import { lentDisk, lentImageDisk } from '../../../src/model/intake.ts';
import type { ImageName } from '../../../src/model/names.ts';
import { type Grant, GRANTS } from '../../../src/model/primary.ts';
import type { DesiredState } from '../../../src/model/secondary.ts';
import type { Image, Taking } from '../../../src/model/volume.ts';
import {
  applyPass,
  blockedKindsIn,
  converge,
  desired,
  image,
  installation,
  partition,
  planPass,
  runPlan,
  secondary,
} from '../../support/passes.ts';
import {
  digestOf,
  onCall,
  onCallNumber,
  simulatedPrimary,
  type TestHost,
  testHost,
  unreadableImage,
  worldOf,
} from '../../support/simulation.ts';
import { shareWithStorage } from '../../support/share.ts';
import { worldAmounts } from '../../property/any-share.ts';

const MiB = 2 ** 20;
const full = 100 * MiB;
const file = 8 * MiB;
const owner = { installation, partition };
const { alias } = lentImageDisk(owner);
const noRoom = 10 ** 15;

const ofDisk = (name: string, taking: Taking, isWritten = true, more: Partial<Image> = {}) =>
  image(name, {
    source: { kind: 'imageDisk', sizeBytes: file, path: `images/${name}`, taking, isWritten },
    ...more,
  });

interface Wish {
  readonly images?: readonly Image[];
  readonly grants?: readonly Grant[];
  readonly imageDiskBytes?: number | null;
  readonly storageBytes?: number;
}

const wanting = ({
  images = [],
  grants = GRANTS,
  imageDiskBytes = full,
  storageBytes = noRoom,
}: Wish = {}): DesiredState => ({
  ...desired(),
  images: new Map(images.map((each) => [each.name, each])),
  primary: {
    domainName: 'vm',
    reserved: { vcpus: 1, memoryBytes: 256 * MiB },
    grants,
    imageDiskBytes,
  },
  share: shareWithStorage(storageBytes),
});
const hostWith = (more: Parameters<typeof simulatedPrimary>[0] = {}) =>
  testHost(worldOf({ recorded: true, primaries: { vm: simulatedPrimary(more) } }));
/** With the disk in its Primary. */
const hostWithDisk = async (wish: Wish = {}) => {
  const host = hostWith();
  await converge(host, wanting({ ...wish, images: [] }));
  return host;
};
const operationsOf = async (host: TestHost, wanted: DesiredState) =>
  (await planPass(host, wanted, true)).operations.map(({ id }) => id);
const resultsOf = async (host: TestHost, wanted: DesiredState) =>
  (await applyPass(host, wanted)).outcomes.map(
    ({ operation, result }) => `${operation.id} ${result.status}`,
  );
const blocksOf = async (host: TestHost, wanted: DesiredState) =>
  blockedKindsIn(await planPass(host, wanted));
const diskIn = ({ imageDisks }: World) => imageDisks.get(partition);
const isLent = ({ world }: TestHost) => world.primaries.get('vm')?.lentDisks.includes(alias);
const storageOf = ({ world }: TestHost) => worldAmounts(world).storageBytes;

describe('the disk', () => {
  test('is made and plugged in, and plugged in again whenever its Primary runs without it', async () => {
    const host = hostWith();
    expect(await operationsOf(host, wanting())).toEqual([
      'image-disk.create/team-a',
      'primary.lend-image-disk/team-a',
    ]);
    await converge(host, wanting());
    expect(isLent(host)).toBe(true);
    expect(diskIn(host.world)).toMatchObject({ sizeBytes: full, heldBytes: full, given: [] });
    const primary = host.world.primaries.get('vm');
    if (primary !== undefined) primary.lentDisks = [];
    expect(await operationsOf(host, wanting())).toEqual(['primary.lend-image-disk/team-a']);
  });

  test('of a Primary that does not run is made, and waits', async () => {
    const host = hostWith({ live: null });
    await converge(host, wanting());
    expect(host.writes).toEqual(['imageDisks.create image disk']);
  });

  test('counts from the start, and is not made where there is no room', async () => {
    expect(await blocksOf(hostWith(), wanting({ storageBytes: full - 1 }))).toEqual([
      'image-disk OverBudget',
    ]);
    expect(storageOf(await hostWithDisk({ storageBytes: full }))).toBe(full);
  });

  test('that is no longer granted is taken out and deleted, and that is said', async () => {
    const host = await hostWithDisk();
    const without = wanting({ imageDiskBytes: null });
    expect(renderPlan(await planPass(host, without), plain)).toContain('destroys its data');
    expect(await resultsOf(host, without)).toEqual([
      'primary.take-image-disk/team-a applied',
      'image-disk.delete/team-a applied',
    ]);
    expect(diskIn(host.world)).toBeUndefined();
  });

  test('stays where no document speaks of the partition', async () => {
    const host = await hostWithDisk();
    expect(await operationsOf(host, { ...wanting(), primary: 'unspoken' })).toEqual([]);
  });

  test('of somebody else is left alone', async () => {
    const theirs: ObservedImageDisk = {
      owner: null,
      state: 'ready',
      sizeBytes: 0,
      heldBytes: 0,
      given: [],
      takenOut: [],
      lentTo: null,
    };
    const primaries = { vm: simulatedPrimary() };
    const host = testHost(worldOf({ recorded: true, primaries, imageDisk: theirs }));
    expect(await blocksOf(host, wanting())).toEqual(['image-disk NameTaken']);
    expect(await operationsOf(host, wanting({ imageDiskBytes: null }))).toEqual([]);
  });

  test('half made is made over, and half deleted is deleted first', async () => {
    for (const [state, first] of [
      ['creating', 'image-disk.create/team-a'],
      ['deleting', 'image-disk.delete/team-a'],
    ] as const) {
      const host = hostWith({ live: null });
      await converge(host, wanting());
      Object.assign(diskIn(host.world) ?? {}, { state });
      expect((await operationsOf(host, wanting()))[0]).toBe(first);
      await converge(host, wanting());
      expect(diskIn(host.world)).toMatchObject({ state: 'ready' });
    }
  });

  test('has a serial that no Image’s own disk has', () => {
    expect(lentDisk(owner, 'unnest-images' as ImageName).serial).not.toBe(
      lentImageDisk(owner).serial,
    );
  });
});

describe('an Image that is copied off it', () => {
  const wish = { images: [ofDisk('debian', 'copy')] };

  test('waits for its Primary’s word, with room for it', async () => {
    const host = await hostWithDisk();
    const waiting = wanting({ images: [ofDisk('debian', 'copy', false)] });
    await converge(host, waiting);
    expect(storageOf(host)).toBe(full + file);
    expect(renderPlan(await planPass(host, waiting), plain)).toContain('unnest hand-over debian');
    expect(isLent(host)).toBe(true);
  });

  test('is taken out while its Primary has let go of the disk, which is as it was', async () => {
    const host = await hostWithDisk();
    await applyPass(host, wanting(wish));
    const before = { ...diskIn(host.world), takenOut: [] };
    expect(await resultsOf(host, wanting(wish))).toEqual([
      'primary.take-image-disk/team-a applied',
      'intake.fill/debian applied',
      'image.import/debian applied',
      'intake.delete/debian applied',
      'primary.lend-image-disk/team-a applied',
    ]);
    expect(diskIn(host.world)).toEqual(before);
    expect(isLent(host)).toBe(true);
    expect(await operationsOf(host, wanting(wish))).toEqual([]);
    expect(storageOf(host)).toBe(full + file);
  });

  test.each([
    ['taken out', 'intakes.takeOut'],
    ['imported', 'images.import'],
  ] as const)('that cannot be %s is none, and the disk is back all the same', async (_, call) => {
    const host = await hostWithDisk();
    await applyPass(host, wanting(wish));
    host.rules.push(onCall(call, { kind: 'error', error: new Error('the test says so') }));
    const results = await resultsOf(host, wanting(wish));
    expect(results.at(-1)).toBe('primary.lend-image-disk/team-a applied');
    expect(results.filter((each) => each.endsWith('failed'))).toHaveLength(1);
    expect(isLent(host)).toBe(true);
  });

  test('is verified before other bytes go for it, and the disk is back if it is no good', async () => {
    const host = await hostWithDisk();
    await converge(host, wanting(wish));
    const digest = digestOf(7);
    const others = (isWritten: boolean) =>
      wanting({ images: [ofDisk('debian', 'copy', isWritten, { digest })] });
    await converge(host, others(false));
    host.rules.push(onCall('images.verify', { kind: 'error', error: new Error('no good') }));
    expect(await resultsOf(host, others(true))).toEqual([
      'primary.take-image-disk/team-a applied',
      'intake.fill/debian applied',
      'image.verify/debian failed',
      'image.delete/debian skipped',
      'image.import/debian skipped',
      'intake.delete/debian skipped',
      'primary.lend-image-disk/team-a applied',
    ]);
    expect(isLent(host)).toBe(true);
    const shelf = host.world.images.get(partition);
    expect(shelf?.get('debian' as ImageName)).toMatchObject({ state: 'ready' });
    host.rules.pop();
    await converge(host, others(true));
    expect(shelf?.get('debian' as ImageName)).toMatchObject({ state: 'ready', digest });
  });

  describe('and is interrupted in the place of other bytes', () => {
    const digest = digestOf(7);
    const others = (taking: Taking, isWritten: boolean) =>
      wanting({ images: [ofDisk('debian', taking, isWritten, { digest })] });
    const replacing = async (taking: Taking) => {
      const host = await hostWithDisk();
      await converge(host, wanting({ images: [ofDisk('debian', taking)] }));
      await converge(host, others(taking, false));
      return host;
    };
    const stopAfter = async (host: TestHost, wanted: DesiredState, kind: string) => {
      const stop = new AbortController();
      const onOutcome: ExecuteOptions['onOutcome'] = ({ operation }) => {
        if (operation.kind === kind) stop.abort();
      };
      await applyPass(host, wanted, { stop: stop.signal, onOutcome });
      expect(isLent(host)).toBe(true);
    };
    const there = ({ world }: TestHost) => world.images.get(partition)?.get('debian' as ImageName);
    const isReplaced = async (host: TestHost, wanted: DesiredState) => {
      await converge(host, wanted);
      expect(there(host)).toMatchObject({ state: 'ready', digest });
    };

    test('a copy is not taken out again, and the disk stays where it is', async () => {
      const host = await replacing('copy');
      await stopAfter(host, others('copy', true), 'image.verify');
      expect(await operationsOf(host, others('copy', true))).toEqual([
        'image.verify/debian',
        'image.delete/debian',
        'image.import/debian',
        'intake.delete/debian',
      ]);
      await isReplaced(host, others('copy', true));
    });

    test('what is moved is taken out again, since a guest has had the disk', async () => {
      const host = await replacing('move');
      await stopAfter(host, others('move', true), 'image.verify');
      expect(diskIn(host.world)).toMatchObject({ takenOut: [] });
      expect(await operationsOf(host, others('move', true))).toEqual([
        'primary.take-image-disk/team-a',
        'intake.fill/debian',
        'image.verify/debian',
        'image.delete/debian',
        'image.import/debian',
        'intake.delete/debian',
        'image-disk.rework/team-a',
        'primary.lend-image-disk/team-a',
      ]);
      await isReplaced(host, others('move', true));
      // What the first has given comes back the next time that nobody has the disk.
      expect(diskIn(host.world)).toMatchObject({ sizeBytes: full - 2 * file });
    });

    test('by a crash, what was taken out for it becomes it, and goes from the disk', async () => {
      const host = await replacing('move');
      const plan = await planPass(host, others('move', true), true);
      const index = plan.operations.findIndex(({ kind }) => kind === 'image.delete');
      await runPlan({ ...plan, operations: plan.operations.slice(0, index + 1) }, host);
      expect(there(host)).toBeUndefined();
      expect(await operationsOf(host, others('move', true))).toEqual([
        'image.import/debian',
        'intake.delete/debian',
        'image-disk.rework/team-a',
        'primary.lend-image-disk/team-a',
      ]);
      await isReplaced(host, others('move', true));
      expect(diskIn(host.world)).toMatchObject({ sizeBytes: full - file, takenOut: [] });
    });

    test('and only what was no good is taken out again for a copy', async () => {
      const host = await replacing('copy');
      const error = new HostError('Refused', 'no good');
      host.rules.push(onCall('images.verify', { kind: 'error', error }));
      await applyPass(host, others('copy', true));
      expect(await operationsOf(host, others('copy', true))).toContain('intake.fill/debian');
      host.rules.pop();
      await isReplaced(host, others('copy', true));
    });
  });

  test('is not looked for while a guest holds on to the disk', async () => {
    const host = await hostWithDisk();
    await applyPass(host, wanting(wish));
    const primary = host.world.primaries.get('vm');
    if (primary !== undefined) primary.releasesAfterMs = null;
    expect(await resultsOf(host, wanting(wish))).toEqual([
      'primary.take-image-disk/team-a failed',
      'intake.fill/debian skipped',
      'image.import/debian skipped',
      'intake.delete/debian skipped',
      'primary.lend-image-disk/team-a skipped',
    ]);
    expect(isLent(host)).toBe(true);
  });

  test('once begun gives the disk back, whoever interrupts', async () => {
    const host = await hostWithDisk();
    await applyPass(host, wanting(wish));
    const stop = new AbortController();
    const { outcomes } = await applyPass(host, wanting(wish), {
      stop: stop.signal,
      onOutcome: () => stop.abort(),
    });
    expect(outcomes.map(({ operation, result }) => `${operation.id} ${result.status}`)).toEqual([
      'primary.take-image-disk/team-a applied',
      'intake.fill/debian cancelled',
      'image.import/debian cancelled',
      'intake.delete/debian cancelled',
      'primary.lend-image-disk/team-a applied',
    ]);
  });

  test('needs a disk that the operator gives', async () => {
    const kinds = ['intake NotAllowed', 'image PartBlocked'];
    expect(await blocksOf(hostWith(), wanting({ ...wish, imageDiskBytes: null }))).toEqual(kinds);
    const nobody = { ...wanting(wish), primary: null };
    expect(await blocksOf(hostWith(), nobody)).toContain('intake PrimaryMissing');
  });

  test('waits while the disk is held, and the guest has it meanwhile', async () => {
    const host = await hostWithDisk();
    await applyPass(host, wanting(wish));
    const block = { code: 'GaveUp', message: 'the test says so' } as const;
    const held = new Map([['image-disk/team-a', block]]);
    const plan = await planPass(host, wanting(wish), true, null, {}, held);
    expect(plan.operations).toEqual([]);
    expect(plan.entries).toContainEqual({
      kind: 'blocked',
      resource: { kind: 'intake', name: 'debian' },
      block: { code: 'PartBlocked', message: expect.stringContaining('the test says so') },
    });
  });
});

describe('an Image that is moved off it', () => {
  const wish = { images: [ofDisk('debian', 'move')] };
  const moved = async (storageBytes = noRoom) => {
    const host = await hostWithDisk({ storageBytes });
    await converge(host, wanting({ ...wish, storageBytes }));
    return host;
  };

  test('makes it smaller by as much, so that both take what it took', async () => {
    const host = await hostWithDisk();
    await applyPass(host, wanting(wish));
    expect(await resultsOf(host, wanting(wish))).toEqual([
      'primary.take-image-disk/team-a applied',
      'intake.fill/debian applied',
      'image.import/debian applied',
      'intake.delete/debian applied',
      'image-disk.rework/team-a applied',
      'primary.lend-image-disk/team-a applied',
    ]);
    expect(diskIn(host.world)).toMatchObject({ sizeBytes: full - file, heldBytes: full - file });
    expect(storageOf(host)).toBe(full);
    expect(isLent(host)).toBe(true);
    expect(await operationsOf(host, wanting(wish))).toEqual([]);
  });

  test('that is deleted gives it back once nobody has the disk, and that is shown until then', async () => {
    const host = await moved();
    await converge(host, wanting());
    expect(storageOf(host)).toBe(full - file);
    expect(await operationsOf(host, wanting())).toEqual([]);
    expect(renderPlan(await planPass(host, wanting()), plain)).toContain(
      'waits for the next image to come off it, or its Primary to start anew: spec.primary.imageDisk.size',
    );
    const primary = host.world.primaries.get('vm');
    if (primary !== undefined) primary.lentDisks = [];
    expect(await resultsOf(host, wanting())).toEqual([
      'image-disk.rework/team-a applied',
      'primary.lend-image-disk/team-a applied',
    ]);
    expect(diskIn(host.world)).toMatchObject({ sizeBytes: full, given: [] });
    expect(storageOf(host)).toBe(full);
  });

  test('or with the next one that is taken off it', async () => {
    const host = await moved();
    const next = wanting({ images: [ofDisk('next', 'copy')] });
    await converge(host, next);
    expect(diskIn(host.world)).toMatchObject({ sizeBytes: full, given: [] });
    expect(storageOf(host)).toBe(full + file);
  });

  test('of whose bytes others have the place gives for those, and no longer for the first', async () => {
    const host = await moved();
    const digest = `sha256:${'b'.repeat(64)}`;
    const other = wanting({ images: [ofDisk('debian', 'move', true, { digest })] });
    await converge(host, other);
    const primary = host.world.primaries.get('vm');
    if (primary !== undefined) primary.lentDisks = [];
    await converge(host, other);
    expect(diskIn(host.world)).toMatchObject({ sizeBytes: full - file, given: [{ digest }] });
  });

  test('that cannot be read has given what it has', async () => {
    const host = await moved();
    const primary = host.world.primaries.get('vm');
    if (primary !== undefined) primary.lentDisks = [];
    host.rules.push(unreadableImage('debian'));
    const unlimited = { ...wanting(), share: null };
    expect(await operationsOf(host, unlimited)).toEqual(['primary.lend-image-disk/team-a']);
  });

  test('needs room for a second disk for a while; a copy beside it does not', async () => {
    // The disk, the file, and both once more, less the file that is one of them by then.
    const enough = 2 * full + file;
    const host = await moved(enough);
    expect(storageOf(host)).toBe(full);
    const tight = { storageBytes: enough - 1 };
    const other = await hostWithDisk(tight);
    const both = { images: [ofDisk('debian', 'move'), ofDisk('copied', 'copy')], ...tight };
    await converge(other, wanting(both));
    expect(await blocksOf(other, wanting(both))).toEqual(['image PartBlocked']);
    expect([...(other.world.images.get(partition)?.keys() ?? [])]).toEqual(['copied']);
    expect(isLent(other)).toBe(true);
  });

  test('that is a kernel, and has no room for that, keeps whoever boots it waiting', async () => {
    const linux = ofDisk('linux', 'move', true, { format: 'bzImage' });
    const boot = {
      kind: 'kernelImage',
      kernel: linux.name,
      initrd: null,
      commandLine: '',
    } as const;
    const web = secondary('web', { boot });
    const wanted: DesiredState = {
      ...wanting({ images: [linux], storageBytes: 2 * full + file - 1 }),
      secondaries: new Map([[web.name, web]]),
    };
    const host = await hostWithDisk({ storageBytes: 2 * full + file - 1 });
    await converge(host, wanted);
    expect(await blocksOf(host, wanted)).toEqual(['image PartBlocked', 'secondary PartBlocked']);
  });

  test('off a disk that does not get smaller is there, and so is the file', async () => {
    const host = await hostWithDisk();
    await applyPass(host, wanting(wish));
    const error = new Error('the test says so');
    host.rules.push(onCall('imageDisks.rework', { kind: 'error', error }));
    const results = await resultsOf(host, wanting(wish));
    expect(results).toContain('image-disk.rework/team-a failed');
    expect(results.at(-1)).toBe('primary.lend-image-disk/team-a applied');
    expect(storageOf(host)).toBe(full + file);
    // It is not torn from its guest for that alone.
    expect(await operationsOf(host, wanting(wish))).toEqual([]);
  });

  test('off a disk that was deleted makes the next one smaller', async () => {
    const host = await moved();
    await converge(host, wanting({ ...wish, imageDiskBytes: null }));
    await converge(host, wanting(wish));
    expect(diskIn(host.world)).toMatchObject({ sizeBytes: full - file });
    await converge(host, wanting({ ...wish, imageDiskBytes: null }));
    const tiny = wanting({ ...wish, imageDiskBytes: file + 4096 });
    expect(await blocksOf(host, tiny)).toEqual(['image-disk ShrinkRefused']);
  });
});

test('nothing is done to a disk that somebody has got meanwhile', async () => {
  const host = await hostWithDisk();
  await converge(host, wanting({ images: [ofDisk('debian', 'move')] }));
  await converge(host, wanting());
  const primary = host.world.primaries.get('vm');
  if (primary === undefined) throw new Error('there is none');
  primary.lentDisks = [];
  const plan = await planPass(host, wanting());
  const none = await planPass(host, wanting({ imageDiskBytes: null }));
  primary.lentDisks = [alias];
  for (const stale of [plan, none]) {
    const { outcomes } = await runPlan(stale, host);
    expect(outcomes[0]?.result).toMatchObject({
      status: 'failed',
      failure: { code: 'Conflict', message: 'vm still has the image disk' },
    });
  }
  const images = [ofDisk('debian', 'move')];
  await applyPass(host, wanting({ images }));
  const taking = await planPass(host, wanting({ images }));
  const withoutTaking = taking.operations.filter(({ kind }) => kind === 'intake.fill');
  const { outcomes } = await runPlan({ ...taking, operations: withoutTaking.map((each) => ({ ...each, after: [] })) }, host);
  expect(outcomes[0]?.result).toMatchObject({ failure: { code: 'Conflict' } });
}); // prettier-ignore

describe('whatever ends it', () => {
  const wish = { images: [ofDisk('debian', 'move'), ofDisk('copied', 'copy')] };
  const limit = { storageBytes: 2 * full + 2 * file };
  const wanted = wanting({ ...wish, ...limit });
  const goal = (world: World) => ({
    disk: { ...diskIn(world), lentTo: null, takenOut: [] },
    lent: world.primaries.get('vm')?.lentDisks,
    images: world.images,
    intakes: world.intakes.get(partition)?.size,
  });
  const faults: readonly Fault[] = [
    { kind: 'crash', when: 'before' },
    { kind: 'crash', when: 'after' },
    { kind: 'lost-reply', code: 'Timeout' },
    { kind: 'partial', error: new Error('the test says so') },
  ];

  test('at any call, it converges, and never takes more than it may', async () => {
    const host = await hostWithDisk(limit);
    await applyPass(host, wanted);
    const undisturbed = testHost(structuredClone(host.world));
    await applyPass(undisturbed, wanted);
    await converge(undisturbed, wanted);
    const calls = undisturbed.faults.calls.length;
    expect(calls).toBeGreaterThan(40);
    for (let at = 0; at < calls; at += 1) {
      for (const fault of faults) {
        const world = structuredClone(host.world);
        const rules = [onCallNumber(at, fault)];
        const check = (when: string) =>
          expect({
            when,
            isWithin: worldAmounts(world).storageBytes <= limit.storageBytes,
          }).toEqual({
            when,
            isWithin: true,
          });
        const checked = { onOutcome: () => check(`${fault.kind} at ${at}`) };
        await applyPass(testHost(world, { rules }), wanted, checked).catch(() => undefined);
        check(`after ${fault.kind} at ${at}`);
        const restarted = testHost(world);
        await converge(restarted, wanted, checked);
        if (fault.kind !== 'crash') {
          // Whose answer was lost has given the disk back, and what is left to do to it waits until it is free.
          if (isLent(restarted) !== true) throw new Error(`it is not back: ${fault.kind} at ${at}`);
          Object.assign(world.primaries.get('vm') ?? {}, { lentDisks: [] });
          await converge(restarted, wanted, checked);
        }
        expect(goal(world), `${fault.kind} at ${at}`).toEqual(goal(undisturbed.world));
        expect(await operationsOf(restarted, wanted)).toEqual([]);
      }
    }
  });

  test('between any two operations, it converges', async () => {
    const host = await hostWithDisk(limit);
    await applyPass(host, wanted);
    const { operations } = await planPass(host, wanted);
    const undisturbed = testHost(structuredClone(host.world));
    await converge(undisturbed, wanted);
    for (const [done] of operations.entries()) {
      const other = testHost(structuredClone(host.world));
      const plan = await planPass(other, wanted);
      await runPlan({ ...plan, operations: operations.slice(0, done) }, other);
      await converge(other, wanted);
      expect(goal(other.world), `${done} operations`).toEqual(goal(undisturbed.world));
    }
  });
});
