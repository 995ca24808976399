/** Any Volumes, Images and networks, wanted and there. */
import fc from 'fast-check';
import type { SimulatedFilter, SimulatedNetwork } from '../../src/host/simulated/world.ts';
import { filterFieldsOf } from '../../src/model/filter.ts';
import { macAddress, type NetworkUuid } from '../../src/model/identity.ts';
import { INTAKE_KINDS, type ObservedIntake } from '../../src/model/intake.ts';
import type { ImageName, SecondaryName, VolumeName } from '../../src/model/names.ts';
import type { NetworkFields, Reservation } from '../../src/model/network.ts';
import type { DesiredState } from '../../src/model/secondary.ts';
import {
  BOOT_FORMATS,
  type BootFormat,
  DELETION_POLICIES,
  DISK_FORMATS,
  type Image,
  type ImageSource,
  isDiskFormat,
  type ObservedImage,
  type ObservedVolume,
  PROVISIONS,
  STORED_STATES,
  type Volume,
  type VolumeOrigin,
} from '../../src/model/volume.ts';
import { anySeedContents, observedSeed, seedFor } from '../support/seeds.ts';
import type { ObservedSeed } from '../../src/model/seed.ts';
import { fromFile, image, installation, partition, volume } from '../support/passes.ts';
import { digestOf, imageOf, networkOf, networkRef, volumeOf } from '../support/simulation.ts';
import { networkFields } from '../support/network-fields.ts';

const MiB = 2 ** 20;
export const volumeNames = ['v0', 'v1', 'v2'];
const imageNames = ['i0', 'i1'];
/** A kernel and an initial RAM disk. */
export const bootImageNames = { bzImage: 'k0', initrd: 'r0' } as const;

/** Mostly raw, so that what is wanted and what is there are often the same. */
const anyFormat = fc.constantFrom('raw' as const, ...DISK_FORMATS);
const anyDigest = fc.constantFrom(digestOf(0), digestOf(1));
const anySize = fc.constantFrom(MiB, 2 * MiB, 3 * MiB);
const anyPolicy = fc.constantFrom(...DELETION_POLICIES);
/** Mostly whole: what a crash has left is rare. */
const anyState = fc.oneof(
  { weight: 4, arbitrary: fc.constant('ready' as const) },
  { weight: 1, arbitrary: fc.constantFrom(...STORED_STATES) },
);

/** Mostly files of the operator's; some come from elsewhere, as far as they have come. */
const anySource = fc.oneof(
  { weight: 3, arbitrary: fc.constant<ImageSource>(fromFile('root.img')) },
  { weight: 1, arbitrary: fc.constant<ImageSource>({ kind: 'upload', sizeBytes: MiB }) },
  {
    weight: 1,
    arbitrary: fc.boolean().map((isAllowed): ImageSource => ({
      kind: 'url',
      url: 'https://images.example.org/root.img',
      sizeBytes: MiB,
      isAllowed,
    })),
  },
);

const anyImage = (name: string): fc.Arbitrary<Image> =>
  fc
    .record({ digest: anyDigest, format: anyFormat, source: anySource })
    .map((parts) => image(name, parts));

const anyDiskImages: fc.Arbitrary<readonly Image[]> = fc
  .subarray(imageNames)
  .chain((chosen) => fc.tuple(...chosen.map(anyImage)));

const anyBootImages: fc.Arbitrary<readonly Image[]> = fc
  .subarray([...BOOT_FORMATS])
  .chain((chosen) =>
    fc.tuple(
      ...chosen.map((format) =>
        anyImage(bootImageNames[format]).map((each): Image => ({ ...each, format })),
      ),
    ),
  );

export const anyImages: fc.Arbitrary<readonly Image[]> = fc
  .tuple(anyDiskImages, anyBootImages)
  .map((all) => all.flat());

/** What documents let through: a copy has the Image's format, an overlay is a qcow2. */
const anyVolume = (
  name: string,
  copied: readonly VolumeName[],
  images: readonly Image[],
): fc.Arbitrary<Volume> => {
  const disks = images.flatMap(({ name: image, digest, format }) =>
    isDiskFormat(format) ? [{ image, digest, format }] : [],
  );
  return fc
    .record({
      sizeBytes: anySize,
      format: anyFormat,
      deletionPolicy: anyPolicy,
      from: fc.option(fc.constantFrom(...disks, ...(disks.length === 0 ? [null] : []))),
      provision: fc.constantFrom(...PROVISIONS),
      copyOf: fc.constantFrom(null, null, ...copied),
    })
    .map(({ from, provision, copyOf, ...parts }) => {
      if (from === null || (copyOf !== null && provision === 'Copy')) {
        return volume(name, { ...parts, copyOf });
      }
      const format = provision === 'Overlay' ? 'qcow2' : from.format;
      return volume(name, { ...parts, format, origin: { ...from, provision }, copyOf });
    });
};

export const anyVolumesOn = (images: readonly Image[]): fc.Arbitrary<readonly Volume[]> =>
  fc
    .subarray(volumeNames)
    .chain((chosen) =>
      fc.tuple(...chosen.map((name, at) => anyVolume(name, copiedBy(chosen, at), images))),
    );

/** Only those before it, so that there is no circle; and one that is never there. */
function copiedBy(chosen: readonly string[], at: number): readonly VolumeName[] {
  return [...chosen.slice(0, at), 'v9'] as VolumeName[];
}

const subnets: readonly NetworkFields[] = [
  networkFields({ cidr: '10.20.0.0/24' }),
  networkFields({ cidr: '10.20.0.0/24', portIsolation: true }),
  networkFields({ cidr: '10.30.0.0/29', mode: 'isolated' }),
];

export const anyNetworkWanted: fc.Arbitrary<DesiredState['network']> = fc.constantFrom(
  'unspoken' as const,
  null,
  ...subnets,
);

const anyOrigin: fc.Arbitrary<VolumeOrigin | null> = fc.option(
  fc.record({
    image: fc.constantFrom(...imageNames.map((name) => imageOf(name).name)),
    digest: anyDigest,
    format: anyFormat,
    provision: fc.constantFrom(...PROVISIONS),
  }),
);

const anyOwner = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ installation, partition }) },
  { weight: 1, arbitrary: fc.constant(null) },
);

const anyVolumeThere = (name: string): fc.Arbitrary<ObservedVolume> =>
  fc
    .record({
      owner: anyOwner,
      state: anyState,
      sizeBytes: anySize,
      format: anyFormat,
      origin: anyOrigin,
      deletionPolicy: anyPolicy,
    })
    .map((parts) => {
      if (parts.owner === null) return volumeOf(name, { owner: null });
      // An overlay is always a qcow2.
      const format = parts.origin?.provision === 'Overlay' ? 'qcow2' : parts.format;
      return volumeOf(name, { ...parts, format });
    });

const anyVolumesThere: fc.Arbitrary<readonly ObservedVolume[]> = fc
  .subarray(volumeNames)
  .chain((chosen) => fc.tuple(...chosen.map(anyVolumeThere)));

const anyImageThere = (name: string): fc.Arbitrary<ObservedImage> =>
  fc
    .record({ owner: anyOwner, state: anyState, digest: anyDigest, format: anyFormat })
    .map((parts) => imageOf(name, { ...parts, sizeBytes: MiB }));

const anyBootImageThere = (format: BootFormat): fc.Arbitrary<ObservedImage> =>
  anyImageThere(bootImageNames[format]).map((each) =>
    each.owner === null ? each : { ...each, format },
  );

const anyImagesThere: fc.Arbitrary<readonly ObservedImage[]> = fc
  .tuple(fc.subarray(imageNames), fc.subarray([...BOOT_FORMATS]))
  .chain(([disks, boots]) =>
    fc.tuple(...disks.map(anyImageThere), ...boots.map(anyBootImageThere)),
  );

const anyIntakeThere = (name: string): fc.Arbitrary<ObservedIntake> =>
  fc
    .record({
      owner: anyOwner,
      state: anyState,
      kind: fc.constantFrom('upload' as const, ...INTAKE_KINDS),
      digest: anyDigest,
      receivedBytes: fc.constantFrom(0, MiB, MiB),
    })
    .map((parts) => ({
      name: name as ImageName,
      sizeBytes: MiB,
      heldBytes: MiB,
      lentTo: null,
      ...parts,
    }));

const anyIntakesThere: fc.Arbitrary<readonly ObservedIntake[]> = fc
  .subarray([...imageNames, ...Object.values(bootImageNames)])
  .chain((chosen) => fc.tuple(...chosen.map(anyIntakeThere)));

/** Of anybody, with a document or without. */
const anySeedsThere = (names: readonly string[]): fc.Arbitrary<readonly ObservedSeed[]> =>
  fc
    .subarray(names.flatMap((name) => anySeedContents.map((content) => seedFor(name, content))))
    .chain((chosen) =>
      fc.tuple(
        ...chosen.map((seed) =>
          fc
            .record({ owner: anyOwner, state: anyState })
            .map((parts) => observedSeed(seed, parts.owner === null ? { owner: null } : parts)),
        ),
      ),
    );

export interface StoredThere {
  readonly volumes: readonly ObservedVolume[];
  readonly images: readonly ObservedImage[];
  readonly intakes: readonly ObservedIntake[];
  readonly seeds: readonly ObservedSeed[];
}

/** What an overlay lies on is there, whole: nobody can take it away before the overlay is gone. */
export const anyStoredThere = (names: readonly string[]): fc.Arbitrary<StoredThere> =>
  fc
    .record({
      volumes: anyVolumesThere,
      images: anyImagesThere,
      intakes: anyIntakesThere,
      seeds: anySeedsThere(names),
    })
    .map(({ volumes, images, intakes, seeds }) => {
      const overlays = volumes.flatMap(({ origin, state }) =>
        origin?.provision === 'Overlay' && state === 'ready' ? [origin] : [],
      );
      const needed = new Map(overlays.map((each) => [each.image, each]));
      return {
        intakes,
        seeds,
        volumes: volumes.map((each) =>
          each.origin?.provision === 'Overlay' && each.state === 'ready'
            ? { ...each, origin: needed.get(each.origin.image) ?? null }
            : each,
        ),
        images: [
          ...images.filter(({ name }) => !needed.has(name)),
          ...[...needed.values()].map(({ image: name, digest, format }) =>
            imageOf(name, { digest, format, sizeBytes: MiB }),
          ),
        ],
      };
    });

const foreignNetwork = '00000000-0000-4000-8000-0000000000ff' as NetworkUuid;

/** With reservations of `names` at random, some of them with an old MAC address. */
export const anyNetworkThere = (names: readonly string[]): fc.Arbitrary<SimulatedNetwork | null> =>
  fc.option(
    fc
      .record({
        foreign: fc.nat(5).map((number) => number === 0),
        active: fc.boolean(),
        fields: fc.constantFrom(...subnets, null),
        lastApplied: fc.constantFrom(...subnets, null),
        reserved: fc.subarray([...names]),
        stale: fc.boolean(),
        first: fc.integer({ min: 2, max: 60 }),
      })
      .map(({ foreign, reserved, stale, first, ...parts }) => {
        const reservations = Object.fromEntries(
          reserved.map((name, index): [string, Reservation] => [
            name,
            {
              mac: stale ? `52:00:00:00:00:0${index}` : macOf(name),
              address: `10.20.0.${first + index}`,
            },
          ]),
        );
        const theirs = { owner: null, ref: { ...networkRef, uuid: foreignNetwork } };
        return networkOf({ ...parts, reservations, ...(foreign ? theirs : {}) });
      }),
  );

function macOf(name: string): string {
  return macAddress({ installation, partition, secondary: name as SecondaryName });
}

/** Mostly as the network needs it. */
export const anyFilterThere: fc.Arbitrary<'right' | SimulatedFilter | null> = fc.oneof(
  { weight: 3, arbitrary: fc.constant('right' as const) },
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.constant({ fields: null, ports: [] }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...subnets).map((fields) => ({
      fields: filterFieldsOf(fields),
      ports: [{ tap: 'unt000000000000', mac: '52:00:00:00:00:09', address: '10.20.0.9' }],
    })),
  },
);
