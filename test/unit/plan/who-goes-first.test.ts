/** Who gets what there is room for, where it is not enough for all. */
import { describe, expect, test } from 'vitest';
import { fieldsOf } from '../../../src/model/domain.ts';
import { nothingGuaranteed, type Share } from '../../../src/model/share.ts';
import type { Secondary } from '../../../src/model/secondary.ts';
import { amounts } from '../../../src/partition/amounts.ts';
import { MostHolding } from '../../../src/plan/most-holding.ts';
import type { SimulatedDomain } from '../../../src/host/simulated/world.ts';
import { desiredWith, planPass, secondary } from '../../support/passes.ts';
import { domainOf, testHost, worldOf } from '../../support/simulation.ts';

function share(vcpus: number): Share {
  const limits = {
    vcpus,
    memoryBytes: 2 ** 40,
    storageBytes: 0,
    secondaries: 9,
    diskBytesPerSecond: null,
    diskOperationsPerSecond: null,
  };
  return { limits, guarantees: nothingGuaranteed, enforcement: 'Admission' };
}

/** @param there on the host, and none of them runs. @returns who is started, and who is blocked */
function plan(vcpus: number, there: readonly Secondary[], all: readonly Secondary[]) {
  const power = { status: 'stopped', reason: 'crashed' } as const;
  const domains = there.map((each) => domainOf(each.name, { power, defined: fieldsOf(each) }));
  return planOn(domains, vcpus, all);
}

async function planOn(
  domains: readonly SimulatedDomain[],
  vcpus: number,
  all: readonly Secondary[],
) {
  const host = testHost(worldOf({ recorded: true, domains }));
  const { operations, entries } = await planPass(
    host,
    desiredWith({ secondaries: all, share: share(vcpus), primary: null }),
  );
  const named = (pick: readonly { readonly name: string }[]) => pick.map(({ name }) => name);
  return {
    started: named(
      operations.flatMap(({ kind, resource }) =>
        kind === 'domain.start' && resource !== null ? [resource] : [],
      ),
    ),
    blocked: named(entries.flatMap(({ kind, resource }) => (kind === 'blocked' ? [resource] : []))),
  };
}

describe('room for one', () => {
  const [a, b, c] = [secondary('a'), secondary('b'), secondary('c')];

  test('is for the one that is there already, whatever its name', async () => {
    expect(await plan(1, [b], [a, b, c])).toEqual({ started: ['b'], blocked: ['a', 'c'] });
  });

  test('is for the first by name where none is there, or all are', async () => {
    expect(await plan(1, [], [a, b])).toEqual({ started: ['a'], blocked: ['b'] });
    expect(await plan(1, [a, b], [a, b])).toEqual({ started: ['a'], blocked: ['b'] });
  });

  test('is not for one that is there and of no use without a newcomer', async () => {
    const needing = secondary('b', { startAfter: [a.name] });
    expect(await plan(1, [needing], [a, needing])).toEqual({ started: ['a'], blocked: ['b'] });
  });

  test('is not for one that would be restarted for more and is of no use without a newcomer', async () => {
    const needing = secondary('c', { vcpus: 2, updatePolicy: 'Restart', startAfter: [b.name] });
    const before = { ...needing, vcpus: 1, startAfter: [] };
    const running = domainOf('c', { power: { status: 'running' }, defined: fieldsOf(before) });
    const both = await planOn([running], 2, [a, b, needing]);
    expect(both).toEqual({ started: ['a'], blocked: ['b', 'c'] });
  });
});

describe('who has most', () => {
  const holder = (owner: string, vcpus: number) => ({ owner, amounts: amounts({ vcpus }) });
  const ask = (owner: string, vcpus: number) => ({
    owner,
    steps: [{ id: owner, amounts: amounts({ vcpus }), instead: amounts({}) }],
    needs: [],
  });
  const holders = [holder('a', 1), holder('b', 3), holder('c', 2), holder('d', 0)];

  test('is told most first, with how many more there are, and never of whoever asks', () => {
    const holding = new MostHolding(holders, 2);
    expect(holding.besides('z', 'vcpus')).toEqual({
      most: [
        ['b', 3],
        ['c', 2],
      ],
      more: 1,
    });
    expect(holding.besides('b', 'vcpus')).toEqual({
      most: [
        ['c', 2],
        ['a', 1],
      ],
      more: 0,
    });
    expect(holding.besides('z', 'storageBytes')).toEqual({ most: [], more: 0 });
  });

  test('counts what was given meanwhile, by the most that each has had', () => {
    const holding = new MostHolding(holders, 2);
    holding.take(ask('d', 5));
    holding.take(ask('a', 4));
    holding.take(ask('b', 1));
    expect(holding.besides('z', 'vcpus')).toEqual({
      most: [
        ['d', 5],
        ['a', 4],
      ],
      more: 2,
    });
    expect(holding.besides('d', 'vcpus')).toEqual({
      most: [
        ['a', 4],
        ['b', 3],
      ],
      more: 1,
    });
  });
});
