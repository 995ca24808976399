/** Seeds: wanted against kept. One is as its name says, so that nothing about it can differ. */
import type { DomainFields, Observed, ObservedDomain } from '../model/domain.ts';
import { byName, type SecondaryName } from '../model/names.ts';
import type { DesiredState } from '../model/secondary.ts';
import { digestIn, type Seed, seedNamed, type SeedName } from '../model/seed.ts';
import type { SeedChange } from './change.ts';
import type { FieldChange } from './fields.ts';
import { blocked, foreignBlock, looked } from './ownership.ts';

export function diffSeeds(desired: DesiredState, observed: Observed): readonly SeedChange[] {
  const wanted = new Map(
    [...desired.secondaries.values()].flatMap(({ seed }) =>
      seed === null ? [] : [[seed.name, seed] as const],
    ),
  );
  const names = new Set([...wanted.keys(), ...observed.seeds.keys()]);
  return [...names].sort(byName).flatMap((name) => {
    const seed = wanted.get(name);
    return seed === undefined ? unwanted(name, observed) : [wantedChange(seed, observed)];
  });
}

function unwanted(name: SeedName, observed: Observed): SeedChange[] {
  const seen = looked(observed.seeds.get(name));
  if (seen.status === 'absent') return [];
  if (seen.status === 'unknown') return [blocked(name, 'HostUnknown', seen.why)];
  if (foreignBlock(`seed ${name}`, seen.value.owner, observed) !== null) return [];
  // Whether any guest still has it when its turn comes, the plan knows.
  return [{ kind: 'delete', name, observed: seen.value }];
}

function wantedChange(seed: Seed, observed: Observed): SeedChange {
  const { name } = seed;
  const seen = looked(observed.seeds.get(name));
  if (seen.status === 'unknown') return blocked(name, 'HostUnknown', seen.why);
  if (seen.status === 'absent') return { kind: 'create', name, seed, remains: null };
  const block = foreignBlock(`seed ${name}`, seen.value.owner, observed);
  if (block !== null) return { kind: 'blocked', name, block };
  return seen.value.state === 'ready'
    ? { kind: 'unchanged', name, observed: seen.value }
    : { kind: 'create', name, seed, remains: seen.value };
}

/** What a new seed is, as a plan shows it. */
export function seedFields({ name, form }: Seed): readonly FieldChange[] {
  const path = form === 'ignition' ? 'spec.ignition' : 'spec.cloudInit';
  const to = digestIn(name);
  return [{ field: 'digest', path, from: null, to, impact: 'none', origin: 'document' }];
}

/** The seeds that a domain has, in its definition or running. */
export function seedsOf(name: SecondaryName, domain: ObservedDomain): readonly SeedName[] {
  const { defined, live } = domain;
  return [defined, live].flatMap((fields) => (fields === null ? [] : seedsIn(name, fields)));
}

function seedsIn(name: SecondaryName, { cloudInit, ignition }: DomainFields): readonly SeedName[] {
  return [cloudInit, ignition].flatMap((digest) => seedNamed(name, digest) ?? []);
}
