/** What a partition is promised of its host, by its description. */
import { cpusIn, sharedCpus } from '../model/cpu-set.ts';
import type { CapacityName, HostRules } from './host-room.ts';
import { isWithin, subnetOf } from '../model/subnet.ts';

export interface Claim {
  /** 0 where nothing limits it: then it counts with nothing. */
  readonly vcpus: number;
  readonly memoryBytes: number;
  /** Its subnet; null: it has no network. */
  readonly cidr: string | null;
  /** CPUs that nobody else gets; null: none. */
  readonly cpuset: string | null;
  /** Of its memory that nobody else can press out. */
  readonly guaranteedBytes: number;
}

/** What it has by now, of what its guests were given when they started. */
export type Held = Pick<Claim, CapacityName>;

export const noClaim: Claim = {
  vcpus: 0,
  memoryBytes: 0,
  cidr: null,
  cpuset: null,
  guaranteedBytes: 0,
};

/** Nothing of it could be anybody else's. */
export function isNothing({ vcpus, memoryBytes, cidr, cpuset }: Claim): boolean {
  return vcpus === 0 && memoryBytes === 0 && cidr === null && cpuset === null;
}

/** Whether whoever was promised `promised` may have `claim` without asking anew. */
export function covers(promised: Claim, claim: Claim): boolean {
  return (
    claim.vcpus <= promised.vcpus &&
    claim.memoryBytes <= promised.memoryBytes &&
    claim.guaranteedBytes <= promised.guaranteedBytes &&
    coversSubnet(promised, claim) &&
    coversCpus(promised, claim)
  );
}

export function coversSubnet(promised: Claim, { cidr }: Claim): boolean {
  if (cidr === null) return true;
  return promised.cidr !== null && isWithin(subnetOf(cidr), subnetOf(promised.cidr));
}

export function coversCpus(promised: Claim, { cpuset }: Claim): boolean {
  if (cpuset === null) return true;
  return promised.cpuset !== null && cpusIn(sharedCpus(cpuset, promised.cpuset)) === cpusIn(cpuset);
}

/**
 * What is still to be counted of `promised` when only `claim` is asked for: of CPUs and memory
 * whatever its guests have is not free, be it more than they may have by now.
 * @param held null: not known, so nothing is free yet
 */
export function stillPromised(promised: Claim, claim: Claim, held: Held | null): Claim {
  const left = (name: keyof Held) =>
    Math.max(claim[name], Math.min(promised[name], held?.[name] ?? promised[name]));
  return { ...claim, vcpus: left('vcpus'), memoryBytes: left('memoryBytes') };
}

export function isSameClaim(a: Claim, b: Claim): boolean {
  return (
    a.vcpus === b.vcpus &&
    a.memoryBytes === b.memoryBytes &&
    a.cidr === b.cidr &&
    a.cpuset === b.cpuset &&
    a.guaranteedBytes === b.guaranteedBytes
  );
}

/**
 * What it takes of the host's vCPUs and memory. What is guaranteed is not promised to anybody a second
 * time, whatever the factor by which all else may be.
 */
export function takenBy(claim: Claim, { overcommit }: HostRules): Held {
  const cpus = claim.cpuset === null ? 0 : cpusIn(claim.cpuset);
  return {
    vcpus: Math.max(claim.vcpus, Math.ceil(cpus * overcommit.vcpus)),
    memoryBytes: Math.max(claim.memoryBytes, Math.ceil(claim.guaranteedBytes * overcommit.memory)),
  };
}
