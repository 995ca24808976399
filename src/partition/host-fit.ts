/**
 * Whether the partitions of a host fit it together. A partition that was promised its share keeps it
 * as long as that does not grow; whoever comes anew, or grows, gets it if there is room, and waits
 * if there is not. So nobody loses what they have by somebody else's description.
 *
 * What is given back is free once it has been seen to be: a partition whose limits are lowered still
 * counts with what its guests have, and one that is not described any more counts for as long as
 * there is something of it on the host.
 *
 * Among those who ask at the same time the order is: who has a promise already and grows, then those
 * who have something to lose (`seniors`), then all others; each by name. Whoever fits goes on, also
 * past one before it that does not.
 *
 * Rejected: to share out what there is among all. Every description would then change what all
 * others may have, and a kernel that takes memory from guests that use it kills them.
 */
import type { HostSize } from '../model/domain.ts';
import { byName, type PartitionName } from '../model/names.ts';
import type { Observation } from '../model/observation.ts';
import {
  type Claim,
  covers,
  coversCpus,
  coversSubnet,
  type Held,
  isNothing,
  noClaim,
  stillPromised,
  takenBy,
} from './claim.ts';
import { cpusIn, lastCpu, sharedCpus } from '../model/cpu-set.ts';
import {
  absentCpusConflict,
  capacityConflict,
  type Conflict,
  interfaceConflict,
  overlapConflict,
  unknownConflict,
  type Users,
} from './host-conflict.ts';
import { capacityOf, type CapacityName, type HostRules } from './host-room.ts';
import { addressesIn, sharedAddresses, type Subnet, subnetOf } from '../model/subnet.ts';

/** An address that the host itself has, with its prefix: `192.168.1.5/24`. */
export interface HostAddress {
  readonly name: string;
  readonly cidr: string;
}

export type Claims = ReadonlyMap<PartitionName, Claim>;

export interface HostFitFacts {
  /** By the descriptions that there are. */
  readonly wanted: Claims;
  /** What was promised before. */
  readonly promised: Claims;
  /** What each has by now; none, or null: not known. */
  readonly held: ReadonlyMap<PartitionName, Held | null>;
  /** Not described any more, and still on the host as far as anybody knows. */
  readonly leftBehind: ReadonlySet<PartitionName>;
  /** Those with something to lose: documents in force, or guests. */
  readonly seniors: ReadonlySet<PartitionName>;
  readonly host: Observation<HostSize>;
  readonly rules: HostRules;
  readonly addresses: Observation<readonly HostAddress[]>;
}

export interface HostFit {
  /** What is promised from now on, by name; whoever asks for nothing is not in it. */
  readonly promised: Claims;
  /** Who does not get what it asks for, and why. */
  readonly waiting: ReadonlyMap<PartitionName, readonly Conflict[]>;
}

interface Asking {
  readonly name: PartitionName;
  readonly claim: Claim;
  readonly rank: number;
}

/** Depends on the order of nothing that it is given. */
export function hostFit(facts: HostFitFacts): HostFit {
  const { wanted, seniors } = facts;
  const promised = new Map(keptPromises(facts));
  const waiting = new Map<PartitionName, readonly Conflict[]>();
  const rankOf = (name: PartitionName) => (promised.has(name) ? 0 : seniors.has(name) ? 1 : 2);
  let asking: readonly Asking[] = [...wanted]
    .filter(([name, claim]) => !isNothing(claim) && !covers(promised.get(name) ?? noClaim, claim))
    .map(([name, claim]) => ({ name, claim, rank: rankOf(name) }))
    .sort((a, b) => a.rank - b.rank || byName(a.name, b.name));
  for (let givesBack = true; givesBack;) {
    givesBack = false;
    for (const { name, claim } of asking) {
      const conflicts = conflictsOf(name, claim, promised, facts);
      const before = promised.get(name);
      if (conflicts.length > 0) {
        waiting.set(name, conflicts);
        continue;
      }
      waiting.delete(name);
      promised.set(name, claimBeside(before, claim, facts.held.get(name) ?? null));
      // What it has given up for what it has now, others may have waited for.
      givesBack ||= before !== undefined && !covers(claim, before);
    }
    asking = asking.filter(({ name }) => waiting.has(name));
  }
  return { promised: sorted(promised), waiting: sorted(waiting) };
}

/** Those that hold whoever else asks. */
function keptPromises({ wanted, promised, held, leftBehind }: HostFitFacts): Claims {
  const kept = new Map<PartitionName, Claim>();
  for (const [name, claim] of promised) {
    const asked = wanted.get(name);
    if (asked === undefined && !leftBehind.has(name)) continue;
    // Of one that is left behind, and of one that has to ask anew, all of it still counts.
    const isLess = asked !== undefined && covers(claim, asked);
    const still = isLess ? stillPromised(claim, asked, held.get(name) ?? null) : claim;
    if (!isNothing(still)) kept.set(name, still);
  }
  return kept;
}

function claimBeside(before: Claim | undefined, claim: Claim, held: Held | null): Claim {
  return before === undefined ? claim : stillPromised(before, claim, held);
}

/** Only about what it has not been promised yet. */
function conflictsOf(
  name: PartitionName,
  claim: Claim,
  promised: Claims,
  { host, rules, addresses }: HostFitFacts,
): readonly Conflict[] {
  const had = promised.get(name) ?? noClaim;
  const others = [...promised].filter(([other]) => other !== name);
  const [asks, has] = [takenBy(claim, rules), takenBy(had, rules)];
  const grown = capacities.filter((each) => asks[each] > has[each]);
  const conflicts: (Conflict | null)[] = [];
  if (host.status === 'present') {
    for (const each of grown) {
      const capacity = capacityOf(each, host.value, rules);
      const users = usersOf(each, others, rules);
      conflicts.push(capacityConflict(each, name, asks[each], users, capacity));
    }
  } else if (grown.length > 0) {
    conflicts.push(unknownConflict(name, 'how many CPUs and how much memory it has', whyOf(host)));
  }
  if (!coversSubnet(had, claim)) conflicts.push(...subnetConflicts(name, claim, others, addresses));
  if (!coversCpus(had, claim)) {
    conflicts.push(cpusConflict(name, claim, others), absentCpus(name, claim, host));
  }
  return conflicts.filter((each) => each !== null);
}

const capacities = ['vcpus', 'memoryBytes'] as const satisfies readonly CapacityName[];

type Others = readonly (readonly [PartitionName, Claim])[];

function usersOf(name: CapacityName, others: Others, rules: HostRules): Users {
  return others
    .map(([other, claim]) => [other, takenBy(claim, rules)[name]] as const)
    .filter(([, taken]) => taken > 0);
}

function subnetConflicts(
  name: PartitionName,
  { cidr }: Claim,
  others: Others,
  addresses: HostFitFacts['addresses'],
): readonly (Conflict | null)[] {
  if (cidr === null) return [];
  const subnet = subnetOf(cidr);
  const asked = addressesIn(subnet);
  const users = others
    .flatMap(([other, { cidr: has }]) =>
      has === null ? [] : [{ name: other, has, used: sharedAddresses(subnet, subnetOf(has)) }],
    )
    .filter(({ used }) => used > 0)
    .sort((a, b) => b.used - a.used || byName(a.name, b.name));
  const overlap = users.length === 0 ? null : overlapConflict('subnet', name, cidr, asked, users);
  if (addresses.status !== 'present') {
    return [overlap, unknownConflict(name, 'which addresses it has itself', whyOf(addresses))];
  }
  const own = ownAddresses(subnet, addresses.value);
  return [overlap, own.length === 0 ? null : interfaceConflict(name, cidr, asked, own)];
}

function whyOf(seen: Observation<unknown>): string {
  return seen.status === 'unknown' ? seen.why : 'nobody has looked';
}

/** As `bridgeName` calls them: what stands on ours is the partition's own subnet. */
const ourBridge = /^un-[0-9a-f]{12}$/;

function ownAddresses(subnet: Subnet, addresses: readonly HostAddress[]) {
  return addresses
    .filter(({ name }) => !ourBridge.test(name))
    .map((each) => ({ ...each, used: sharedAddresses(subnet, subnetOf(each.cidr)) }))
    .filter(({ used }) => used > 0)
    .sort((a, b) => byName(a.name, b.name) || byName(a.cidr, b.cidr));
}

function cpusConflict(name: PartitionName, { cpuset }: Claim, others: Others): Conflict | null {
  if (cpuset === null) return null;
  const users = others
    .flatMap(([other, { cpuset: has }]) =>
      has === null ? [] : [{ name: other, has, used: cpusIn(sharedCpus(cpuset, has)) }],
    )
    .filter(({ used }) => used > 0)
    .sort((a, b) => b.used - a.used || byName(a.name, b.name));
  const asked = cpusIn(cpuset);
  return users.length === 0 ? null : overlapConflict('cpuset', name, cpuset, asked, users);
}

/** Where the host could not be read that is said of what it has of them. */
function absentCpus(
  name: PartitionName,
  { cpuset }: Claim,
  host: HostFitFacts['host'],
): Conflict | null {
  if (cpuset === null || host.status !== 'present') return null;
  const { cpus } = host.value;
  return lastCpu(cpuset) < cpus ? null : absentCpusConflict(name, cpuset, cpus);
}

function sorted<T>(map: ReadonlyMap<PartitionName, T>): ReadonlyMap<PartitionName, T> {
  return new Map([...map].sort(([a], [b]) => byName(a, b)));
}
