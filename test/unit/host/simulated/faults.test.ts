/** The faults do what their names say: otherwise the properties that use them prove nothing. */
import { describe, expect, test } from 'vitest';
import { HostError } from '../../../../src/host/host-error.ts';
import type { Fault } from '../../../../src/host/simulated/faults.ts';
import { fieldsOf } from '../../../../src/model/domain.ts';
import { secondary } from '../../../support/passes.ts';
import {
  domainNamed,
  domainOf,
  onCall,
  refOf,
  testHost,
  worldOf,
} from '../../../support/simulation.ts';

const { signal } = new AbortController();
const error = new HostError('Unreachable', 'the wire is cut');
const web = refOf('web');

function hostWith(fault: Fault, running = true) {
  const domain = (name: string) =>
    domainOf(name, {
      power: running ? { status: 'running' } : { status: 'stopped', reason: 'unknown' },
      defined: fieldsOf(secondary(name)),
    });
  const world = worldOf({ domains: [domain('web'), domain('db'), domain('api')] });
  const rules = (['read', 'start', 'powerOff', 'noteStop'] as const).map((name) =>
    onCall(name, fault),
  );
  return testHost(world, { rules });
}

describe('a call', () => {
  test('that fails has done nothing', async () => {
    const host = hostWith({ kind: 'error', error });
    await expect(host.domains.powerOff(web, signal)).rejects.toBe(error);
    expect(domainNamed(host, 'web').guest).not.toBeNull();
  });

  test('whose reply is lost has done everything', async () => {
    const host = hostWith({ kind: 'lost-reply', code: 'Timeout' });
    await expect(host.domains.powerOff(web, signal)).rejects.toMatchObject({ code: 'Timeout' });
    expect(domainNamed(host, 'web').guest).toBeNull();
  });

  test('that hangs ends with its signal, and has done nothing', async () => {
    const giveUp = new AbortController();
    const host = hostWith({ kind: 'hang', onHang: () => giveUp.abort() });
    const call = host.domains.powerOff(web, giveUp.signal);
    await expect(call).rejects.toMatchObject({ code: 'Cancelled' });
    expect(domainNamed(host, 'web').guest).not.toBeNull();
  });

  test('comes after what somebody else did meanwhile', async () => {
    const host = hostWith({ kind: 'meanwhile', act: () => host.world.domains.clear() });
    await expect(host.domains.powerOff(web, signal)).rejects.toMatchObject({ code: 'Refused' });
  });
});

describe('half a call', () => {
  const partial = { kind: 'partial', error } as const;

  test('to read knows a part', async () => {
    const host = hostWith(partial);
    const seen = await host.domains.read([web, refOf('db'), refOf('api')], signal);
    expect(seen.map(({ status }) => status)).toEqual(['present', 'unknown', 'unknown']);
  });

  test('to power off is over a second later', async () => {
    const host = hostWith(partial);
    await expect(host.domains.powerOff(web, signal)).rejects.toBe(error);
    expect(domainNamed(host, 'web').guest?.state).toBe('stopping');
    host.clock.advance(1000);
    await host.domains.list(signal);
    expect(domainNamed(host, 'web').guest).toBeNull();
  });

  test('to start leaves a guest that fell', async () => {
    const host = hostWith(partial, false);
    await expect(host.domains.start(web, signal)).rejects.toBe(error);
    expect(domainNamed(host, 'web')).toMatchObject({ guest: null, stopReason: 'failed' });
  });

  test('of any other kind has done everything', async () => {
    const host = hostWith(partial);
    await expect(host.domains.noteStop(web, true, signal)).rejects.toBe(error);
    expect(domainNamed(host, 'web').definition.stopAsked).toBe(true);
  });
});

describe('a crash', () => {
  test.each([
    ['before', true],
    ['after', false],
  ] as const)(
    '%s a call ends every later one of that host, and not the world',
    async (when, runs) => {
      const host = hostWith({ kind: 'crash', when });
      const crashed = { name: 'SimulatedCrash' };
      await expect(host.domains.powerOff(web, signal)).rejects.toMatchObject(crashed);
      expect(domainNamed(host, 'web').guest !== null).toBe(runs);
      await expect(host.domains.undefine(web, signal)).rejects.toMatchObject(crashed);
      await expect(host.installation.read()).rejects.toMatchObject(crashed);
      const next = testHost(host.world);
      await next.domains.undefine(web, signal);
      expect(domainNamed(next, 'db').persistent).toBe(true);
    },
  );

  test('while another call is under way: that one is done, and its reply goes nowhere', async () => {
    const host = testHost(hostWith({ kind: 'error', error }).world, {
      rules: [onCall('noteStop', { kind: 'crash', when: 'before' })],
      latency: ({ name }) => host.clock.sleep(name === 'noteStop' ? 1 : 5, signal),
    });
    const calls = [host.domains.powerOff(web, signal), host.domains.noteStop(web, true, signal)];
    const results = await Promise.allSettled(calls);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});

test('a run without faults tells which calls there are', async () => {
  const host = testHost(hostWith({ kind: 'error', error }).world);
  await host.domains.read([web], signal);
  await host.domains.noteStop(web, true, signal);
  expect(host.faults.calls).toEqual([
    { index: 0, name: 'read', subjects: ['unnest.team-a.web'], writes: false },
    { index: 1, name: 'noteStop', subjects: ['unnest.team-a.web'], writes: true },
  ]);
});
