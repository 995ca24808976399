import { describe, expect, test } from 'vitest';
import { HostError } from '../../../src/host/host-error.ts';
import { tame } from '../../../src/host/simulated/guest.ts';
import { applyPass, desired, planPass, runPlan, secondary } from '../../support/passes.ts';
import { domainNamed, domainOf, onCall, testHost } from '../../support/simulation.ts';

const statuses = (report: Awaited<ReturnType<typeof runPlan>>) =>
  report.outcomes.map(({ operation, result }) => `${operation.id} ${result.status}`);

describe('a plan is carried out', () => {
  test('and afterwards there is nothing left to do, and nothing is written', async () => {
    const host = testHost();
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
    const host = testHost();
    const plan = await planPass(host, desired(secondary('web')));
    await runPlan(plan, host);
    expect(statuses(await runPlan(plan, host))).toEqual([
      'installation.record already',
      'domain.define/web already',
      'domain.start/web already',
    ]);
  });

  test('deletion stops and removes', async () => {
    const host = testHost();
    await applyPass(host, desired(secondary('web')));
    expect(statuses(await applyPass(host, desired()))).toEqual([
      'domain.note-stop/web applied',
      'domain.stop/web applied',
      'domain.undefine/web applied',
    ]);
    expect(host.world.domains.size).toBe(0);
  });
});

describe('what goes wrong', () => {
  test('a failure skips what depends on it, and nothing else', async () => {
    const refuse = new HostError('Refused', 'no', { cause: new Error('libvirt says no') });
    const rule = onCall('define', { kind: 'error', error: refuse }, 'unnest.team-a.db');
    const host = testHost(undefined, { rules: [rule] });
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
    const rules = [onCall('start', { kind: 'error', error: new TypeError('x') })];
    const host = testHost(undefined, { rules });
    const report = await applyPass(host, desired(secondary('web')));
    expect(report.outcomes.at(-1)?.result).toMatchObject({ failure: { code: 'Bug' } });
  });

  test('a definition that somebody else wrote meanwhile is not overwritten', async () => {
    const host = testHost();
    await applyPass(host, desired(secondary('web')));
    const plan = await planPass(host, desired(secondary('web', { vcpus: 2 })));
    const { definition } = domainNamed(host, 'web');
    definition.fields = { ...definition.fields, commandLine: 'single' };
    const report = await runPlan(plan, host);
    expect(report.outcomes[0]?.result).toMatchObject({ failure: { code: 'Conflict' } });
    expect(definition.fields.commandLine).toBe('single');
  });

  test('a domain that appeared since the plan is not taken over', async () => {
    const host = testHost();
    const plan = await planPass(host, desired(secondary('web')));
    const [define] = plan.operations.filter(({ kind }) => kind === 'domain.define');
    if (define?.kind !== 'domain.define') throw new Error('no define');
    const { uuid, fields } = define.definition;
    const power = { status: 'stopped', reason: 'unknown' } as const;
    const stranger = domainOf('web', { owner: null, power, defined: fields, lastApplied: null });
    host.world.domains.set(uuid, stranger);
    const report = await runPlan(plan, host);
    expect(statuses(report)).toContain('domain.define/web failed');
    expect(host.writes).toEqual(['installation.record']);
  });

  test('success is only said after it was seen: a start that does not take', async () => {
    const host = testHost(undefined, { temperOf: () => ({ ...tame, endsAfterMs: 0 }) });
    const report = await applyPass(host, desired(secondary('web')));
    expect(report.outcomes.at(-1)?.result).toMatchObject({ failure: { code: 'Timeout' } });
  });

  test('a guest that ignores the power button is powered off after its time', async () => {
    const host = testHost(undefined, { temperOf: () => ({ ...tame, stopsAfterMs: null }) });
    await applyPass(host, desired(secondary('web')));
    const report = await applyPass(host, desired(secondary('web', { runPolicy: 'Halted' })));
    expect(statuses(report)).toEqual([
      'domain.define/web applied',
      'domain.note-stop/web applied',
      'domain.stop/web applied',
    ]);
    expect(host.writes.at(-1)).toBe('powerOff unnest.team-a.web');
  });
});

describe('a guest that is not as the plan saw it', () => {
  const gone = desired();

  test('sleeps: it is woken, so that it hears the button', async () => {
    const host = testHost();
    await applyPass(host, desired(secondary('web')));
    Object.assign(domainNamed(host, 'web').guest ?? {}, { state: 'paused' });
    expect(statuses(await applyPass(host, gone))).toEqual([
      'domain.note-stop/web applied',
      'domain.stop/web applied',
      'domain.undefine/web applied',
    ]);
    expect(host.writes).not.toContain('powerOff unnest.team-a.web');
  });

  test('sleeps, and is not to be woken: its memory waits, and nobody waits for it', async () => {
    const host = testHost();
    const manual = (MiB: number) =>
      desired(secondary('web', { runPolicy: 'Manual', memoryBytes: MiB * 2 ** 20 }));
    await applyPass(host, desired(secondary('web')));
    Object.assign(domainNamed(host, 'web').guest ?? {}, { state: 'paused' });
    expect(statuses(await applyPass(host, manual(96)))).toEqual(['domain.define/web applied']);
    const [entry] = (await planPass(host, manual(96))).entries;
    expect(entry).toMatchObject({ kind: 'unchanged', waiting: [{ field: 'memoryBytes' }] });
  });

  test.each(['shutdown', 'powerOff'] as const)(
    'stops by itself just before %s: that is refused, and is what was wanted',
    async (call) => {
      const host = testHost(undefined, { temperOf: () => ({ ...tame, stopsAfterMs: null }) });
      await applyPass(host, desired(secondary('web')));
      const act = () => {
        Object.assign(domainNamed(host, 'web').guest ?? {}, {
          end: { atMs: host.clock.now(), reason: 'guest-shutdown' },
        });
      };
      host.rules.push(onCall(call, { kind: 'meanwhile', act }));
      expect(statuses(await applyPass(host, gone))).toEqual([
        'domain.note-stop/web applied',
        'domain.stop/web applied',
        'domain.undefine/web applied',
      ]);
    },
  );

  test('was started by somebody else just before us', async () => {
    const host = testHost();
    await applyPass(host, desired(secondary('web', { runPolicy: 'Halted' })));
    const act = () => {
      const domain = domainNamed(host, 'web');
      const { fields } = domain.definition;
      domain.guest = {
        state: 'running',
        fields,
        startedAtMs: 0,
        inSlice: false,
        runId: 7,
        agent: 'none',
        agentAtMs: null,
        foundReady: null,
        end: null,
        balloon: null,
        portsFree: 0,
        unplugging: [],
      };
    };
    const plan = await planPass(host, desired(secondary('web')));
    host.rules.push(onCall('start', { kind: 'meanwhile', act }));
    expect(statuses(await runPlan(plan, host))).toContain('domain.start/web applied');
  });

  test('a refusal for any other reason is a failure', async () => {
    const host = testHost();
    await applyPass(host, desired(secondary('web', { runPolicy: 'Halted' })));
    const error = new HostError('Refused', 'not today');
    host.rules.push(onCall('start', { kind: 'error', error }));
    const report = await applyPass(host, desired(secondary('web')));
    expect(report.outcomes.at(-1)?.result).toMatchObject({ failure: { code: 'Refused' } });
  });
});

describe('an interruption', () => {
  test('lets what is under way finish and begins nothing more', async () => {
    const stop = new AbortController();
    const interrupt = { kind: 'meanwhile', act: () => stop.abort() } as const;
    const rules = [onCall('define', interrupt, 'unnest.team-a.db')];
    const host = testHost(undefined, { rules });
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
    const host = testHost();
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
        const down = [...host.world.domains.values()].filter(({ guest }) => guest === null);
        mostDown = Math.max(mostDown, down.length);
      },
    });
    expect(mostUnderWay).toBe(2);
    expect(mostDown).toBeLessThanOrEqual(2);
    expect([...host.world.domains.values()].every(({ guest }) => guest?.fields.vcpus === 2)).toBe(
      true,
    );
  });
});

describe('a plan that is not what it seems', () => {
  test('cannot act on what is not its Secondary, whatever uuid it names', async () => {
    const host = testHost();
    await applyPass(host, desired(secondary('web'), secondary('db')));
    const plan = await planPass(host, desired(secondary('db')));
    const db = domainNamed(host, 'db');
    const domain = { uuid: db.uuid, domainName: db.domainName };
    const operations = plan.operations.map((each) =>
      each.kind === 'domain.stop' ? { ...each, domain } : each,
    );
    const report = await runPlan({ ...plan, operations }, host);
    expect(report.outcomes[1]?.result).toMatchObject({ failure: { code: 'Refused' } });
    expect(domainNamed(host, 'db').guest).not.toBeNull();
  });

  test('cannot act on what has lost our mark since', async () => {
    const host = testHost();
    await applyPass(host, desired(secondary('web'), secondary('db')));
    const plan = await planPass(host, desired(secondary('db')));
    Object.assign(domainNamed(host, 'web').definition, { owner: null });
    const report = await runPlan(plan, host);
    expect(report.outcomes[0]?.result).toMatchObject({ failure: { code: 'Conflict' } });
    expect(domainNamed(host, 'web').guest).not.toBeNull();
  });

  test('does not stop a guest whose definition has changed since: it could not be removed', async () => {
    const host = testHost();
    await applyPass(host, desired(secondary('web'), secondary('db')));
    const plan = await planPass(host, desired(secondary('db')));
    const { definition } = domainNamed(host, 'web');
    Object.assign(definition, { fields: { ...definition.fields, vcpus: 7 } });
    const report = await runPlan(plan, host);
    expect(statuses(report)).toEqual([
      'domain.note-stop/web applied',
      'domain.stop/web failed',
      'domain.undefine/web skipped',
    ]);
    expect(domainNamed(host, 'web').guest).not.toBeNull();
  });
});
