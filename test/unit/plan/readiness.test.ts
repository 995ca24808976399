/** `startAfter` means: after those are ready. */
import { describe, expect, test } from 'vitest';
import { fieldsOf } from '../../../src/model/domain.ts';
import type { AgentState } from '../../../src/model/domain.ts';
import type { SecondaryName } from '../../../src/model/names.ts';
import type { Secondary } from '../../../src/model/secondary.ts';
import { applyPass, desired, planPass, runPlan, secondary } from '../../support/passes.ts';
import { networkFields } from '../../support/network-fields.ts';
import type { Watch } from '../../../src/plan/wishes.ts';
import { domainNamed, domainOf, testHost, worldOf } from '../../support/simulation.ts';
import { tame } from '../../../src/host/simulated/guest.ts';

const after = (...names: readonly string[]): Partial<Secondary> => ({
  startAfter: names as readonly SecondaryName[],
});
const byAgent = { guestAgent: true, readiness: 'GuestAgent' } as const;
const db = secondary('db', byAgent);
const wanted = desired(secondary('app', after('db')), db);
const withAgent = (agentAfterMs: number | null) => () => ({ ...tame, agentAfterMs });
const dbThat = (agent: AgentState, live: Partial<Secondary> = byAgent) =>
  worldOf({
    recorded: true,
    domains: [
      domainOf('db', {
        power: { status: 'running' },
        agent,
        defined: fieldsOf(db),
        live: fieldsOf(secondary('db', live)),
      }),
    ],
  });

describe('a dependency that is ready once its agent answers', () => {
  test('is waited for between its start and the start of those after it', async () => {
    const host = testHost(worldOf({ recorded: true }), { temperOf: withAgent(5000) });
    const plan = await planPass(host, wanted);
    const starts = plan.operations.filter(({ phase }) => phase === 'acquire');
    expect(starts.map(({ id, after: first }) => [id, first])).toEqual([
      ['domain.start/db', ['domain.define/db']],
      ['domain.await-ready/db', ['domain.start/db']],
      ['domain.start/app', ['domain.define/app', 'domain.start/db', 'domain.await-ready/db']],
    ]);
    expect(plan.entries.find(({ resource }) => resource.name === 'db')).toMatchObject({
      operations: ['domain.define/db', 'domain.start/db', 'domain.await-ready/db'],
    });
    const seen: string[] = [];
    await runPlan(plan, host, {
      onOutcome: ({ operation, result }) => {
        if (operation.id === 'domain.start/app')
          seen.push(domainNamed(host, 'db').guest?.agent ?? '');
        if (operation.id === 'domain.await-ready/db') seen.push(result.status);
      },
    });
    expect(seen).toEqual(['applied', 'connected']);
    expect((await planPass(host, wanted)).operations).toEqual([]);
  });

  test('is not waited for where nobody starts after it', async () => {
    const plan = await planPass(testHost(), desired(db));
    expect(plan.operations.map(({ kind }) => kind)).not.toContain('domain.await-ready');
  });

  test('fails those that wait when its agent never answers, and it runs on', async () => {
    const host = testHost(worldOf({ recorded: true }), { temperOf: withAgent(null) });
    const { outcomes } = await applyPass(host, wanted);
    const resultOf = (id: string) => outcomes.find(({ operation }) => operation.id === id)?.result;
    expect(resultOf('domain.await-ready/db')).toMatchObject({
      failure: { code: 'Timeout', retryable: true, message: expect.stringContaining('180 s') },
    });
    expect(resultOf('domain.start/app')).toMatchObject({
      status: 'skipped',
      because: 'domain.await-ready/db',
    });
    expect(domainNamed(host, 'db').guest?.state).toBe('running');
    const [blocked] = (await planPass(host, wanted)).entries;
    expect(blocked).toMatchObject({
      kind: 'blocked',
      block: {
        code: 'StartAfterUnmet',
        message:
          'it starts after db, which runs and is not ready yet: it waits for an answer of its guest agent',
      },
    });
  });

  test('that stops while it is waited for ends the waiting at once', async () => {
    const temperOf = () => ({ ...tame, endsAfterMs: 3000 });
    const host = testHost(worldOf({ recorded: true }), { temperOf });
    const { outcomes } = await applyPass(host, wanted);
    const result = outcomes.find(
      ({ operation }) => operation.kind === 'domain.await-ready',
    )?.result;
    expect(result).toMatchObject({ failure: { code: 'Conflict', retryable: true } });
    expect(host.clock.now()).toBeLessThan(10_000);
  });

  test.each([
    ['disconnected', byAgent, 'waits for an answer'],
    ['none', {}, 'without a channel'],
  ] as const)('and runs with its agent %s is not ready', async (agent, live, message) => {
    const plan = await planPass(testHost(dbThat(agent, live)), wanted);
    expect(plan.entries[0]).toMatchObject({
      kind: 'blocked',
      block: { code: 'StartAfterUnmet', message: expect.stringContaining(message) },
    });
    expect(plan.operations.map(({ kind }) => kind)).not.toContain('domain.await-ready');
  });

  test('and runs with its agent connected is ready, and not waited for', async () => {
    const plan = await planPass(testHost(dbThat('connected')), wanted);
    expect(plan.operations.map(({ id }) => id)).toEqual(['domain.define/app', 'domain.start/app']);
  });

  test('is waited for after a restart too', async () => {
    const restarting = secondary('db', { ...byAgent, vcpus: 2, updatePolicy: 'Restart' });
    const host = testHost(dbThat('connected'), { temperOf: withAgent(1000) });
    const plan = await planPass(host, desired(secondary('app', after('db')), restarting));
    const [first, ...more] = plan.operations.filter(({ phase }) => phase === 'acquire');
    expect([first?.id, first?.after]).toEqual(['domain.await-ready/db', ['domain.start/db']]);
    expect(more.at(-1)?.after).toContain('domain.await-ready/db');
    const { outcomes } = await runPlan(plan, host);
    expect(outcomes.map(({ result }) => result.status)).not.toContain('failed');
  });
});

describe.each([
  ['TcpPort:5432', { network: 'Partition', readiness: 'TcpPort', readinessPort: 5432 }],
  ['Heartbeat', { readiness: 'Heartbeat' }],
] as const)('a dependency that unnestd finds ready (%s)', (check, more) => {
  const dependency = secondary('db', more);
  const all = {
    ...desired(secondary('app', after('db')), dependency),
    network: networkFields({ cidr: '10.20.0.0/24' }),
  };
  const world = (live: Partial<Secondary>, foundReady: string | null) => {
    const defined = fieldsOf(dependency);
    const parts = { power: { status: 'running' }, defined, foundReady } as const;
    return worldOf({
      recorded: true,
      domains: [domainOf('db', { ...parts, live: fieldsOf(secondary('db', live)) })],
    });
  };
  const planWith = (host: ReturnType<typeof testHost>, watch: Watch) =>
    planPass(host, all, false, null, { watch });
  const words = async (host: ReturnType<typeof testHost>, watch: Watch) => {
    const { entries } = await planWith(host, watch);
    const app = entries.find(({ resource }) => resource.name === 'app');
    return app?.kind === 'blocked' ? app.block.message : app?.kind;
  };

  test('is waited for in the plan that starts it', async () => {
    const { operations } = await planWith(testHost(), 'by-unnestd');
    expect(operations.find(({ kind }) => kind === 'domain.await-ready')).toMatchObject({ check });
    expect(operations.find(({ id }) => id === 'domain.start/app')?.after).toContain(
      'domain.await-ready/db',
    );
  });

  test('is none where nobody would find it ready, whether it runs or not', async () => {
    const said = expect.stringContaining('only unnestd can find ready');
    expect(await words(testHost(), 'by-nobody')).toEqual(said);
    expect(await words(testHost(world(more, null)), 'by-nobody')).toEqual(said);
  });

  test('runs and was found ready, whoever looks', async () => {
    for (const watch of ['by-unnestd', 'by-nobody'] as const) {
      expect(await words(testHost(world(more, check)), watch)).toBe('create');
    }
  });

  test.each([
    ['was not found ready', more, null, 'runs and is not ready yet: it waits for'],
    ['has passed another check', more, 'GuestAgent', 'runs and is not ready yet'],
    ['lacks what it needs', { readiness: 'Running' }, null, 'until its next start'],
  ] as const)('runs and %s', async (_what, live, found, message) => {
    const host = testHost(world(live, found));
    expect(await words(host, 'by-unnestd')).toEqual(expect.stringContaining(message));
  });
});
