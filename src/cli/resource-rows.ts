/** `unnest get --kind`: what a partition has besides Secondaries, as rows for people and for programs. */
import { volumesOf } from '../diff/volume.ts';
import type { Observed } from '../model/domain.ts';
import { samePartition } from '../model/identity.ts';
import { byName, PRIMARY_STATION } from '../model/names.ts';
import { plugAlias } from '../model/plug.ts';
import type { Observation } from '../model/observation.ts';
import type { ResourceKind } from '../model/resource.ts';
import { formatApproximately, formatSize } from '../model/sizes.ts';
import { givenBytes, type ObservedImageDisk } from '../model/image-disk.ts';
import type { ObservedIntake } from '../model/intake.ts';
import { type ObservedSeed, secondaryOf } from '../model/seed.ts';
import type { ObservedImage, ObservedVolume } from '../model/volume.ts';
import type { ObservedNetwork } from '../model/network.ts';
import { egressRules } from '../model/egress.ts';
import type { FilterFields, FilterPort } from '../model/filter.ts';
import { printable } from './render/paint.ts';

export type OtherKind = Exclude<ResourceKind, 'secondary'>;

export interface ResourceRow {
  readonly name: string;
  /** `Ready`, `Half-made`, `Active`, `Inactive`, `Changed` or `Unknown`. */
  readonly status: string;
  /** In the order of the kind's titles, behind name and status. */
  readonly cells: readonly string[];
  /** For `-o json` and `yaml`. */
  readonly object: object;
}

export const titles: { readonly [K in OtherKind]: readonly string[] } = {
  primary: ['DOMAIN', 'VCPUS', 'MEMORY', 'CAN HAVE'],
  slice: ['MEMORY', 'CPUS', 'PROCESSES', 'PATH'],
  volume: ['SIZE', 'FORMAT', 'BEGAN AS', 'POLICY', 'USED BY'],
  image: ['SIZE', 'FORMAT', 'DIGEST'],
  'image-disk': ['SIZE', 'GIVEN', 'FOR'],
  intake: ['KIND', 'SIZE', 'RECEIVED', 'DIGEST'],
  seed: ['SIZE', 'FORM', 'FOR'],
  network: ['CIDR', 'MODE', 'UPLINK', 'ADDRESSES'],
  filter: ['MODE', 'UPLINK', 'ISOLATION', 'EGRESS', 'BYTES/S', 'PORTS', 'TABLE'],
  nic: ['DOMAIN', 'MAC', 'TAP', 'ADDRESS'],
};

/** By name. What is not ours is not ours to show. */
export function rowsOf(kind: OtherKind, observed: Observed): readonly ResourceRow[] {
  switch (kind) {
    case 'volume': {
      const users = usersOf(observed);
      return storedRows(observed.volumes, observed, (volume) => volumeCells(volume, users));
    }
    case 'image':
      return storedRows(observed.images, observed, imageCells);
    case 'image-disk':
      return storedRows(ofPartition(observed), observed, imageDiskCells);
    case 'intake':
      return storedRows(observed.intakes, observed, intakeCells);
    case 'seed':
      return storedRows(observed.seeds, observed, seedCells);
    case 'network':
      return networkRows(observed);
    case 'primary':
      return primaryRows(observed);
    case 'slice':
      return sliceRows(observed);
    case 'filter':
      return filterRows(observed);
    case 'nic':
      return nicRows(observed);
  }
}

/** Why there may be more of them than were seen; null: those are all. */
export function unlistedOf(kind: OtherKind, observed: Observed): string | null {
  switch (kind) {
    case 'volume':
      return observed.unlistedVolumes;
    case 'image':
      return observed.unlistedImages;
    case 'intake':
      return observed.unlistedIntakes;
    case 'seed':
      return observed.unlistedSeeds;
    case 'image-disk':
    case 'primary':
    case 'slice':
    case 'filter':
    case 'nic':
    case 'network':
      return null;
  }
}

type Stored = ObservedVolume | ObservedImage | ObservedImageDisk | ObservedIntake | ObservedSeed;

function ofPartition({
  partition,
  imageDisk,
}: Observed): ReadonlyMap<string, Observation<ObservedImageDisk>> {
  return new Map([[partition, imageDisk]]);
}

function storedRows<T extends Stored>(
  all: ReadonlyMap<string, Observation<T>>,
  observed: Observed,
  cells: (value: T) => readonly string[],
): readonly ResourceRow[] {
  return [...all]
    .sort(([a], [b]) => byName(a, b))
    .flatMap(([name, seen]): ResourceRow[] => {
      if (seen.status === 'absent') return [];
      if (seen.status === 'unknown') return [unknownRow(name, seen.why)];
      const { owner, ...value } = seen.value;
      if (!samePartition(owner, observed)) return [];
      const status = value.state === 'ready' ? 'Ready' : 'Half-made';
      return [{ name, status, cells: cells(seen.value), object: { ...value, status } }];
    });
}

function volumeCells(volume: ObservedVolume, users: ReadonlyMap<string, string>) {
  const began = beganAs(volume);
  const user = users.get(volume.name) ?? '-';
  return [formatSize(volume.sizeBytes), volume.format, began, volume.deletionPolicy, user];
}

function beganAs({ origin, copyOf }: ObservedVolume): string {
  if (copyOf !== null) return `copy of ${copyOf}`;
  return origin === null ? 'empty' : `${origin.image} (${origin.provision})`;
}

function imageCells({ sizeBytes, format, digest }: ObservedImage): readonly string[] {
  return [formatSize(sizeBytes), format, digest];
}

function imageDiskCells({ sizeBytes, given }: ObservedImageDisk): readonly string[] {
  const names = given.map(({ image }) => image).join(', ');
  return [formatSize(sizeBytes), formatSize(givenBytes(given)), names === '' ? '-' : names];
}

function intakeCells({
  kind,
  sizeBytes,
  receivedBytes,
  digest,
}: ObservedIntake): readonly string[] {
  const received = kind === 'handOver' ? '-' : formatSize(receivedBytes);
  return [kind, formatSize(sizeBytes), received, digest];
}

function seedCells({ name, sizeBytes, form }: ObservedSeed): readonly string[] {
  return [formatSize(sizeBytes), form, secondaryOf(name)];
}

function networkRows({ network: seen, partition, ...observed }: Observed): readonly ResourceRow[] {
  if (seen.status === 'absent') return [];
  if (seen.status === 'unknown') return [unknownRow(partition, seen.why)];
  const { owner, active, reservations, uuid, networkName, defined, lastApplied } = seen.value;
  if (!samePartition(owner, { partition, ...observed })) return [];
  const status = active ? 'Active' : 'Inactive';
  const addresses = Object.fromEntries(
    [...reservations].sort(([a], [b]) => byName(a, b)).map(([name, each]) => [name, each.address]),
  );
  const object = { name: partition, status, uuid, networkName, defined, lastApplied, addresses };
  return [{ name: partition, status, cells: networkCells(seen.value), object }];
}

function networkCells({ defined, reservations }: ObservedNetwork): readonly string[] {
  const count = `${reservations.size}`;
  if (defined === null) return ['?', '?', '?', count];
  return [defined.cidr, defined.mode, printable(defined.uplink ?? '-'), count];
}

function sliceRows({ slice: seen, partition }: Observed): readonly ResourceRow[] {
  // A host without cgroup v2 has none, and that is said where one is asked for.
  if (seen.status !== 'present') return [];
  const { path, fields, usage } = seen.value;
  const { memoryMaxBytes, cpus, pidsMax } = fields;
  const of = (used: string, most: string | null) => `${used} of ${most ?? 'any'}`;
  const cells = [
    of(formatApproximately(usage.memoryBytes), textOf(memoryMaxBytes, formatSize)),
    textOf(cpus, String) ?? 'any',
    of(`${usage.processes}`, textOf(pidsMax, String)),
    path,
  ];
  const object = { name: partition, status: 'Active', path, ...fields, usage };
  return [{ name: partition, status: 'Active', cells, object }];
}

function primaryRows({ primary: seen, partition }: Observed): readonly ResourceRow[] {
  if (seen.status === 'absent') return [];
  if (seen.status === 'unknown') return [unknownRow(partition, seen.why)];
  const { domainName, live, defined, vcpusMax, baseBytes, device } = seen.value;
  const status = live === null ? 'Inactive' : 'Active';
  const { vcpus, pluggedBytes } = live ?? defined;
  const most = formatSize(baseBytes + (device?.sizeBytes ?? 0));
  const memory = formatSize(baseBytes + pluggedBytes);
  const cells = [printable(domainName), `${vcpus}`, memory, `${vcpusMax} and ${most}`];
  return [{ name: partition, status, cells, object: { ...seen.value, name: partition, status } }];
}

function filterRows({ filter: seen, partition }: Observed): readonly ResourceRow[] {
  if (seen.status === 'absent') return [];
  if (seen.status === 'unknown') return [unknownRow(partition, seen.why)];
  const { table, fields, ports } = seen.value;
  const status = fields === null ? 'Changed' : 'Active';
  const cells = [...filterCells(fields), `${ports.length}`, table];
  const object = { name: partition, status, table, fields, ports: [...ports].sort(byTap) };
  return [{ name: partition, status, cells, object }];
}

/** `Active`: its guest has it. `Inactive`: its next start will. */
function nicRows({ primary: seen, network, partition, installation }: Observed): ResourceRow[] {
  if (seen.status === 'absent') return [];
  if (seen.status === 'unknown') return [unknownRow(partition, seen.why)];
  const alias = plugAlias({ installation, partition });
  const { domainName, plugs, livePlugs } = seen.value;
  const live = livePlugs?.find((each) => each.alias === alias);
  const plug = live ?? plugs.find((each) => each.alias === alias);
  if (plug === undefined) return [];
  const status = live === undefined ? 'Inactive' : 'Active';
  const reserved =
    network.status === 'present' ? network.value.reservations.get(PRIMARY_STATION) : undefined;
  const address = reserved?.address ?? null;
  const cells = [printable(domainName), plug.mac, printable(plug.tap ?? '-'), address ?? '-'];
  return [
    {
      name: partition,
      status,
      cells,
      object: { name: partition, status, domainName, ...plug, address },
    },
  ];
}

function filterCells(fields: FilterFields | null): readonly string[] {
  if (fields === null) return ['?', '?', '?', '?', '?'];
  const { mode, uplink, portIsolation, egress, networkBytesPerSecond } = fields;
  const where = egress === null ? 'any' : `${egressRules(egress).length} allowed`;
  const rate = textOf(networkBytesPerSecond, formatSize) ?? 'any';
  return [mode, printable(uplink ?? '-'), portIsolation ? 'yes' : 'no', where, rate];
}

function byTap(a: FilterPort, b: FilterPort): number {
  return byName(a.tap, b.tap);
}

function textOf(limit: number | null, text: (limit: number) => string): string | null {
  return limit === null ? null : text(limit);
}

function unknownRow(name: string, why: string): ResourceRow {
  const object = { name, status: 'Unknown', why };
  return { name, status: 'Unknown', cells: [printable(why)], object };
}

/** By Volume: whose domain has it. */
function usersOf({ domains }: Observed): ReadonlyMap<string, string> {
  return new Map(
    [...domains].flatMap(([name, seen]) =>
      seen.status === 'present'
        ? volumesOf(seen.value.live ?? seen.value.defined).map((volume) => [volume, name] as const)
        : [],
    ),
  );
}
