/** Guests that were booted with Images: they run, are saved or are stopped, and other bytes are wanted. */
import fc from 'fast-check';
import type { World } from '../../src/host/simulated/world.ts';
import { fieldsOf, type Power } from '../../src/model/domain.ts';
import type { ImageName } from '../../src/model/names.ts';
import {
  type Boot,
  type DesiredState,
  RUN_POLICIES,
  UPDATE_POLICIES,
} from '../../src/model/secondary.ts';
import type { ImageSource } from '../../src/model/volume.ts';
import { desiredWith, fromFile, image, secondary } from '../support/passes.ts';
import { digestOf, domainOf, imageOf, worldOf } from '../support/simulation.ts';
import { bootImageNames } from './any-stored.ts';

const guests = ['a', 'b', 'c'];
const kernels = [bootImageNames.bzImage, 'k1'];
const ramdisks = [bootImageNames.initrd, null];
const digests = [digestOf(0), digestOf(1)];

const anyBoot: fc.Arbitrary<Boot> = fc.record({
  kind: fc.constant('kernelImage'),
  kernel: fc.constantFrom(...(kernels as ImageName[])),
  initrd: fc.constantFrom(...(ramdisks as (ImageName | null)[])),
  commandLine: fc.constant('quiet'),
});

const anyGuest = fc.record({
  boot: anyBoot,
  /** Mostly what it has. */
  isWantedSo: fc.constantFrom(true, true, false),
  isWanted: fc.constantFrom(true, true, true, false),
  wants: anyBoot,
  power: fc.constantFrom<Power>(
    { status: 'running' },
    { status: 'stopped', reason: 'unknown' },
    { status: 'stopped', reason: 'powered-off' },
  ),
  isSaved: fc.constantFrom(true, true, false),
  runPolicy: fc.constantFrom('Always' as const, ...RUN_POLICIES),
  updatePolicy: fc.constantFrom(...UPDATE_POLICIES),
});

const anySource = fc.constantFrom<ImageSource>(
  fromFile('root.img'),
  fromFile('root.img'),
  fromFile('nosuch'),
  { kind: 'upload', sizeBytes: 2 ** 20 },
);

const formatOf = (name: string) =>
  name === bootImageNames.initrd ? ('initrd' as const) : ('bzImage' as const);

/** All that is named is wanted, and there; mostly with the bytes that there are. */
const anyImage = (name: string) =>
  fc
    .record({
      digest: fc.constantFrom(...digests),
      wanted: fc.constantFrom(...digests),
      source: anySource,
    })
    .map(({ digest, wanted, source }) => ({
      there: imageOf(name, { format: formatOf(name), digest }),
      wanted: image(name, { format: formatOf(name), digest: wanted, source }),
    }));

export const anyBooted: fc.Arbitrary<readonly [DesiredState, World]> = fc
  .record({
    guests: fc.tuple(...guests.map(() => anyGuest)),
    images: fc.tuple(...[...kernels, bootImageNames.initrd].map(anyImage)),
  })
  .map((given) => {
    const domains = given.guests.map(({ boot, power, isSaved }, at) => {
      const defined = fieldsOf(secondary(guests[at] ?? '', { boot }));
      return domainOf(guests[at] ?? '', {
        power,
        saved: isSaved && power.status === 'stopped',
        defined,
      });
    });
    const secondaries = given.guests.flatMap((each, at) => {
      const { runPolicy, updatePolicy } = each;
      const boot = each.isWantedSo ? each.boot : each.wants;
      return each.isWanted
        ? [secondary(guests[at] ?? '', { boot, runPolicy, updatePolicy, stopGraceMs: 1000 })]
        : [];
    });
    const images = given.images.map(({ there }) => there);
    return [
      desiredWith({ secondaries, images: given.images.map(({ wanted }) => wanted) }),
      worldOf({ recorded: true, domains, images }),
    ];
  });
