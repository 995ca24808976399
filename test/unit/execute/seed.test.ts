/** A seed is made of what the documents hold, and never of what only a plan says. */
import { describe, expect, test } from 'vitest';
import type { FaultRule } from '../../../src/host/simulated/faults.ts';
import { fieldsOf } from '../../../src/model/domain.ts';
import { nothingGuaranteed } from '../../../src/model/share.ts';
import { desired, desiredWith, planPass, runPlan, secondary } from '../../support/passes.ts';
import { cloudInit, observedSeed, seedFor } from '../../support/seeds.ts';
import { domainOf, onCall, testHost, unreadableSeed, worldOf } from '../../support/simulation.ts';

const content = cloudInit('web', 'hunter2');
const seed = seedFor('web', content);
const web = desired(secondary('web', { seed }));
const plan = () => planPass(testHost(worldOf({ recorded: true })), web, true);

test('no plan holds a secret', async () => {
  expect(JSON.stringify(await plan())).not.toContain('hunter2');
});

describe('a seed', () => {
  test('is made before its guest starts', async () => {
    const host = testHost(worldOf({ recorded: true }));
    const { outcomes } = await runPlan(await plan(), host, {
      seedContents: new Map([[seed.name, content]]),
    });
    expect(outcomes.map(({ result }) => result.status)).toEqual(['applied', 'applied', 'applied']);
    expect(host.writes).toEqual([
      'define unnest.team-a.web',
      `seeds.create seed ${seed.name}`,
      'start unnest.team-a.web',
    ]);
    expect((await planPass(host, web, true)).operations).toEqual([]);
  });

  test.each([
    ['nobody knows what it holds', new Map()],
    ['somebody says that it holds something else', new Map([[seed.name, cloudInit('web', 'x')]])],
  ])('is not made where %s, and its guest does not start', async (_why, seedContents) => {
    const host = testHost(worldOf({ recorded: true }));
    const { outcomes } = await runPlan(await plan(), host, { seedContents });
    expect(outcomes.map(({ result }) => result.status)).toEqual(['applied', 'failed', 'skipped']);
    expect(host.writes).toEqual(['define unnest.team-a.web']);
    expect(JSON.stringify(outcomes)).not.toContain('hunter2');
  });

  test('that cannot be read keeps its guest from starting, and is not made anew', async () => {
    const host = testHost(worldOf({ recorded: true, seeds: [observedSeed(seed)] }), {
      rules: [unreadableSeed(seed.name)],
    });
    const { entries, operations } = await planPass(host, web, true);
    expect(operations).toEqual([]);
    expect(entries).toMatchObject([
      { kind: 'blocked', block: { code: 'HostUnknown' } },
      { kind: 'blocked', block: { code: 'PartBlocked' } },
    ]);
  });

  test('of somebody else is left alone', async () => {
    const host = testHost(
      worldOf({ recorded: true, seeds: [observedSeed(seed, { owner: null })] }),
    );
    const { entries, operations } = await planPass(host, web, true);
    expect(operations).toEqual([]);
    expect(entries).toMatchObject([{ block: { code: 'NameTaken' } }, { kind: 'blocked' }]);
  });
});

describe('one that is replaced', () => {
  const old = seedFor('web', cloudInit('web', 'before'));
  const before = secondary('web', { seed: old, updatePolicy: 'Restart' });
  const after = desired(secondary('web', { seed, updatePolicy: 'Restart' }));
  const seedContents = new Map([[seed.name, content]]);
  const running = (rules: readonly FaultRule[] = []) =>
    testHost(
      worldOf({
        recorded: true,
        seeds: [observedSeed(old)],
        domains: [domainOf('web', { power: { status: 'running' }, defined: fieldsOf(before) })],
      }),
      { rules },
    );

  test('goes once its guest has come up with the other', async () => {
    const host = running();
    await runPlan(await planPass(host, after, true), host, { seedContents });
    const order = host.writes.filter((write) => /^(?:seeds|start|powerOff)/.test(write));
    expect(order.at(0)).toBe(`seeds.create seed ${seed.name}`);
    expect(order.slice(-2)).toEqual(['start unnest.team-a.web', `seeds.delete seed ${old.name}`]);
    expect((await planPass(host, after, true)).operations).toEqual([]);
  });

  test('and comes back under its guest, half deleted, is made over without waiting for itself', async () => {
    const world = worldOf({
      recorded: true,
      seeds: [observedSeed(seed, { state: 'deleting' })],
      domains: [
        domainOf('web', {
          power: { status: 'running' },
          defined: fieldsOf(secondary('web', { seed, vcpus: 2 })),
        }),
      ],
    });
    const host = testHost(world);
    await runPlan(await planPass(host, after, true), host, { seedContents });
    expect((await planPass(host, after, true)).operations).toEqual([]);
  });

  test('stays where that one could not be made, and the guest runs on', async () => {
    const fault = { kind: 'error', error: new Error('full') } as const;
    const host = running([onCall('seeds.create', fault)]);
    await runPlan(await planPass(host, after, true), host, { seedContents });
    expect(host.writes.filter((write) => !/^(?:define|noteStop|seeds.create)/.test(write))).toEqual(
      [],
    );
  });
});

test('what there is no room for is said, and its guest waits', async () => {
  const limits = { ...plenty, storageBytes: seed.sizeBytes - 1 };
  const share = { limits, guarantees: nothingGuaranteed, enforcement: 'Admission' } as const;
  const wanted = desiredWith({ secondaries: [secondary('web', { seed })], share, primary: null });
  const host = testHost(worldOf({ recorded: true }));
  const { entries, operations } = await planPass(host, wanted, true);
  expect(operations).toEqual([]);
  expect(entries).toMatchObject([
    { resource: { kind: 'seed' }, block: { code: 'OverBudget' } },
    { resource: { kind: 'secondary' }, block: { code: 'PartBlocked' } },
  ]);
});

const plenty = {
  vcpus: 9,
  memoryBytes: 2 ** 40,
  secondaries: 9,
  diskBytesPerSecond: null,
  diskOperationsPerSecond: null,
};
