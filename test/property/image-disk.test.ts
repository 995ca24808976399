/**
 * An image disk through anything that can come: Images of any kind wanted and no more, a Primary that stops and
 * starts, calls that fail and crashes. What it has, its Images and its size are a ledger that adds up at every
 * step, and never more than the limit.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Fault } from '../../src/host/simulated/faults.ts';
import type { World } from '../../src/host/simulated/world.ts';
import { lentImageDisk } from '../../src/model/intake.ts';
import { GRANTS } from '../../src/model/primary.ts';
import type { DesiredState } from '../../src/model/secondary.ts';
import { TAKINGS, type Image, type ImageSource } from '../../src/model/volume.ts';
import { applyPass, desired, image, installation, partition, planPass } from '../support/passes.ts';
import {
  digestOf,
  onCallNumber,
  simulatedPrimary,
  testHost,
  worldOf,
} from '../support/simulation.ts';
import { anyFault, runs, soakMs } from './arbitraries.ts';
import { worldAmounts } from './any-share.ts';

const MiB = 2 ** 20;
const full = 100 * MiB;
const { alias } = lentImageDisk({ installation, partition });

const anySource = (name: string): fc.Arbitrary<ImageSource> =>
  fc.oneof(
    { weight: 1, arbitrary: fc.constant<ImageSource>({ kind: 'upload', sizeBytes: MiB }) },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('imageDisk' as const),
        sizeBytes: fc.constantFrom(4 * MiB, 8 * MiB, 8 * MiB + 512),
        path: fc.constantFrom(name, 'shared', `missing/${name}`),
        taking: fc.constantFrom(...TAKINGS),
        isWritten: fc.boolean(),
      }),
    },
  );
const anyImage = (name: string): fc.Arbitrary<Image> =>
  fc
    .record({
      source: anySource(name),
      digest: fc.constantFrom(digestOf(1), digestOf(2)),
      format: fc.constantFrom('raw' as const, 'raw' as const, 'qcow2' as const, 'bzImage' as const),
    })
    .map((parts) => image(name, { ...parts, virtualBytesMax: 16 * MiB }));

interface Step {
  readonly images: readonly Image[];
  readonly primary: 'as it is' | 'started anew' | 'stopped' | 'started';
  readonly fullBytes: number | null;
  readonly fault: { readonly at: number; readonly fault: Fault } | null;
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  images: fc
    .subarray(['i0', 'i1', 'i2'])
    .chain((names) => fc.tuple(...names.map(anyImage)) as fc.Arbitrary<readonly Image[]>),
  primary: fc.constantFrom('as it is', 'as it is', 'started anew', 'stopped', 'started'),
  fullBytes: fc.constantFrom(full, full, full, 2 * full, null),
  fault: fc.option(
    fc.record({
      at: fc.nat(60),
      fault: fc.oneof(
        anyFault,
        fc.constantFrom<Fault>({ kind: 'crash', when: 'before' }, { kind: 'crash', when: 'after' }),
      ),
    }),
  ),
});

const wanting = ({ images, fullBytes }: Pick<Step, 'images' | 'fullBytes'>, storageBytes: number): DesiredState => ({
  ...desired(),
  images: new Map(images.map((each) => [each.name, each])),
  primary: {
    domainName: 'vm',
    reserved: { vcpus: 1, memoryBytes: MiB },
    grants: GRANTS,
    imageDiskBytes: fullBytes,
  },
  share: {
    limits: {
      vcpus: 8,
      memoryBytes: 2 ** 40,
      storageBytes,
      secondaries: 0,
      diskBytesPerSecond: null,
      diskOperationsPerSecond: null,
    },
    guarantees: { cpuset: null, memoryBytes: null },
    enforcement: 'Admission',
  },
}); // prettier-ignore

function act({ primaries }: World, what: Step['primary']): void {
  const primary = primaries.get('vm');
  if (primary === undefined || what === 'as it is') return;
  const live = what === 'stopped' ? null : primary.defined;
  // What it was lent is gone with its run.
  if (what !== 'started' || primary.live === null) primary.lentDisks = [];
  Object.assign(primary, { live, livePlugs: live && [], unplugging: null });
}

/** What it has given is what it is smaller by, whoever asks when. */
function checkLedger({ imageDisks }: World, sizes: ReadonlySet<number | null>): void {
  const disk = imageDisks.get(partition);
  if (disk?.state !== 'ready') return;
  const given = disk.given.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  expect([...sizes]).toContain(disk.sizeBytes + given);
  expect(disk.heldBytes).toBeGreaterThanOrEqual(disk.sizeBytes);
}

test('the disk, what it has given and the limit add up, whatever comes', { timeout: soakMs }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyStep, { minLength: 1, maxLength: 6 }),
      fc.constantFrom(100, 110, 130, 210, 230, 400, 1000),
      async (steps, limitMiB) => {
        const limit = limitMiB * MiB;
        const world = worldOf({ recorded: true, primaries: { vm: simulatedPrimary() } });
        const sizes = new Set<number | null>();
        const check = () => {
          expect(worldAmounts(world).storageBytes).toBeLessThanOrEqual(limit);
          checkLedger(world, sizes);
        };
        for (const step of steps) {
          act(world, step.primary);
          sizes.add(step.fullBytes);
          const wanted = wanting(step, limit);
          const { fault } = step;
          const rules = fault === null ? [] : [onCallNumber(fault.at, fault.fault)];
          const onOutcome = check;
          await applyPass(testHost(world, { rules }), wanted, { onOutcome }).catch(() => undefined);
          check();
          for (let pass = 0; pass < 4; pass += 1) {
            await applyPass(testHost(world), wanted, { onOutcome });
            check();
          }
        }
        // Once its Primary starts anew, all that is due is done and the disk is where it belongs.
        const last = steps.at(-1);
        if (last === undefined) return;
        const settled = wanting({ ...last, images: last.images.filter(({ source }) => !isMissing(source)) }, 10 ** 12);
        for (let pass = 0; pass < 4; pass += 1) {
          act(world, 'started anew');
          await applyPass(testHost(world), settled);
        }
        const owed = [...(world.images.get(partition) ?? [])].flatMap(([name, { moved, digest }]) => moved === null ? [] : [`${name} ${digest}`]);
        const disk = world.imageDisks.get(partition);
        expect(disk?.given.map(({ image: name, digest }) => `${name} ${digest}`).sort() ?? owed.sort()).toEqual(owed.sort());
        expect(world.primaries.get('vm')?.lentDisks.includes(alias)).toBe(last.fullBytes !== null);
        expect(disk?.heldBytes).toBe(disk?.sizeBytes);
        expect((await planPass(testHost(world), settled, true)).operations).toEqual([]);
      },
    ),
    runs(150),
  );
}); // prettier-ignore

function isMissing(source: ImageSource): boolean {
  return source.kind === 'imageDisk' && source.path.startsWith('missing/');
}
