/** Why a partition does not fit its host, as numbers and as words that say what to change. */
import { cpusIn, sharedCpus } from '../model/cpu-set.ts';
import { byName, type PartitionName } from '../model/names.ts';
import { formatApproximately, formatSize } from '../model/sizes.ts';
import { type Capacity, type CapacityName, factorFor } from './host-room.ts';

export const CONFLICT_KINDS = [
  'vcpus', // more is promised than the host has to give
  'memoryBytes',
  'cpuset', // CPUs that nobody else is to get are somebody's
  'subnet', // addresses are another partition's
  'interface', // addresses are the host's own
  'unknown', // what the host has could not be read
] as const;
export type ConflictKind = (typeof CONFLICT_KINDS)[number];

/** `missing` is `used` and `asked` less `available`, of vCPUs, bytes, CPUs or addresses. */
export interface Conflict {
  readonly kind: ConflictKind;
  readonly partition: PartitionName;
  /** Whom it collides with, who has most first; empty: nobody, it is too large by itself. */
  readonly others: readonly PartitionName[];
  readonly asked: number;
  /** By others. */
  readonly used: number;
  readonly available: number;
  readonly missing: number;
  /** What is so, and what would change it. */
  readonly text: string;
}

/** Who has how much. */
export type Users = readonly (readonly [name: PartitionName, amount: number])[];

export function capacityConflict(
  name: CapacityName,
  partition: PartitionName,
  asked: number,
  users: Users,
  capacity: Capacity,
): Conflict | null {
  const { available } = capacity;
  const used = users.reduce((sum, [, amount]) => sum + BigInt(amount), 0n);
  const missing = used + BigInt(asked) - BigInt(available);
  if (missing <= 0n) return null;
  // Whoever is too large for the host alone is in nobody's way but its own.
  const isAlone = asked > available;
  const counted = isAlone ? 0n : used;
  const numbers = {
    asked,
    used: Number(counted),
    available,
    missing: Number(isAlone ? BigInt(asked) - BigInt(available) : missing),
  };
  const others = isAlone ? [] : mostFirst(users);
  const words = { ...unitOf[name], others, capacity, wanted: counted + BigInt(asked) };
  const text = capacityText(partition, numbers, words);
  return { kind: name, partition, others: others.map(([other]) => other), ...numbers, text };
}

function mostFirst(users: Users): Users {
  return users.toSorted(([a, has], [b, hasToo]) => hasToo - has || byName(a, b));
}

interface Unit {
  readonly what: string;
  readonly field: string;
  readonly factor: string;
  readonly show: (amount: number) => string;
  /** As a document says it: at most so much, and at least. */
  readonly atMost: (amount: number) => string;
  readonly atLeast: (amount: number) => string;
  /** The least that a document can ask for. */
  readonly least: number;
}

const MiB = 2 ** 20;

const unitOf: { readonly [Name in CapacityName]: Unit } = {
  vcpus: {
    what: 'vCPUs',
    field: 'spec.limits.vcpus',
    factor: 'spec.overcommit.vcpus',
    show: String,
    atMost: String,
    atLeast: String,
    least: 1,
  },
  memoryBytes: {
    what: 'of memory',
    field: 'spec.limits.memory',
    factor: 'spec.overcommit.memory',
    show: formatApproximately,
    atMost: (bytes) => formatSize(Math.floor(bytes / MiB) * MiB),
    atLeast: (bytes) => formatSize(Math.ceil(bytes / MiB) * MiB),
    least: 16 * MiB,
  },
};

interface Words extends Unit {
  readonly others: Users;
  readonly capacity: Capacity;
  readonly wanted: bigint;
}

type Numbers = Pick<Conflict, 'asked' | 'used' | 'available' | 'missing'>;

function capacityText(partition: PartitionName, numbers: Numbers, words: Words): string {
  const { asked, used, available, missing } = numbers;
  const { what, show, field, others, capacity, atLeast } = words;
  const less = capacity.reserved === 0 ? '' : ` less ${show(capacity.reserved)}`;
  const sum = `${show(capacity.there)}${less}, times ${capacity.factor}`;
  const asks = `asks for ${show(asked)} ${what}`;
  const so =
    others.length === 0
      ? `${partition} alone ${asks}, and this host may give ${show(available)} (${sum})`
      : `${partition} ${asks}, and ${show(used)} of the ${show(available)} that this host may give (${sum}) are promised to ${namesOf(others, show)}`;
  const ways = [
    ...limitWays(partition, available - used, words),
    ...(others.length === 0 ? [] : [`lower ${field} of others by ${atLeast(missing)}`]),
    ...factorWays(words),
    `give the host more, or take ${partition} to another`,
  ];
  return `${so}: ${atLeast(missing)} are missing. Either ${ways.join(', or ')}`;
}

function limitWays(partition: PartitionName, fits: number, words: Words): readonly string[] {
  const { field, least, atMost } = words;
  return fits < least ? [] : [`lower ${field} of ${partition} to ${atMost(fits)}`];
}

function factorWays({ factor, wanted, capacity }: Words): readonly string[] {
  const needed = factorFor(wanted, capacity);
  return needed === null ? [] : [`raise ${factor} of unnestd's configuration to ${needed}`];
}

/** Of thousands nobody would read the names. */
const namedMax = 5;

function namesOf(users: Users, show: (amount: number) => string): string {
  const named = users.slice(0, namedMax).map(([name, amount]) => `${name} (${show(amount)})`);
  const more = users.length - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** @param what such as `10.20.0.0/24` */
export function overlapConflict(
  kind: 'subnet' | 'cpuset',
  partition: PartitionName,
  what: string,
  asked: number,
  users: readonly { readonly name: PartitionName; readonly has: string; readonly used: number }[],
): Conflict {
  const used = Math.min(
    asked,
    users.reduce((sum, each) => sum + each.used, 0),
  );
  const others = users.map(({ name }) => name);
  const named = users.slice(0, namedMax).map(({ name, has }) => `${name} (${has})`);
  const more = users.length > namedMax ? ` and ${users.length - namedMax} more` : '';
  const field = kind === 'subnet' ? 'spec.network.cidr' : 'spec.guarantees.cpuset';
  const text = `${field} ${what} of ${partition} overlaps that of ${named.join(', ')}${more}: give one of them another`;
  return { kind, partition, others, asked, used, available: asked, missing: used, text };
}

/** @param there how many the host has, the first of which is 0 */
export function absentCpusConflict(
  partition: PartitionName,
  cpuset: string,
  there: number,
): Conflict {
  const asked = cpusIn(cpuset);
  const available = cpusIn(sharedCpus(cpuset, `0-${there - 1}`));
  const text = `spec.guarantees.cpuset ${cpuset} of ${partition} names CPUs that this host does not have, which has ${there}, from 0: name others`;
  const numbers = { asked, used: 0, available, missing: asked - available };
  return { kind: 'cpuset', partition, others: [], ...numbers, text };
}

export function interfaceConflict(
  partition: PartitionName,
  cidr: string,
  asked: number,
  interfaces: readonly {
    readonly name: string;
    readonly cidr: string;
    readonly used: number;
  }[],
): Conflict {
  const used = Math.min(
    asked,
    interfaces.reduce((sum, each) => sum + each.used, 0),
  );
  const named = interfaces.slice(0, namedMax).map(({ name, cidr: has }) => `${name} (${has})`);
  const text = `spec.network.cidr ${cidr} of ${partition} overlaps what the host itself reaches by ${named.join(', ')}: give ${partition} another subnet`;
  const numbers = { asked, used, available: asked, missing: used };
  return { kind: 'interface', partition, others: [], ...numbers, text };
}

/** @param what of the host */
export function unknownConflict(partition: PartitionName, what: string, why: string): Conflict {
  const text = `whether ${partition} fits this host is not known: ${what} could not be read (${why})`;
  const numbers = { asked: 0, used: 0, available: 0, missing: 0 };
  return { kind: 'unknown', partition, others: [], ...numbers, text };
}
