/**
 * Partitions and their host, whatever operators describe, change and take away: what is promised fits
 * the host, who was promised something keeps it, and nothing depends on the order of files.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { present, unknown } from '../../src/model/observation.ts';
import { type Claim, covers, isNothing, noClaim } from '../../src/partition/claim.ts';
import { sharedCpus } from '../../src/model/cpu-set.ts';
import {
  type Claims,
  type HostFit,
  hostFit,
  type HostFitFacts,
} from '../../src/partition/host-fit.ts';
import { sharedAddresses, subnetOf } from '../../src/model/subnet.ts';
import { anyMoment, type Moment } from './any-claims.ts';
import { runs } from './arbitraries.ts';

const host = present({ cpus: 20, memoryBytes: 20 });
const reserved = { vcpus: 2, memoryBytes: 3 };
const own = { name: 'eth0', cidr: '10.0.1.77/28' };

interface Step {
  readonly facts: HostFitFacts;
  readonly found: HostFit;
}

/** One after the other: what one promises, the next one keeps. */
function story(all: readonly Moment[], hundredths: number): readonly Step[] {
  let promised: Claims = new Map();
  return all.map(({ wanted, held, leftBehind, seniors, isKnown }) => {
    const facts: HostFitFacts = {
      wanted: new Map(wanted),
      promised,
      held: new Map(held),
      leftBehind: new Set(leftBehind),
      seniors: new Set(seniors),
      host: isKnown ? host : unknown('no answer'),
      rules: { reserved, overcommit: { vcpus: hundredths / 100, memory: 1 } },
      addresses: present([own]),
    };
    const found = hostFit(facts);
    promised = found.promised;
    return { facts, found };
  });
}

/** What is promised and is not there, or is promised twice. */
function overlapsIn({ promised }: HostFit, hundredths: number): readonly string[] {
  const all = [...promised.values()];
  const sum = (of: (claim: Claim) => number) => all.reduce((total, each) => total + of(each), 0);
  const wrong: string[] = [];
  if (sum(({ vcpus }) => vcpus) * 100 > 18 * hundredths) wrong.push('vCPUs');
  if (sum(({ memoryBytes }) => memoryBytes) > 17) wrong.push('memory');
  const subnets = [...all.flatMap(({ cidr }) => cidr ?? []), own.cidr].map(subnetOf);
  if (pairs(subnets).some(([a, b]) => sharedAddresses(a, b) > 0)) wrong.push('subnets');
  const cpus = all.flatMap(({ cpuset }) => cpuset ?? []);
  if (pairs(cpus).some(([a, b]) => sharedCpus(a, b) !== '')) wrong.push('CPUs');
  return wrong;
}

function pairs<T>(all: readonly T[]): readonly (readonly [T, T])[] {
  return all.flatMap((a, index) => all.slice(index + 1).map((b) => [a, b] as const));
}

/** Who neither has what it asks for nor a reason, has both, or has lost what it was promised. */
function wrongedIn({ facts, found }: Step): readonly string[] {
  return [...facts.wanted]
    .filter(([name, claim]) => {
      const has = isNothing(claim) || covers(found.promised.get(name) ?? noClaim, claim);
      const why = found.waiting.get(name);
      const had = covers(facts.promised.get(name) ?? noClaim, claim);
      return has !== (why === undefined) || why?.length === 0 || (had && !has);
    })
    .map(([name]) => name);
}

const moments = fc.array(anyMoment, { minLength: 1, maxLength: 12 });
const hundredths = fc.integer({ min: 100, max: 220 });

const every = (check: (step: Step, factor: number) => void) =>
  fc.assert(
    fc.property(moments, hundredths, (all, factor) => {
      for (const step of story(all, factor)) check(step, factor);
    }),
    runs(200),
  );

test('what is promised fits the host, and no two have the same', () => {
  every(({ found }, factor) => expect(overlapsIn(found, factor)).toEqual([]));
  expect.hasAssertions();
});

test('everybody has what it asks for or a reason, and nobody loses a promise', () => {
  every((step) => expect(wrongedIn(step)).toEqual([]));
  expect.hasAssertions();
});

test('neither the order of files nor asking once more changes anything', () => {
  const reversed = <K, V>(map: ReadonlyMap<K, V>) => new Map([...map].toReversed());
  every(({ facts, found }) => {
    const turned = hostFit({
      ...facts,
      wanted: reversed(facts.wanted),
      promised: reversed(facts.promised),
      seniors: new Set([...facts.seniors].toReversed()),
    });
    expect([[...turned.promised], [...turned.waiting]]).toEqual([
      [...found.promised],
      [...found.waiting],
    ]);
    const again = hostFit({ ...facts, promised: found.promised });
    expect([...again.promised]).toEqual([...found.promised]);
  });
  expect.hasAssertions();
});
