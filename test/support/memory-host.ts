/**
 * A host in memory behind the same ports, for tests that need speed or faults. It is deliberately
 * simple: what it must get right is checked against the real host by the integration tests.
 */
import { HostError } from '../../src/host/host-error.ts';
import type { Host } from '../../src/host/ports.ts';
import type {
  DomainDefinition,
  DomainFields,
  DomainRef,
  ObservedDomain,
  Power,
} from '../../src/model/domain.ts';
import type { DomainUuid, InstallationId, Owner } from '../../src/model/identity.ts';
import { absent, present, unknown } from '../../src/model/observation.ts';

export interface MemoryDomain extends DomainRef {
  owner: Owner | null;
  power: Power;
  persistent: boolean;
  defined: DomainFields;
  live: DomainFields | null;
  lastApplied: DomainFields | null;
  stopAsked: boolean;
  revision: number;
}

export interface World {
  installation: InstallationId | null;
  domains: Map<DomainUuid, MemoryDomain>;
  files: Set<string>;
}

/** Called before each mutating call; may throw, to fail it, or change the world behind its back. */
export type Interfere = (call: string, ref: DomainRef | null) => void;

export interface MemoryHost extends Host {
  readonly world: World;
  /** Every mutating call, in order: `define unnest.p.web`. */
  readonly writes: string[];
  /** Names of domains whose reading fails. */
  readonly unreadable: Set<string>;
}

export function memoryHost(world: World, interfere: Interfere = () => undefined): MemoryHost {
  const writes: string[] = [];
  const unreadable = new Set<string>();
  const write = (call: string, ref: DomainRef | null) => {
    writes.push(ref === null ? call : `${call} ${ref.domainName}`);
    interfere(call, ref);
  };
  const find = (ref: DomainRef): MemoryDomain => {
    const domain = world.domains.get(ref.uuid);
    if (domain === undefined) throw new HostError('Refused', `no domain ${ref.domainName}`);
    return domain;
  };
  const stop = (domain: MemoryDomain, power: Power) => {
    domain.power = power;
    domain.live = null;
    if (!domain.persistent) world.domains.delete(domain.uuid);
  };
  return {
    world,
    writes,
    unreadable,
    domains: {
      facts: async () => ({ platform: { domainType: 'kvm', machine: 'q35' } }),
      list: async () =>
        [...world.domains.values()].map(({ uuid, domainName }) => ({ uuid, domainName })),
      read: async (refs) =>
        refs.map((ref) => {
          if (unreadable.has(ref.domainName)) return unknown('the test says so');
          const domain = world.domains.get(ref.uuid);
          return domain === undefined ? absent : present(observed(domain));
        }),
      watch: async () => ({ next: async () => undefined, close: () => undefined }),
      console: async function* () {} as never,
      define: async (definition) => {
        write('define', definition);
        define(world, definition);
      },
      undefine: async (ref) => {
        write('undefine', ref);
        const domain = find(ref);
        if (domain.power.status === 'stopped') world.domains.delete(ref.uuid);
        else domain.persistent = false;
      },
      start: async (ref) => {
        write('start', ref);
        const domain = find(ref);
        domain.power = { status: 'running' };
        domain.live = domain.defined;
      },
      resume: async (ref) => {
        write('resume', ref);
        find(ref).power = { status: 'running' };
      },
      shutdown: async (ref) => {
        write('shutdown', ref);
        stop(find(ref), { status: 'stopped', reason: 'guest-shutdown' });
      },
      powerOff: async (ref) => {
        write('powerOff', ref);
        stop(find(ref), { status: 'stopped', reason: 'powered-off' });
      },
      noteStop: async (ref, asked) => {
        write('noteStop', ref);
        const domain = find(ref);
        domain.stopAsked = asked;
        domain.revision += 1;
      },
      setMemory: async (ref, bytes) => {
        write('setMemory', ref);
        const domain = find(ref);
        if (domain.live !== null) domain.live = { ...domain.live, memoryBytes: bytes };
      },
    },
    store: { size: async (_partition, file) => (world.files.has(file) ? present(1) : absent) },
    installation: {
      read: async () => world.installation,
      record: async (id) => {
        write('record', null);
        if (world.installation !== null && world.installation !== id) {
          throw new HostError('Conflict', 'another id is recorded');
        }
        const done = world.installation === null ? 'applied' : 'already';
        world.installation = id;
        return done;
      },
    },
  };
}

function define(world: World, { uuid, domainName, owner, fields }: DomainDefinition): void {
  const clash = [...world.domains.values()].find(
    (d) => d.domainName === domainName && d.uuid !== uuid,
  );
  if (clash !== undefined) throw new HostError('Refused', `${domainName} already exists`);
  const before = world.domains.get(uuid);
  world.domains.set(uuid, {
    uuid,
    domainName,
    owner,
    persistent: true,
    defined: fields,
    power: before?.power ?? { status: 'stopped', reason: 'unknown' },
    live: before?.live ?? null,
    lastApplied: fields,
    stopAsked: before?.stopAsked ?? false,
    revision: (before?.revision ?? 0) + 1,
  });
}

function observed({ revision, ...domain }: MemoryDomain): ObservedDomain {
  return { ...domain, fingerprint: `revision ${revision}` };
}
