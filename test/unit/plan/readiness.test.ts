/** `startAfter` means: after those are ready. */
import { describe, expect, test } from 'vitest';
import { fieldsOf } from '../../../src/model/domain.ts';
import type { AgentState } from '../../../src/model/domain.ts';
import type { SecondaryName } from '../../../src/model/names.ts';
import type { Secondary } from '../../../src/model/secondary.ts';
import { applyPass, desired, planPass, runPlan, secondary } from '../../support/passes.ts';
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
          'it starts after db, which runs and is not ready yet: its guest agent does not answer',
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
    ['disconnected', byAgent, 'does not answer'],
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
