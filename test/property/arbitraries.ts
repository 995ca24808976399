/** Any documents, any host, any guests: what the properties of passes are tried on. */
import fc from 'fast-check';
import type { Fault } from '../../src/host/simulated/faults.ts';
import { tame, type Temper } from '../../src/host/simulated/guest.ts';
import type {
  NetworkSide,
  SimulatedDomain,
  SimulatedVolume,
  World,
} from '../../src/host/simulated/world.ts';
import { HostError } from '../../src/host/host-error.ts';
import { type DomainFields, fieldsOf, type Power } from '../../src/model/domain.ts';
import type { DomainUuid } from '../../src/model/identity.ts';
import type { SecondaryName } from '../../src/model/names.ts';
import {
  type DesiredState,
  RUN_POLICIES,
  type Secondary,
  UPDATE_POLICIES,
} from '../../src/model/secondary.ts';
import { type Image, useOf } from '../../src/model/volume.ts';
import { desiredWith, partition, secondary } from '../support/passes.ts';
import { anySeedContents, contentsFor, seedFor } from '../support/seeds.ts';
import { domainOf, refOf, worldOf } from '../support/simulation.ts';
import {
  anyImages,
  anyFilterThere,
  anyNetworkThere,
  anyNetworkWanted,
  anyStoredThere,
  anyVolumesOn,
  bootImageNames,
  volumeNames,
} from './any-stored.ts';

const MiB = 2 ** 20;
export const names = ['a', 'b', 'c', 'd', 'e'];

/** `UNNEST_PROPERTY_RUNS=100` runs a hundred times as many cases. */
export function runs(numRuns: number): { readonly numRuns: number } {
  return { numRuns: numRuns * Number(process.env['UNNEST_PROPERTY_RUNS'] ?? 1) };
}

/** For tests whose cases somebody may multiply. */
export const soakMs = 3_600_000;

const disk = { kind: 'disk', file: 'root.img', format: 'raw' } as Secondary['boot'];

const bootOf = (kernel: string, initrd: string | null) =>
  ({ kind: 'kernelImage', kernel, initrd, commandLine: 'quiet' }) as Secondary['boot'];

/** With those of the Images that there are documents of. */
function bootedBy(images: readonly Image[]): Secondary['boot'] | null {
  const named = new Set<string>(images.map(({ name }) => name));
  const { bzImage, initrd } = bootImageNames;
  if (!named.has(bzImage)) return null;
  return bootOf(bzImage, named.has(initrd) ? initrd : null);
}

const anySecondary = (name: string): fc.Arbitrary<Secondary> =>
  fc
    .record({
      vcpus: fc.integer({ min: 1, max: 3 }),
      memoryBytes: fc.constantFrom(64 * MiB, 128 * MiB, 256 * MiB),
      boot: fc.constantFrom(secondary('x').boot, disk),
      serialConsole: fc.boolean(),
      seed: fc.option(fc.constantFrom(...anySeedContents)),
      agent: fc.constantFrom('none', 'there', 'awaited'),
      tried: fc.constantFrom(null, null, 'TcpPort', 'Heartbeat'),
      runPolicy: fc.constantFrom(...RUN_POLICIES),
      updatePolicy: fc.constantFrom(...UPDATE_POLICIES),
      stopGraceMs: fc.constantFrom(0, 1000, 12_000),
      protect: fc.boolean(),
    })
    .map(({ agent, tried, seed, ...overrides }) =>
      secondary(name, {
        ...overrides,
        seed: seed === null ? null : seedFor(name, seed),
        guestAgent: agent !== 'none',
        readiness: tried ?? (agent === 'awaited' ? 'GuestAgent' : 'Running'),
        readinessPort: tried === 'TcpPort' ? 80 : null,
      }),
    );

const anySecondaries: fc.Arbitrary<readonly Secondary[]> = fc
  .subarray(names)
  .chain((chosen) =>
    fc.tuple(
      fc.tuple(...chosen.map(anySecondary)),
      fc.tuple(...chosen.map((_, index) => fc.subarray(chosen.slice(0, index)))),
    ),
  )
  .map(([secondaries, before]) => {
    const awaited = new Set<string>(before.flat());
    return secondaries.map((each, index) => ({
      ...each,
      ...(awaited.has(each.name) ? withoutWitness(each) : {}),
      // Only those before it, so that there is no cycle.
      startAfter: (before[index] ?? []) as SecondaryName[],
    }));
  });

/** A pass by itself hears no heartbeat and tries no port, so that whoever waits for that waits for ever. */
function withoutWitness({ readiness, readinessPort }: Secondary): Partial<Secondary> {
  return readiness === 'TcpPort' || readiness === 'Heartbeat'
    ? { readiness: 'Running', readinessPort: null }
    : { readiness, readinessPort };
}

/** Half of all cases are about Secondaries alone, as most documents are. */
export const anyDesired: fc.Arbitrary<DesiredState> = fc.oneof(
  anySecondaries.map((secondaries) =>
    desiredWith({ secondaries, seedContents: contentsFor(names) }),
  ),
  anyImages
    .chain((images) =>
      fc.record({
        secondaries: anySecondaries,
        images: fc.constant(images),
        volumes: anyVolumesOn(images),
        network: anyNetworkWanted,
        // Whose each Volume is, and who has a NIC, by their place in the list.
        users: fc.tuple(...volumeNames.map(() => fc.nat(names.length))),
        nics: fc.array(fc.boolean(), { minLength: names.length, maxLength: names.length }),
        // Who boots a kernel that is an Image, the same way.
        boots: fc.array(fc.boolean(), { minLength: names.length, maxLength: names.length }),
      }),
    )
    .map(({ users, nics, boots, ...parts }) => {
      const secondaries = parts.secondaries.map((each, index) => ({
        ...each,
        boot: (boots[index] ? bootedBy(parts.images) : null) ?? each.boot,
        disks: parts.volumes.filter((_, at) => users[at] === index).map(useOf),
        // Documents that describe no network let nobody ask for one.
        network: nics[index] && parts.network !== null ? ('Partition' as const) : ('None' as const),
      }));
      return desiredWith({ ...parts, secondaries, seedContents: contentsFor(names) });
    }),
);

const anyPower: fc.Arbitrary<Power> = fc.oneof(
  fc.constant<Power>({ status: 'running' }),
  fc.constant<Power>({ status: 'paused' }),
  fc
    .constantFrom('guest-shutdown', 'powered-off', 'crashed', 'failed', 'unknown')
    .map((reason): Power => ({ status: 'stopped', reason: reason as never })),
);

const anyFields = (name: string): fc.Arbitrary<DomainFields> =>
  fc
    .record({
      secondary: anySecondary(name),
      volumes: fc.oneof(
        fc.constantFrom('', '', 'v1:qcow2:i0:raw,v2:raw'),
        fc.subarray(volumeNames).map((all) => all.map((each) => `${each}:raw`).join(',')),
      ),
      network: fc.constantFrom('None', 'None', 'Partition'),
      boot: fc.constantFrom(
        null,
        null,
        bootOf(bootImageNames.bzImage, null),
        bootOf(bootImageNames.bzImage, bootImageNames.initrd),
      ),
    })
    .map(({ secondary: each, boot, ...fields }) => ({
      ...fieldsOf({ ...each, boot: boot ?? each.boot }),
      ...fields,
    }));

const anyDomain = (name: string): fc.Arbitrary<SimulatedDomain> =>
  fc
    .record({
      power: anyPower,
      persistent: fc.boolean(),
      foreign: fc.boolean(),
      stopAsked: fc.boolean(),
      saved: fc.constantFrom(false, false, true),
      lastApplied: fc.option(anyFields(name)),
      defined: anyFields(name),
      live: anyFields(name),
      portsFree: fc.nat(3),
    })
    .map(({ foreign, persistent, saved, ...parts }) =>
      domainOf(name, {
        ...parts,
        // Its memory is, and so it does not run.
        saved: saved && parts.power.status === 'stopped',
        // A transient domain exists only while it runs.
        persistent: persistent || parts.power.status === 'stopped',
        ...(foreign ? { owner: null, ref: { ...refOf(name), uuid: foreignUuid(name) } } : {}),
      }),
    );

function foreignUuid(name: string): DomainUuid {
  return `00000000-0000-4000-8000-00000000000${names.indexOf(name)}` as DomainUuid;
}

export const anyWorld: fc.Arbitrary<World> = fc
  .subarray(names)
  .chain((chosen) =>
    fc.record({
      recorded: fc.boolean(),
      domains: fc.tuple(...chosen.map(anyDomain)),
      stored: fc.option(
        fc.record({
          kept: anyStoredThere(names),
          network: anyNetworkThere(names),
          filter: anyFilterThere,
        }),
      ),
    }),
  )
  .map(({ recorded, domains, stored }) =>
    // Where something is ours, the id that it derives from was written down before.
    worldOf({
      recorded:
        recorded || stored !== null || domains.some(({ definition }) => definition.owner !== null),
      domains: domains.reduce(withOwnDisks, []),
      ...stored?.kept,
      network: stored?.network ?? null,
      ...(stored === null || stored.filter === 'right' ? {} : { filter: stored.filter }),
    }),
  )
  .map((world) => {
    world.filters.set(foreignTable, { fields: null, ports: [] });
    return withStoredDisks(world);
  });

/** Another partition's. */
const foreignTable = 'un_ffffffffffff';

/** No disk is in two guests that run: QEMU's lock sees to that. */
function withOwnDisks(
  before: readonly SimulatedDomain[],
  domain: SimulatedDomain,
): readonly SimulatedDomain[] {
  if (domain.guest === null) return [...before, domain];
  const taken = before.flatMap(({ guest }) => guest?.fields.volumes.split(',') ?? []);
  const volumes = domain.guest.fields.volumes
    .split(',')
    .filter((use) => !taken.some((other) => nameIn(other) === nameIn(use)))
    .join(',');
  return [
    ...before,
    { ...domain, guest: { ...domain.guest, fields: { ...domain.guest.fields, volumes } } },
  ];
}

/**
 * Of a running guest whose data somebody has deleted under it, its name is all that is left: what is made
 * anew by that name is another file, which a simulated guest does not know. Nor has any guest what is half made.
 */
function withStoredDisks(world: World): World {
  const stored: ReadonlyMap<string, SimulatedVolume> = world.volumes.get(partition) ?? new Map();
  for (const { guest } of world.domains.values()) {
    if (guest === null) continue;
    const uses = guest.fields.volumes
      .split(',')
      .filter((use) => stored.get(nameIn(use))?.state === 'ready');
    guest.fields = { ...guest.fields, volumes: uses.join(',') };
  }
  return world;
}

function nameIn(use: string): string {
  return use.replace(/:.*/, '');
}

export type Tempers = ReadonlyMap<SecondaryName, Temper>;

const anyTemper: fc.Arbitrary<Temper> = fc.record({
  stopsAfterMs: fc.constantFrom(0, 20, 700, 3000, null),
  endsAfterMs: fc.constant(null),
  balloonMs: fc.constantFrom(0, 20, 5000),
  unplugsAfterMs: fc.constantFrom(0, 20, 5000),
  // Who has to be waited for is for later passes, which no property waits for.
  agentAfterMs: fc.constant(0),
  agentStopsAfterMs: fc.constantFrom(0, 700, 3000, null),
});

/** Guests that live until somebody stops them, and whose balloons reach their goal. */
export const anyTempers: fc.Arbitrary<Tempers> = fc
  .tuple(...names.map(() => anyTemper))
  .map((tempers) => new Map(tempers.map((each, at) => [names[at] as SecondaryName, each])));

export function temperIn(tempers: Tempers) {
  return (_fields: DomainFields, domainName: string): Temper =>
    tempers.get(domainName.replace(/^.*\./, '') as SecondaryName) ?? tame;
}

const wire = () => new HostError('Unreachable', 'the wire is cut');

/** Everything but a crash, and nothing that needs somebody to end it. */
export const anyFault: fc.Arbitrary<Fault> = fc.constantFrom<Fault>(
  { kind: 'error', error: wire() },
  { kind: 'error', error: new HostError('Refused', 'not today') },
  { kind: 'partial', error: wire() },
  { kind: 'lost-reply', code: 'Timeout' },
  { kind: 'lost-reply', code: 'Unreachable' },
);

/** Everything that somebody else has made. */
export function foreignOf({ domains, networks, ...stored }: World): readonly unknown[] {
  const theirs = <T extends { readonly owner: unknown }>(all: ReadonlyMap<string, T> = new Map()) =>
    [...all].filter(([, { owner }]) => owner === null);
  return [
    ...[...domains.values()].filter(({ definition }) => definition.owner === null),
    ...[...networks.values()].filter(
      ({ definition, live }) => (definition ?? live)?.owner === null,
    ),
    ...theirs(stored.volumes.get(partition)),
    ...theirs(stored.images.get(partition)),
    ...theirs(stored.intakes.get(partition)),
    ...theirs(stored.seeds.get(partition)),
    stored.filters.get(foreignTable),
  ];
}

/** Whose each domain is, for all that are ours. */
export function ownersOf({ domains }: World): readonly string[] {
  return [...domains.values()].flatMap(({ definition: { owner } }) =>
    owner === null ? [] : [`${owner.partition}/${owner.secondary}`],
  );
}

/**
 * What matters of a world. Not which address somebody has: it depends on who had given one back
 * before. Not when a guest was started; and not how it was stopped where somebody
 * stopped it, since a slow guest is overtaken by its grace period or not.
 */
export function summary(world: World): unknown {
  const { installation, domains, networks, filters, volumes, intakes, images, seeds } = world;
  const byKey = <T>(
    all: ReadonlyMap<string, T> = new Map(),
    what: (value: T) => unknown = (value) => value,
  ) =>
    Object.fromEntries(
      [...all].sort(([a], [b]) => a.localeCompare(b)).map(([key, value]) => [key, what(value)]),
    );
  return {
    installation,
    volumes: byKey(volumes.get(partition)),
    images: byKey(images.get(partition)),
    intakes: byKey(intakes.get(partition)),
    seeds: byKey(seeds.get(partition)),
    networks: [...networks.values()].map(({ definition, live, ...ref }) => ({
      ...ref,
      definition: definition && sideSummary(definition),
      live: live && sideSummary(live),
    })),
    filters: byKey(filters, ({ fields, ports }) => [fields, ports.map(({ tap }) => tap).sort()]),
    domains: [...domains.values()]
      .map(({ guest, stopReason: _reason, ...rest }) => ({
        ...rest,
        guest: guest === null ? null : { state: guest.state, fields: guest.fields },
      }))
      .sort((a, b) => a.uuid.localeCompare(b.uuid)),
  };
}

function sideSummary({ reservations, ...rest }: NetworkSide): unknown {
  return {
    ...rest,
    reservations: [...reservations].map(([name, { mac }]) => `${name} ${mac}`).sort(),
  };
}
