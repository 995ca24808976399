/** A simulated world as the text of its file, and back. `world-schema.ts` says what it may be. */
import type * as z from 'zod';
import type { ImageName } from '../../model/names.ts';
import type {
  NetworkSide,
  SimulatedFile,
  SimulatedImage,
  SimulatedImageDisk,
  SimulatedPrimary,
  World,
} from './world.ts';
import { FORMAT, worldSchema } from './world-schema.ts';

/** @throws Error if the text is not that of a world, all of it */
export function parseWorld(content: string): World {
  const {
    installation,
    runs,
    domains,
    networks,
    files,
    volumes,
    images,
    intakes,
    imageDisks,
    catalogue,
    seeds,
    filters,
    slices,
    primaries,
    size,
    defaultRoute,
  } = worldSchema.parse(JSON.parse(content));
  return {
    installation,
    runs,
    domains: new Map(domains.map((each) => [each.uuid, each])),
    networks: new Map(
      networks.map(({ definition, live, ...ref }) => [
        ref.uuid,
        { ...ref, definition: readSide(definition), live: readSide(live) },
      ]),
    ),
    files: mapOf(files, (names) => mapOf(names, readFile)),
    volumes: mapOf(volumes, (names) => mapOf(names, itself)),
    images: mapOf(images, (names) => mapOf(names, readImage)),
    intakes: mapOf(intakes, (names) => mapOf(names, itself)),
    imageDisks: mapOf(imageDisks, itself),
    catalogue: mapOf(catalogue, readFile),
    seeds: mapOf(seeds, (names) => mapOf(names, itself)),
    filters: mapOf(filters, itself),
    slices: mapOf(slices, itself),
    primaries: mapOf(primaries, readPrimary),
    size,
    defaultRoute,
  };
}

export function worldText({
  installation,
  runs,
  domains,
  networks,
  files,
  volumes,
  images,
  intakes,
  imageDisks,
  catalogue,
  seeds,
  filters,
  slices,
  primaries,
  size,
  defaultRoute,
}: World): string {
  const plain: z.input<typeof worldSchema> = {
    format: FORMAT,
    installation,
    runs,
    domains: [...domains.values()],
    networks: [...networks.values()].map(({ definition, live, ...ref }) => ({
      ...ref,
      definition: writeSide(definition),
      live: writeSide(live),
    })),
    files: recordOf(files, (names) => recordOf(names, writeFile)),
    volumes: recordOf(volumes, (names) => recordOf(names, itself)),
    images: recordOf(images, (names) => recordOf(names, itself)),
    intakes: recordOf(intakes, (names) => recordOf(names, itself)),
    imageDisks: recordOf(imageDisks, writeImageDisk),
    catalogue: recordOf(catalogue, writeFile),
    seeds: recordOf(seeds, (names) => recordOf(names, itself)),
    filters: recordOf(filters, ({ fields, ports }) => ({ fields, ports: [...ports] })),
    slices: recordOf(slices, itself),
    primaries: recordOf(primaries, writePrimary),
    size,
    defaultRoute,
  };
  return `${JSON.stringify(plain, null, 2)}\n`;
}

type Schema = z.output<typeof worldSchema>;
type PlainSide = NonNullable<Schema['networks'][number]['live']>;
type PlainImage = Schema['images'][keyof Schema['images']][ImageName];
type PlainPrimary = Schema['primaries'][string];
type PlainImageDisk = Schema['imageDisks'][keyof Schema['imageDisks']];
type PlainFile = Schema['files'][keyof Schema['files']][string];

function readSide(side: PlainSide | null): NetworkSide | null {
  return side && { ...side, reservations: mapOf(side.reservations, itself) };
}

function writeSide(side: NetworkSide | null): PlainSide | null {
  return side && { ...side, reservations: recordOf(side.reservations, itself) };
}

/** A simulated file is as large as the disk that it holds. */
function readImage({ fileBytes, ...image }: PlainImage): SimulatedImage {
  return { ...image, fileBytes: fileBytes ?? image.sizeBytes };
}

/** In files of before nobody was plugged in. */
function readPrimary({ livePlugs, ...primary }: PlainPrimary): SimulatedPrimary {
  return { ...primary, livePlugs: livePlugs ?? (primary.live === null ? null : []) };
}

function writePrimary({
  nics,
  plugs,
  livePlugs,
  lentDisks,
  ...primary
}: SimulatedPrimary): PlainPrimary {
  const live = livePlugs && [...livePlugs];
  const lists = { nics: [...nics], plugs: [...plugs], lentDisks: [...lentDisks] };
  return { ...primary, ...lists, livePlugs: live };
}

function writeImageDisk({ given, takenOut, ...disk }: SimulatedImageDisk): PlainImageDisk {
  return { ...disk, given: [...given], takenOut: [...takenOut] };
}

function readFile(file: PlainFile): SimulatedFile {
  return typeof file === 'number' ? { bytes: file, digest: null } : file;
}

function writeFile({ bytes, digest }: SimulatedFile): PlainFile {
  return digest === null ? bytes : { bytes, digest };
}

function mapOf<K extends string, V, T>(
  record: Readonly<Record<K, V>>,
  each: (value: V) => T,
): Map<K, T> {
  // `Object.entries` forgets what the keys are.
  const entries = Object.entries(record) as [K, V][];
  return new Map(entries.map(([key, value]) => [key, each(value)]));
}

function recordOf<K extends string, V, T>(
  map: ReadonlyMap<K, V>,
  each: (value: V) => T,
): Record<K, T> {
  const entries = [...map].map(([key, value]) => [key, each(value)]);
  return Object.fromEntries(entries) as Record<K, T>;
}

function itself<T>(value: T): T {
  return value;
}
