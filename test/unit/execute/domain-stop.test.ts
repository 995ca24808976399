/** How a guest is stopped: step by step, and the outcome says by which. */
import { describe, expect, test } from 'vitest';
import { tame, type Temper } from '../../../src/host/simulated/guest.ts';
import { fieldsOf } from '../../../src/model/domain.ts';
import type { Secondary } from '../../../src/model/secondary.ts';
import { describe as wordsFor } from '../../../src/plan/describe.ts';
import { desired, planPass, runPlan, secondary } from '../../support/passes.ts';
import { domainNamed, domainOf, testHost, worldOf } from '../../support/simulation.ts';

const deaf: Partial<Temper> = { stopsAfterMs: null, agentStopsAfterMs: null };

/** The guest is halted by its document. */
async function halting(
  more: Partial<Secondary>,
  temper: Partial<Temper>,
  power: 'running' | 'paused' = 'running',
) {
  const before = secondary('web', { stopGraceMs: 30_000, ...more });
  const domains = [domainOf('web', { power: { status: power }, defined: fieldsOf(before) })];
  const host = testHost(worldOf({ recorded: true, domains }), {
    temperOf: () => ({ ...tame, ...temper }),
  });
  const plan = await planPass(host, desired({ ...before, runPolicy: 'Halted' }));
  const stop = plan.operations.find(({ kind }) => kind === 'domain.stop');
  const { outcomes } = await runPlan(plan, host);
  return {
    host,
    words: stop === undefined ? '' : wordsFor(stop),
    calls: host.writes.map((call) => call.replace(/ .*/, '')).filter((call) => call !== 'define'),
    result: outcomes.find(({ operation }) => operation === stop)?.result,
  };
}

const agent = { guestAgent: true };

describe('a guest is stopped', () => {
  test('by its agent, where it has one; the button is not pressed', async () => {
    const { words, calls, result } = await halting(agent, { stopsAfterMs: null });
    expect(words).toBe('shut down by its agent or its button, power off after 30 s');
    expect(calls).toEqual(['noteStop', 'shutdownByAgent']);
    expect(result).toEqual({ status: 'applied', detail: 'by its guest agent' });
  });

  test('by its button, where it has no channel for an agent', async () => {
    const { words, calls, result } = await halting({}, {});
    expect(words).toBe('shut down, power off after 30 s');
    expect(calls).toEqual(['noteStop', 'shutdown']);
    expect(result).toEqual({ status: 'applied', detail: 'by its power button' });
  });

  test('by its button, at once where its agent does not answer', async () => {
    const { host, calls, result } = await halting(agent, {}, 'paused');
    expect(calls).toEqual(['noteStop', 'shutdownByAgent', 'resume', 'shutdown']);
    expect(result).toEqual({ status: 'applied', detail: 'by its power button' });
    expect(host.clock.now()).toBeLessThan(5000);
  });

  test('by its button, after half of its time, where its agent hears and does nothing', async () => {
    const { host, calls, result } = await halting(agent, { agentStopsAfterMs: null });
    expect(calls).toEqual(['noteStop', 'shutdownByAgent', 'shutdown']);
    expect(result).toEqual({ status: 'applied', detail: 'by its power button' });
    expect(host.clock.now()).toBeGreaterThanOrEqual(15_000);
    expect(host.clock.now()).toBeLessThan(20_000);
  });

  test('by force in the end, once its time is over', async () => {
    const { host, calls, result } = await halting(agent, deaf);
    expect(calls.at(-1)).toBe('powerOff');
    expect(result).toEqual({ status: 'applied', detail: 'powered off' });
    expect(host.clock.now()).toBeGreaterThanOrEqual(30_000);
    expect(host.clock.now()).toBeLessThan(40_000);
  });

  test('by force at once, where it has no time', async () => {
    const { words, calls, result } = await halting({ ...agent, stopGraceMs: 0 }, {});
    expect([words, calls]).toEqual(['power off', ['noteStop', 'powerOff']]);
    expect(result).toEqual({ status: 'applied', detail: 'powered off' });
  });
});

describe('a guest that may not be powered off', () => {
  test('runs on when it does not hear, and the stop has failed for now', async () => {
    const { host, words, calls, result } = await halting({ forceStop: false }, deaf);
    expect(words).toBe('shut down within 30 s, without powering it off');
    expect(calls).not.toContain('powerOff');
    expect(result).toEqual({
      status: 'failed',
      failure: {
        code: 'Timeout',
        retryable: true,
        message:
          'unnest.team-a.web did not shut down in 30 s, and its document forbids powering it off',
      },
    });
    expect(domainNamed(host, 'web').guest?.state).toBe('running');
  });

  test('is not restarted then, and not undefined', async () => {
    const web = secondary('web', { forceStop: false });
    const domains = [domainOf('web', { power: { status: 'running' }, defined: fieldsOf(web) })];
    const host = testHost(worldOf({ recorded: true, domains }), {
      temperOf: () => ({ ...tame, ...deaf }),
    });
    const restart = { ...web, vcpus: 2, updatePolicy: 'Restart' } as const;
    await runPlan(await planPass(host, desired(restart)), host);
    await runPlan(await planPass(host, desired(), true), host);
    expect(domainNamed(host, 'web')).toMatchObject({ persistent: true, guest: { runId: 1 } });
  });

  test('is asked for as long as its document says, even if whoever deletes it gives it no time', async () => {
    const stopOf = async (forceStop: boolean) => {
      const web = secondary('web', { forceStop, stopGraceMs: 30_000 });
      const domains = [domainOf('web', { power: { status: 'running' }, defined: fieldsOf(web) })];
      const host = testHost(worldOf({ recorded: true, domains }));
      const plan = await planPass(host, desired(), true, null, { deletionGraceMs: 0 });
      return plan.operations.find(({ kind }) => kind === 'domain.stop');
    };
    expect(await stopOf(false)).toMatchObject({ graceMs: 30_000, steps: ['acpi'] });
    expect(await stopOf(true)).toMatchObject({ graceMs: 0, steps: ['power-off'] });
  });
});
