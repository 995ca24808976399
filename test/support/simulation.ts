/** A simulated host in memory, on a clock that stands still until somebody waits for it. */
import { type VirtualClock, virtualClock } from '../../src/host/simulated/clock.ts';
import {
  type Call,
  type CallName,
  type Fault,
  type FaultRule,
  Faults,
} from '../../src/host/simulated/faults.ts';
import { type SimulationOptions, simulatedHost } from '../../src/host/simulated/host.ts';
import { keepInMemory } from '../../src/host/simulated/keeper.ts';
import type { SimulatedDomain, World } from '../../src/host/simulated/world.ts';
import type { Host } from '../../src/host/ports.ts';
import type { DomainFields, DomainRef, Power } from '../../src/model/domain.ts';
import { domainName, type Owner, secondaryUuid } from '../../src/model/identity.ts';
import type { SecondaryName } from '../../src/model/names.ts';
import { installation, partition } from './passes.ts';

export interface TestHost extends Host {
  readonly world: World;
  readonly clock: VirtualClock;
  readonly faults: Faults;
  /** May be added to while it is used. */
  readonly rules: FaultRule[];
  /** Every mutating call so far: `define unnest.team-a.web`. */
  readonly writes: readonly string[];
}

export interface TestHostOptions extends Omit<SimulationOptions, 'keeper' | 'clock' | 'faults'> {
  readonly rules?: readonly FaultRule[];
  readonly clock?: VirtualClock;
  readonly latency?: (call: Call) => Promise<void>;
}

export function testHost(world: World = worldOf({}), options: TestHostOptions = {}): TestHost {
  const { clock = virtualClock(), latency, ...more } = options;
  const rules = [...(options.rules ?? [])];
  const faults = new Faults(rules, latency);
  return {
    ...simulatedHost({ keeper: keepInMemory(world), clock, faults, ...more }),
    world,
    clock,
    faults,
    rules,
    get writes() {
      return faults.calls
        .filter(({ writes }) => writes)
        .map(({ name, subjects: [subject] }) =>
          subject === undefined ? name : `${name} ${subject}`,
        );
    },
  };
}

/** Spoils every call of a name; with `domain` only those about that one. */
export function onCall(name: CallName, fault: Fault, domain?: string): FaultRule {
  return (call) =>
    call.name === name && (domain === undefined || call.subjects.includes(domain)) ? fault : null;
}

export function onCallNumber(index: number, fault: Fault): FaultRule {
  return (call) => (call.index === index ? fault : null);
}

/** Domains, by the names of their Secondaries, that cannot be read. */
export function unreadable(...names: readonly string[]): FaultRule {
  const domains = names.map((name) => refOf(name).domainName);
  const error = new Error('the test says so');
  return onCall('read', { kind: 'partial', error, unreadable: domains });
}

/** One of the domains that the host has, to look at or to meddle with. */
export function domainNamed(host: TestHost, name: string): SimulatedDomain {
  const domain = host.world.domains.get(refOf(name).uuid);
  if (domain === undefined) throw new Error(`there is no ${name}`);
  return domain;
}

export interface WorldParts {
  readonly recorded?: boolean;
  readonly files?: readonly string[];
  readonly domains?: readonly SimulatedDomain[];
}

/** A host after its first apply, with a kernel and a disk in the store. */
export function worldOf({
  recorded = false,
  files = ['vmlinuz', 'root.img'],
  domains = [],
}: WorldParts): World {
  return {
    installation: recorded ? installation : null,
    files: new Map([[partition, new Map(files.map((file) => [file, 1]))]]),
    domains: new Map(domains.map((domain) => [domain.uuid, domain])),
  };
}

export interface DomainParts {
  /** Null for somebody else's. */
  readonly owner?: Owner | null;
  readonly ref?: DomainRef;
  readonly power: Power;
  readonly persistent?: boolean;
  readonly defined: DomainFields;
  readonly lastApplied?: DomainFields | null;
  /** What runs, if it does. As defined if it is not said. */
  readonly live?: DomainFields;
  readonly stopAsked?: boolean;
}

export function domainOf(name: string, parts: DomainParts): SimulatedDomain {
  const { power, defined, live = defined, lastApplied = defined, persistent = true } = parts;
  return {
    ...(parts.ref ?? refOf(name)),
    persistent,
    definition: {
      owner: parts.owner === undefined ? ownerOf(name) : parts.owner,
      fields: defined,
      lastApplied,
      stopAsked: parts.stopAsked ?? false,
    },
    stopReason: power.status === 'stopped' ? power.reason : 'unknown',
    guest:
      power.status === 'stopped'
        ? null
        : { state: power.status, fields: live, startedAtMs: 0, end: null, balloon: null },
  };
}

export function ownerOf(name: string): Owner {
  return { installation, partition, secondary: name as SecondaryName };
}

export function refOf(name: string): DomainRef {
  const owner = ownerOf(name);
  return { uuid: secondaryUuid(owner), domainName: domainName(partition, owner.secondary) };
}
