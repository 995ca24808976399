/** A simulated host in memory, on a clock that stands still until somebody waits for it. */
import type { Call, CallName } from '../../src/host/simulated/calls.ts';
import { type VirtualClock, virtualClock } from '../../src/host/simulated/clock.ts';
import { type Fault, type FaultRule, Faults } from '../../src/host/simulated/faults.ts';
import { type SimulationOptions, simulatedHost } from '../../src/host/simulated/host.ts';
import { keepInMemory } from '../../src/host/simulated/keeper.ts';
import {
  type NetworkSide,
  type SimulatedDomain,
  type SimulatedFilter,
  type SimulatedNetwork,
  type SimulatedPrimary,
  defaultRouteDefault,
  sizeDefault,
  type World,
} from '../../src/host/simulated/world.ts';
import type { Host } from '../../src/host/ports.ts';
import type { AgentState, DomainFields, DomainRef, Power } from '../../src/model/domain.ts';
import { filterFieldsOf, portsOf } from '../../src/model/filter.ts';
import {
  domainName,
  filterTable,
  networkName,
  networkUuid,
  type Owner,
  type PartitionOwner,
  secondaryUuid,
  slicePath,
} from '../../src/model/identity.ts';
import type { ObservedImageDisk } from '../../src/model/image-disk.ts';
import type { ObservedIntake } from '../../src/model/intake.ts';
import type { ImageName, SecondaryName, VolumeName } from '../../src/model/names.ts';
import type { NetworkFields, NetworkRef, Reservation } from '../../src/model/network.ts';
import type { ObservedSeed, SeedName } from '../../src/model/seed.ts';
import type { SliceFields } from '../../src/model/slice.ts';
import type { ObservedImage, ObservedVolume } from '../../src/model/volume.ts';
import { installation, partition } from './passes.ts';
import { networkFields } from './network-fields.ts';

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

/** Spoils every call of a name; with `subject` only those about that one. */
export function onCall(name: CallName, fault: Fault, subject?: string): FaultRule {
  return (call) =>
    call.name === name && (subject === undefined || call.subjects.includes(subject)) ? fault : null;
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

export function unreadableVolume(name: string): FaultRule {
  return onCall('volumes.read', unreadableFault, `volume ${name}`);
}

export function unreadableImage(name: string): FaultRule {
  return onCall('images.read', unreadableFault, `image ${name}`);
}

export function unreadableSeed(name: SeedName): FaultRule {
  return onCall('seeds.read', unreadableFault, `seed ${name}`);
}

export function unreadableFilter(): FaultRule {
  return onCall('filters.find', unreadableFault);
}

export function unreadableNetwork(): FaultRule {
  return onCall('networks.find', unreadableFault);
}

const unreadableFault: Fault = { kind: 'partial', error: new Error('the test says so') };

/** One of the domains that the host has, to look at or to meddle with. */
export function domainNamed(host: TestHost, name: string): SimulatedDomain {
  const domain = host.world.domains.get(refOf(name).uuid);
  if (domain === undefined) throw new Error(`there is no ${name}`);
  return domain;
}

/** 256 MiB to boot with, a device of 512 MiB, two vCPUs; where libvirt puts it. */
export function simulatedPrimary(more: Partial<SimulatedPrimary> = {}): SimulatedPrimary {
  const has = { vcpus: 2, pluggedBytes: 2 ** 29 };
  return {
    uuid: '3e0d1f5c-93a1-4c38-8f0e-6a3f6a1f0001' as SimulatedPrimary['uuid'],
    live: has,
    defined: has,
    vcpusMax: 2,
    vcpusFixed: 1,
    baseBytes: 2 ** 28,
    device: { blockBytes: 2 ** 21, sizeBytes: 2 ** 29 },
    pinnedBy: null,
    translationCacheBytes: 0,
    slicePath: null,
    nextSlicePath: null,
    nics: [{ kind: 'bridge', bridge: 'br0' }],
    plugs: [],
    livePlugs: more.live === null ? null : [],
    lentDisks: [],
    releasesAfterMs: 0,
    release: null,
    unplugging: null,
    ...more,
  };
}

export interface WorldParts {
  readonly recorded?: boolean;
  readonly files?: readonly string[];
  readonly domains?: readonly SimulatedDomain[];
  readonly volumes?: readonly ObservedVolume[];
  readonly images?: readonly ObservedImage[];
  readonly intakes?: readonly ObservedIntake[];
  readonly imageDisk?: ObservedImageDisk;
  readonly seeds?: readonly ObservedSeed[];
  readonly network?: SimulatedNetwork | null;
  /** As it has to be for the network, if it is not said. Null: none is in force. */
  readonly filter?: SimulatedFilter | null;
  readonly slice?: SliceFields | null;
  readonly primaries?: Readonly<Record<string, SimulatedPrimary>>;
}

/** A host after its first apply, with a kernel and a disk in the store. */
export function worldOf({
  recorded = false,
  files = ['vmlinuz', 'root.img'],
  domains = [],
  volumes = [],
  images = [],
  intakes = [],
  imageDisk,
  seeds = [],
  network = null,
  filter = network === null ? null : filterFor(network),
  slice = null,
  primaries = {},
}: WorldParts): World {
  return {
    installation: recorded ? installation : null,
    runs: domains.length,
    files: new Map([[partition, new Map(files.map((file) => [file, anyFile]))]]),
    domains: new Map(domains.map((domain) => [domain.uuid, domain])),
    volumes: new Map([[partition, new Map(volumes.map(({ name, ...more }) => [name, more]))]]),
    images: new Map([[partition, new Map(images.map(({ name, ...more }) => [name, more]))]]),
    intakes: new Map([[partition, new Map(intakes.map(({ name, ...more }) => [name, more]))]]),
    imageDisks: new Map(imageDisk === undefined ? [] : [[partition, { ...imageDisk }]]),
    catalogue: new Map(),
    seeds: new Map([[partition, new Map(seeds.map(({ name, ...more }) => [name, more]))]]),
    networks: new Map(network === null ? [] : [[network.uuid, network]]),
    primaries: new Map(Object.entries(primaries)),
    filters: new Map(filter === null ? [] : [[filterTable(partitionOwner), filter]]),
    slices: new Map(slice === null ? [] : [[slicePath(partitionOwner), slice]]),
    size: sizeDefault,
    defaultRoute: defaultRouteDefault,
  };
}

const anyFile = { bytes: 2 ** 20, digest: null };

const partitionOwner: PartitionOwner = { installation, partition };

/** Ours, ready and empty, where nothing else is said. */
export function volumeOf(name: string, parts: Partial<ObservedVolume> = {}): ObservedVolume {
  return {
    name: name as VolumeName,
    owner: partitionOwner,
    state: 'ready',
    sizeBytes: 2 ** 30,
    format: 'raw',
    origin: null,
    copyOf: null,
    deletionPolicy: 'Retain',
    ...parts,
  };
}

export function imageOf(name: string, parts: Partial<ObservedImage> = {}): ObservedImage {
  return {
    name: name as ImageName,
    owner: partitionOwner,
    state: 'ready',
    digest: digestOf(0),
    format: 'qcow2',
    sizeBytes: 2 ** 20,
    fileBytes: 2 ** 20,
    moved: null,
    ...parts,
  };
}

/** A digest that nothing has, one for each number. */
export function digestOf(number: number): string {
  return `sha256:${number.toString(16).padStart(64, '0')}`;
}

export interface NetworkParts {
  /** Null for somebody else's. */
  readonly owner?: PartitionOwner | null;
  readonly ref?: NetworkRef;
  readonly active?: boolean;
  /** False: it has no definition, and runs. */
  readonly persistent?: boolean;
  readonly fields?: NetworkFields | null;
  readonly lastApplied?: NetworkFields | null;
  readonly reservations?: Readonly<Record<string, Reservation>>;
  /** Of the running network. As in the definition if it is not said. */
  readonly live?: Readonly<Record<string, Reservation>>;
}

export const networkRef: NetworkRef = {
  uuid: networkUuid(partitionOwner),
  networkName: networkName(partition),
};

const natFields: NetworkFields = networkFields({ cidr: '10.20.0.0/24' });

/** That of the tests' partition. */
export function networkOf(parts: NetworkParts = {}): SimulatedNetwork {
  const { active = true, persistent = true, reservations = {}, live = reservations } = parts;
  const side = (reserved: Readonly<Record<string, Reservation>>) => sideOf(parts, reserved);
  return {
    ...(parts.ref ?? networkRef),
    definition: persistent ? side(reservations) : null,
    live: active || !persistent ? side(live) : null,
  };
}

function sideOf(
  { owner = partitionOwner, fields = natFields, lastApplied = fields }: NetworkParts,
  reserved: Readonly<Record<string, Reservation>>,
): NetworkSide {
  const reservations = Object.entries(reserved).map(
    ([name, reservation]) => [name as SecondaryName, { ...reservation, inDns: true }] as const,
  );
  return { owner, fields, lastApplied, reservations: new Map(reservations) };
}

/** What unnest puts in force for a network; null for somebody else's, or none that it knows. */
export function filterFor({ definition, live }: SimulatedNetwork): SimulatedFilter | null {
  const side = live ?? definition;
  const fields = side?.fields ?? side?.lastApplied ?? null;
  if (side === null || side.owner === null || fields === null) return null;
  const agreed = [...side.reservations].filter(
    ([name, { address }]) => live === null || live.reservations.get(name)?.address === address,
  );
  const ports = [...portsOf(new Map(agreed), partitionOwner).values()];
  return { fields: filterFieldsOf(fields), ports };
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
  readonly saved?: boolean;
  readonly runId?: number;
  /** Of the running guest. */
  readonly agent?: AgentState;
  readonly foundReady?: string | null;
  /** Of the running guest; none, as of one that was started before there were any to spare. */
  readonly portsFree?: number;
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
    saved: parts.saved ?? false,
    stopReason: power.status === 'stopped' ? power.reason : 'unknown',
    guest:
      power.status === 'stopped'
        ? null
        : {
            state: power.status,
            fields: live,
            startedAtMs: 0,
            inSlice: live.slice === 'Partition',
            runId: parts.runId ?? 1,
            agent: parts.agent ?? (live.guestAgent ? 'connected' : 'none'),
            agentAtMs: null,
            foundReady: parts.foundReady ?? null,
            end: null,
            balloon: null,
            portsFree: parts.portsFree ?? 0,
            unplugging: [],
          },
  };
}

export function ownerOf(name: string): Owner {
  return { installation, partition, secondary: name as SecondaryName };
}

export function refOf(name: string): DomainRef {
  const owner = ownerOf(name);
  return { uuid: secondaryUuid(owner), domainName: domainName(partition, owner.secondary) };
}
