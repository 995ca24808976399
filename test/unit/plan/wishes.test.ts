/** Holds and requests: what is asked for beside the documents. */
import { describe, expect, test } from 'vitest';
import type { Block, PowerRequest } from '../../../src/diff/change.ts';
import { fieldsOf } from '../../../src/model/domain.ts';
import type { SecondaryName } from '../../../src/model/names.ts';
import type { Secondary } from '../../../src/model/secondary.ts';
import { useOf } from '../../../src/model/volume.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import type { Wishes } from '../../../src/plan/wishes.ts';
import {
  applyPass,
  blocksIn,
  desired,
  desiredWith,
  planPass,
  runPlan,
  secondary,
  volume,
} from '../../support/passes.ts';
import {
  domainNamed,
  domainOf,
  networkOf,
  testHost,
  volumeOf,
  worldOf,
} from '../../support/simulation.ts';
import { networkFields } from '../../support/network-fields.ts';

const held: Block = { code: 'Held', message: 'maintenance' };
const looping: Block = { code: 'CrashLoop', message: 'it ended 3 times' };
const of = <T>(name: string, value: T) => new Map([[name as SecondaryName, value]]);
const ids = ({ operations }: Plan) => operations.map(({ id }) => id);
const reasons = ({ entries }: Plan) =>
  entries.flatMap((entry) => ('reasons' in entry ? entry.reasons : []));
const planWith = (
  host: ReturnType<typeof testHost>,
  wanted: ReturnType<typeof desired>,
  wishes: Partial<Wishes>,
  deletionsMax: number | null = null,
) => planPass(host, wanted, true, deletionsMax, wishes);

const running = (name: string, more: Partial<Secondary> = {}) =>
  domainOf(name, { power: { status: 'running' }, defined: fieldsOf(secondary(name, more)) });
const stopped = (name: string, more: Partial<Secondary> = {}) =>
  domainOf(name, {
    power: { status: 'stopped', reason: 'guest-shutdown' },
    defined: fieldsOf(secondary(name, more)),
  });

describe('a Secondary that is held', () => {
  test.each([
    ['is not made', worldOf({ recorded: true }), secondary('web')],
    ['is not deleted', worldOf({ recorded: true, domains: [running('web')] }), null],
    [
      'is not redefined',
      worldOf({ recorded: true, domains: [running('web')] }),
      secondary('web', { vcpus: 2 }),
    ],
    ['is not started', worldOf({ recorded: true, domains: [stopped('web')] }), secondary('web')],
  ])('%s', async (_what, world, wanted) => {
    const host = testHost(world);
    const documents = desired(...(wanted === null ? [] : [wanted]));
    const plan = await planWith(host, documents, { holds: of('web', held) });
    expect(blocksIn(plan)).toEqual(['web Held']);
    expect(plan.operations).toEqual([]);
    expect((await planWith(host, documents, {})).operations).not.toEqual([]);
  });

  test('says nothing where there is nothing to do', async () => {
    const host = testHost(worldOf({ recorded: true, domains: [running('web')] }));
    const plan = await planWith(host, desired(secondary('web')), { holds: of('web', held) });
    expect(plan.entries).toMatchObject([{ kind: 'unchanged' }]);
  });

  test('keeps its Volume and its address when its document is gone; others go on', async () => {
    const data = volume('data', { deletionPolicy: 'Delete', sizeBytes: 2 ** 30 });
    const more = { disks: [useOf(data)], network: 'Partition' as const };
    const host = testHost(
      worldOf({
        recorded: true,
        volumes: [volumeOf('data', { deletionPolicy: 'Delete' })],
        domains: [running('web', more), running('app')],
        network: networkOf({
          reservations: { web: { mac: '52:54:00:00:00:01', address: '10.20.0.9' } },
        }),
      }),
    );
    const network = networkFields({ cidr: '10.20.0.0/24' });
    const plan = await planWith(host, desiredWith({ network }), { holds: of('web', held) });
    expect(blocksIn(plan)).toEqual(['data VolumeInUse', 'web Held']);
    expect(ids(plan)).toEqual(['domain.note-stop/app', 'domain.stop/app', 'domain.undefine/app']);
  });

  test('does not have its disk grown under it', async () => {
    const data = volume('data', { sizeBytes: 2 ** 31 });
    const web = secondary('web', { disks: [useOf(data)] });
    const host = testHost(
      worldOf({
        recorded: true,
        volumes: [volumeOf('data')],
        domains: [running('web', { disks: [useOf(data)] })],
      }),
    );
    const documents = desiredWith({ secondaries: [web], volumes: [data] });
    expect(ids(await planWith(host, documents, {}))).toEqual(['domain.grow-disk/data']);
    const plan = await planWith(host, documents, { holds: of('web', held) });
    expect([blocksIn(plan), plan.operations]).toEqual([['data Held'], []]);
  });

  test('does not have the disk grown that it starts with next', async () => {
    const data = volume('data', { sizeBytes: 2 ** 31 });
    const more = { disks: [useOf(data)], runPolicy: 'Manual' as const };
    const domains = [stopped('web', more)];
    const host = testHost(worldOf({ recorded: true, volumes: [volumeOf('data')], domains }));
    const documents = desiredWith({ secondaries: [secondary('web', more)], volumes: [data] });
    expect(ids(await planWith(host, documents, {}))).toEqual(['volume.grow/data']);
    const plan = await planWith(host, documents, { holds: of('web', held) });
    expect([blocksIn(plan), plan.operations]).toEqual([['data Held'], []]);
    // Nobody asked for that of one that has only failed.
    const failing = { holds: of('web', { code: 'BackOff', message: 'once' } as const) };
    expect(ids(await planWith(host, documents, failing))).toEqual(['volume.grow/data']);
  });

  test('is no reason to delete everything else', async () => {
    const host = testHost(worldOf({ recorded: true, domains: [running('web'), running('app')] }));
    const plan = await planPass(host, desired(), false, null, { holds: of('web', held) });
    expect(blocksIn(plan)).toEqual(['app DeletesEverything', 'web DeletesEverything']);
  });

  test('is ready for those that start after it, if it runs', async () => {
    const after = { startAfter: ['web' as SecondaryName] };
    const wanted = desired(secondary('web', { vcpus: 2 }), secondary('app', after));
    const host = testHost(worldOf({ recorded: true, domains: [running('web')] }));
    const plan = await planWith(host, wanted, { holds: of('web', held) });
    expect([blocksIn(plan), ids(plan)]).toEqual([
      ['web Held'],
      ['domain.define/app', 'domain.start/app'],
    ]);
    const down = testHost(worldOf({ recorded: true, domains: [stopped('web')] }));
    expect(blocksIn(await planWith(down, wanted, { holds: of('web', held) }))).toEqual([
      'app StartAfterUnmet',
      'web Held',
    ]);
  });
});

describe('a partition that is held', () => {
  test('has nothing done to it at all, and says so of whatever would be done', async () => {
    const host = testHost(worldOf({ domains: [] }));
    const wanted = desiredWith({
      secondaries: [secondary('web')],
      volumes: [volume('data')],
      network: networkFields({ cidr: '10.20.0.0/24' }),
    });
    const plan = await planWith(host, wanted, { holdAll: held });
    expect(plan.operations).toEqual([]);
    expect(blocksIn(plan)).toEqual(['team-a Held', 'team-a Held', 'data Held', 'web Held']);
  });
});

describe('a start that is held', () => {
  const holds = { startHolds: of('web', looping) };

  test('does not take place, and says why', async () => {
    const host = testHost(worldOf({ recorded: true, domains: [stopped('web')] }));
    const plan = await planWith(host, desired(secondary('web')), holds);
    expect([blocksIn(plan), plan.operations]).toEqual([['web CrashLoop'], []]);
  });

  test('does not keep a stopped guest from being redefined', async () => {
    const host = testHost(worldOf({ recorded: true, domains: [stopped('web')] }));
    const wanted = desired(secondary('web', { vcpus: 2 }));
    const plan = await planWith(host, wanted, holds);
    expect(ids(plan)).toEqual(['domain.define/web']);
    await runPlan(plan, host);
    expect(blocksIn(await planWith(host, wanted, holds))).toEqual(['web CrashLoop']);
  });

  test('keeps a running one from a restart, and from nothing else', async () => {
    const host = testHost(worldOf({ recorded: true, domains: [running('web')] }));
    const restart = secondary('web', { vcpus: 2, updatePolicy: 'Restart' });
    expect(blocksIn(await planWith(host, desired(restart), holds))).toEqual(['web CrashLoop']);
    const staged = secondary('web', { vcpus: 2 });
    expect(ids(await planWith(host, desired(staged), holds))).toEqual(['domain.define/web']);
    expect(ids(await planWith(host, desired(), holds))).toContain('domain.stop/web');
  });
});

describe('a request', () => {
  const asking = (request: PowerRequest) => ({ requests: of('web', request) });
  const manual = (more: Partial<Secondary> = {}) =>
    secondary('web', { runPolicy: 'Manual', ...more });

  test('to start starts a Manual guest, once', async () => {
    const domains = [stopped('web', { runPolicy: 'Manual' })];
    const host = testHost(worldOf({ recorded: true, domains }));
    const plan = await planWith(host, desired(manual()), asking('start'));
    expect([ids(plan), reasons(plan)]).toEqual([['domain.start/web'], ['asked-for']]);
    await runPlan(plan, host);
    expect((await planWith(host, desired(manual()), asking('start'))).operations).toEqual([]);
  });

  test('to start makes and starts one that is not there', async () => {
    const plan = await planWith(testHost(), desired(manual()), asking('start'));
    expect(ids(plan)).toContain('domain.start/web');
    expect(reasons(plan)).toEqual(['not-on-host', 'asked-for']);
    const without = await planWith(testHost(), desired(manual()), asking('stop'));
    expect(ids(without)).not.toContain('domain.start/web');
  });

  test('to start runs a finished one again, and wakes one that is paused', async () => {
    const again = secondary('web', { runPolicy: 'RerunOnFailure' });
    const domains = [stopped('web', { runPolicy: 'RerunOnFailure' })];
    const host = testHost(worldOf({ recorded: true, domains }));
    expect((await planWith(host, desired(again), {})).operations).toEqual([]);
    expect(ids(await planWith(host, desired(again), asking('start')))).toEqual([
      'domain.start/web',
    ]);
    const paused = domainOf('web', { power: { status: 'paused' }, defined: fieldsOf(manual()) });
    const sleeper = testHost(worldOf({ recorded: true, domains: [paused] }));
    expect(ids(await planWith(sleeper, desired(manual()), asking('start')))).toEqual([
      'domain.resume/web',
    ]);
  });

  test('to start what could not come up is blocked, with what it lacks', async () => {
    const domains = [stopped('web', { runPolicy: 'Manual' })];
    const host = testHost(worldOf({ recorded: true, domains, files: [] }));
    expect(blocksIn(await planWith(host, desired(manual()), {}))).toEqual([]);
    expect(blocksIn(await planWith(host, desired(manual()), asking('start')))).toEqual([
      'web FileMissing',
    ]);
  });

  test('to stop stops a Manual guest only, with a note that it was us', async () => {
    const domains = [running('web', { runPolicy: 'Manual' })];
    const host = testHost(worldOf({ recorded: true, domains }));
    const plan = await planWith(host, desired(manual()), asking('stop'));
    expect(ids(plan)).toEqual(['domain.note-stop/web', 'domain.stop/web']);
    expect(plan.entries).toMatchObject([{ impact: 'stop', reasons: ['asked-for'] }]);
    const always = testHost(worldOf({ recorded: true, domains: [running('web')] }));
    expect((await planWith(always, desired(secondary('web')), asking('stop'))).operations).toEqual(
      [],
    );
  });

  test('to restart takes what was staged, whatever its policies', async () => {
    const domains = [running('web', { runPolicy: 'Manual' })];
    const host = testHost(worldOf({ recorded: true, domains }));
    const wanted = desired(manual({ vcpus: 2 }));
    await applyPass(host, wanted);
    expect(domainNamed(host, 'web').guest?.fields.vcpus).toBe(1);
    const plan = await planWith(host, wanted, asking('restart'));
    expect(ids(plan)).toEqual([
      'domain.note-stop/web',
      'domain.stop/web',
      'domain.start/web',
      'domain.forget-stop/web',
    ]);
    expect(reasons(plan)).toContain('asked-for');
    await runPlan(plan, host);
    expect(domainNamed(host, 'web').guest?.fields.vcpus).toBe(2);
  });

  test('to restart starts what does not run; what is Halted stays so', async () => {
    const domains = [stopped('web', { runPolicy: 'Manual' })];
    const host = testHost(worldOf({ recorded: true, domains }));
    expect(ids(await planWith(host, desired(manual()), asking('restart')))).toEqual([
      'domain.start/web',
    ]);
    const halted = secondary('web', { runPolicy: 'Halted' });
    const off = testHost(
      worldOf({ recorded: true, domains: [stopped('web', { runPolicy: 'Halted' })] }),
    );
    for (const request of ['start', 'restart'] as const) {
      expect((await planWith(off, desired(halted), asking(request))).operations).toEqual([]);
    }
  });

  test('does not override a hold', async () => {
    const domains = [stopped('web', { runPolicy: 'Manual' })];
    const host = testHost(worldOf({ recorded: true, domains }));
    const both = { ...asking('start'), holds: of('web', held) };
    expect(blocksIn(await planWith(host, desired(manual()), both))).toEqual(['web Held']);
  });
});
