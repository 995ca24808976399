import { describe, expect, test } from 'vitest';
import { HostError } from '../../../src/host/host-error.ts';
import { type Interfere, memoryHost, type World } from '../../support/memory-host.ts';
import { applyPass, desired, planPass, runPlan, secondary } from '../../support/passes.ts';

function world(): World {
  return { installation: null, domains: new Map(), files: new Set(['vmlinuz']) };
}

const statuses = (report: Awaited<ReturnType<typeof runPlan>>) =>
  report.outcomes.map(({ operation, result }) => `${operation.id} ${result.status}`);

/** A host whose calls fail as the test says: `start unnest.team-a.web` -> error. */
function failing(calls: Readonly<Record<string, Error>>): Interfere {
  return (call, ref) => {
    const error = calls[`${call} ${ref?.domainName ?? ''}`.trim()];
    if (error !== undefined) throw error;
  };
}

describe('a plan is carried out', () => {
  test('and afterwards there is nothing left to do, and nothing is written', async () => {
    const host = memoryHost(world());
    const wanted = desired(secondary('web'), secondary('db', { runPolicy: 'Halted' }));
    expect(statuses(await applyPass(host, wanted))).toEqual([
      'installation.record applied',
      'domain.define/db applied',
      'domain.define/web applied',
      'domain.start/web applied',
    ]);
    const writes = host.writes.length;
    expect((await planPass(host, wanted)).operations).toEqual([]);
    await applyPass(host, wanted);
    expect(host.writes).toHaveLength(writes);
  });

  test('twice over, since each operation is idempotent', async () => {
    const host = memoryHost(world());
    const plan = await planPass(host, desired(secondary('web')));
    await runPlan(plan, host);
    expect(statuses(await runPlan(plan, host))).toEqual([
      'installation.record already',
      'domain.define/web already',
      'domain.start/web already',
    ]);
  });

  test('deletion stops and removes', async () => {
    const host = memoryHost(world());
    await applyPass(host, desired(secondary('web')));
    expect(statuses(await applyPass(host, desired()))).toEqual([
      'domain.stop/web applied',
      'domain.undefine/web applied',
    ]);
    expect(host.world.domains.size).toBe(0);
  });
});

describe('what goes wrong', () => {
  test('a failure skips what depends on it, and nothing else', async () => {
    const refuse = new HostError('Refused', 'no', { cause: new Error('libvirt says no') });
    const host = memoryHost(world(), failing({ 'define unnest.team-a.db': refuse }));
    const report = await applyPass(host, desired(secondary('web'), secondary('db')));
    expect(statuses(report)).toEqual([
      'installation.record applied',
      'domain.define/db failed',
      'domain.define/web applied',
      'domain.start/db skipped',
      'domain.start/web applied',
    ]);
    expect(report.outcomes[1]?.result).toEqual({
      status: 'failed',
      failure: { code: 'Refused', message: 'no: libvirt says no', retryable: false },
    });
    expect(report.outcomes[3]?.result).toMatchObject({ because: 'domain.define/db' });
  });

  test('a bug in an adapter is told from a refusal', async () => {
    const host = memoryHost(world(), failing({ 'start unnest.team-a.web': new TypeError('x') }));
    const report = await applyPass(host, desired(secondary('web')));
    expect(report.outcomes.at(-1)?.result).toMatchObject({ failure: { code: 'Bug' } });
  });

  test('a definition that somebody else wrote meanwhile is not overwritten', async () => {
    const host = memoryHost(world());
    await applyPass(host, desired(secondary('web')));
    const plan = await planPass(host, desired(secondary('web', { vcpus: 2 })));
    const [domain] = host.world.domains.values();
    if (domain === undefined) throw new Error('no domain');
    domain.defined = { ...domain.defined, commandLine: 'single' };
    domain.revision += 1;
    const report = await runPlan(plan, host);
    expect(report.outcomes[0]?.result).toMatchObject({ failure: { code: 'Conflict' } });
    expect(domain.defined.commandLine).toBe('single');
  });

  test('a domain that appeared since the plan is not taken over', async () => {
    const host = memoryHost(world());
    const plan = await planPass(host, desired(secondary('web')));
    const [define] = plan.operations.filter(({ kind }) => kind === 'domain.define');
    if (define?.kind !== 'domain.define') throw new Error('no define');
    const { uuid, domainName, fields } = define.definition;
    host.world.domains.set(uuid, {
      uuid,
      domainName,
      owner: null,
      persistent: true,
      power: { status: 'stopped', reason: 'unknown' },
      defined: fields,
      live: null,
      lastApplied: null,
      stopAsked: false,
      revision: 1,
    });
    const report = await runPlan(plan, host);
    expect(statuses(report)).toContain('domain.define/web failed');
    expect(host.writes).toEqual(['record']);
  });

  test('success is only said after it was seen: a start that does not take', async () => {
    const host = memoryHost(world());
    const start = host.domains.start.bind(host.domains);
    Object.assign(host.domains, {
      start: async (...args: Parameters<typeof start>) => {
        await start(...args);
        const domain = host.world.domains.get(args[0].uuid);
        if (domain !== undefined) domain.power = { status: 'stopped', reason: 'crashed' };
      },
    });
    const report = await applyPass(host, desired(secondary('web')));
    expect(report.outcomes.at(-1)?.result).toMatchObject({ failure: { code: 'Timeout' } });
  });

  test('a guest that ignores the power button is powered off after its time', async () => {
    const host = memoryHost(world());
    await applyPass(host, desired(secondary('web')));
    Object.assign(host.domains, { shutdown: async () => undefined });
    const report = await applyPass(host, desired(secondary('web', { runPolicy: 'Halted' })));
    expect(statuses(report)).toEqual([
      'domain.define/web applied',
      'domain.note-stop/web applied',
      'domain.stop/web applied',
    ]);
    expect(host.writes.at(-1)).toBe('powerOff unnest.team-a.web');
  });
});

describe('an interruption', () => {
  test('lets what is under way finish and begins nothing more', async () => {
    const stop = new AbortController();
    const host = memoryHost(world(), (call, ref) => {
      if (call === 'define' && ref?.domainName.endsWith('.db')) stop.abort();
    });
    const wanted = desired(secondary('web'), secondary('db'));
    const report = await applyPass(host, wanted, { stop: stop.signal });
    expect(statuses(report)).toEqual([
      'installation.record applied',
      'domain.define/db applied',
      'domain.define/web cancelled',
      'domain.start/db cancelled',
      'domain.start/web cancelled',
    ]);
  });
});

describe('several at once', () => {
  test('no more than allowed, restarts guest by guest', async () => {
    const host = memoryHost(world());
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const fleet = (vcpus: number) =>
      desired(...names.map((name) => secondary(name, { vcpus, updatePolicy: 'Restart' })));
    await applyPass(host, fleet(1));
    let underWay = 0;
    let mostUnderWay = 0;
    let mostDown = 0;
    await applyPass(host, fleet(2), {
      inFlightMax: 2,
      onStart: () => {
        mostUnderWay = Math.max(mostUnderWay, ++underWay);
      },
      onOutcome: () => {
        underWay -= 1;
        const down = [...host.world.domains.values()].filter(({ live }) => live === null);
        mostDown = Math.max(mostDown, down.length);
      },
    });
    expect(mostUnderWay).toBe(2);
    expect(mostDown).toBeLessThanOrEqual(2);
    expect([...host.world.domains.values()].every(({ live }) => live?.vcpus === 2)).toBe(true);
  });
});
