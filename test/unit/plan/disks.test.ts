/** Data disks that come and go under guests that run. */
import { describe, expect, test } from 'vitest';
import { HostError } from '../../../src/host/host-error.ts';
import { tame } from '../../../src/host/simulated/guest.ts';
import { fieldsOf } from '../../../src/model/domain.ts';
import type { Secondary } from '../../../src/model/secondary.ts';
import { useOf, type Volume } from '../../../src/model/volume.ts';
import type { Block } from '../../../src/diff/change.ts';
import type { SecondaryName } from '../../../src/model/names.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import {
  applyPass,
  converge,
  desiredWith,
  planPass,
  runPlan,
  secondary,
  volume,
} from '../../support/passes.ts';
import {
  domainNamed,
  domainOf,
  type DomainParts,
  onCall,
  testHost,
  unreadable,
  volumeOf,
  worldOf,
} from '../../support/simulation.ts';

const [data, logs, more] = ['data', 'logs', 'more'].map((name) =>
  volume(name, { deletionPolicy: 'Delete' }),
) as [Volume, Volume, Volume];
const withDisks = (name: string, disks: readonly Volume[], parts: Partial<Secondary> = {}) =>
  secondary(name, { disks: disks.map(useOf), ...parts });

const running = { status: 'running' } as const;
const guest = (name: string, disks: readonly Volume[], parts: Partial<DomainParts> = {}) =>
  domainOf(name, {
    power: running,
    defined: fieldsOf(withDisks(name, disks)),
    portsFree: 2,
    ...parts,
  });
const hostWith = (
  domains: ReturnType<typeof guest>[],
  isDeaf = false,
  there = [data, logs, more],
) =>
  testHost(
    worldOf({
      recorded: true,
      domains,
      volumes: there.map((each) => volumeOf(each.name, each)),
    }),
    isDeaf ? { temperOf: () => ({ ...tame, unplugsAfterMs: null }) } : {},
  );
const wanting = (...secondaries: Secondary[]) =>
  desiredWith({ volumes: [data, logs, more], secondaries });

const ids = ({ operations }: Plan) => operations.map(({ id }) => id);
const entryOf = (plan: Plan, name: string) =>
  plan.entries.find(({ resource }) => resource.kind === 'secondary' && resource.name === name);
const blocks = ({ entries }: Plan) =>
  entries.flatMap((entry) =>
    entry.kind === 'blocked'
      ? [`${entry.resource.name} ${entry.block.code}: ${entry.block.message}`]
      : [],
  );
const disksOf = (host: ReturnType<typeof testHost>, name: string) =>
  domainNamed(host, name).guest?.fields.volumes;

describe('a disk that is added', () => {
  test('comes once its Volume is there, without a restart', async () => {
    const host = hostWith([guest('a', [])], false, []);
    const wanted = desiredWith({ volumes: [data], secondaries: [withDisks('a', [data])] });
    const plan = await planPass(host, wanted);
    expect(ids(plan)).toEqual([
      'domain.define/a',
      'volume.create/data',
      'domain.attach-disk/a.data',
    ]);
    expect(entryOf(plan, 'a')).toMatchObject({
      impact: 'live',
      fields: [{ path: 'spec.disks', impact: 'live' }],
      waiting: [],
    });
    const { runId } = domainNamed(host, 'a').guest ?? {};
    await runPlan(plan, host);
    expect(domainNamed(host, 'a').guest).toMatchObject({ runId, fields: { volumes: 'data:raw' } });
    expect((await planPass(host, wanted)).operations).toEqual([]);
  });

  test('is nobody’s as long as its Volume cannot be made', async () => {
    const host = hostWith([guest('a', [])], false, []);
    const full = { kind: 'error', error: new HostError('Refused', 'no room') } as const;
    host.rules.push(onCall('volumes.create', full));
    await applyPass(host, wanting(withDisks('a', [data])));
    expect(disksOf(host, 'a')).toBe('');
  });

  test('waits for a restart where the guest has no port for it, and then there is one', async () => {
    const host = hostWith([guest('a', [], { portsFree: 0 })]);
    const wanted = wanting(withDisks('a', [data]));
    const plan = await planPass(host, wanted);
    expect(ids(plan)).not.toContain('domain.attach-disk/a.data');
    expect(entryOf(plan, 'a')).toMatchObject({
      waiting: [{ path: 'spec.disks', impact: 'restart' }],
    });
    await applyPass(host, wanting(withDisks('a', [data], { updatePolicy: 'Restart' })));
    expect(disksOf(host, 'a')).toBe('data:raw');
    await applyPass(host, wanting(withDisks('a', [data, logs])));
    expect(disksOf(host, 'a')).toBe('data:raw,logs:raw');
  });

  test('takes the port of one that goes', async () => {
    const host = hostWith([guest('a', [data], { portsFree: 0 })]);
    const plan = await planPass(host, wanting(withDisks('a', [logs])));
    expect(ids(plan).slice(-2)).toEqual(['domain.detach-disk/a.data', 'domain.attach-disk/a.logs']);
    await runPlan(plan, host);
    expect(disksOf(host, 'a')).toBe('logs:raw');
  });

  test('comes with a restart that there is anyway', async () => {
    const host = hostWith([guest('a', [data])]);
    const wanted = wanting(withDisks('a', [logs], { vcpus: 2, updatePolicy: 'Restart' }));
    const plan = await planPass(host, wanted);
    expect(ids(plan)).toEqual(expect.arrayContaining(['domain.stop/a', 'domain.start/a']));
    expect(ids(plan).filter((id) => id.includes('-disk/'))).toEqual([]);
  });

  test('does not wait for what does: of one that is not restarted the rest stays as it is', async () => {
    const host = hostWith([guest('a', [data])]);
    const plan = await planPass(host, wanting(withDisks('a', [data, logs], { vcpus: 2 })));
    expect(ids(plan)).toContain('domain.attach-disk/a.logs');
    expect(entryOf(plan, 'a')).toMatchObject({ waiting: [{ path: 'spec.vcpus' }] });
  });

  test('comes after a crash between its definition and its being plugged in', async () => {
    const defined = fieldsOf(withDisks('a', [data]));
    const host = hostWith([guest('a', [], { defined, live: fieldsOf(withDisks('a', [])) })]);
    const plan = await planPass(host, wanting(withDisks('a', [data])));
    expect(ids(plan)).toEqual(['domain.attach-disk/a.data']);
    // It is no repair of what somebody has done.
    expect(entryOf(plan, 'a')).toMatchObject({ reasons: ['document-changed'] });
  });
});

test('a disk that others begin as copies of is plugged in once they are made', async () => {
  const host = hostWith([guest('a', [])]);
  const copy = volume('copy', { copyOf: data.name });
  const wanted = desiredWith({
    volumes: [data, logs, more, copy],
    secondaries: [withDisks('a', [data])],
  });
  const plan = await planPass(host, wanted);
  const attach = plan.operations.find(({ id }) => id === 'domain.attach-disk/a.data');
  expect(attach?.after).toContain('volume.create/copy');
  const { outcomes } = await runPlan(plan, host);
  expect(outcomes.map(({ result }) => result.status)).not.toContain('failed');
});

describe('a disk that is removed', () => {
  test('goes, and the others stay as they are', async () => {
    const host = hostWith([guest('a', [data, logs, more])]);
    await applyPass(host, wanting(withDisks('a', [data, more])));
    expect(disksOf(host, 'a')).toBe('data:raw,more:raw');
  });

  test('is deleted only after its guest has let go of it', async () => {
    const host = hostWith([guest('a', [data])]);
    const gone = desiredWith({ volumes: [logs, more], secondaries: [withDisks('a', [])] });
    const plan = await planPass(host, gone, true);
    expect(ids(plan)).toEqual([
      'domain.define/a',
      'domain.detach-disk/a.data',
      'volume.delete/data',
    ]);
    const deaf = hostWith([guest('a', [data])], true);
    const { outcomes } = await applyPass(deaf, gone);
    expect(outcomes.map(({ result }) => result.status)).toEqual(['applied', 'failed', 'skipped']);
    expect(deaf.world.volumes.get(gone.partition)?.size).toBe(3);
  });

  test('stays with a guest that sleeps on, which goes on with it', async () => {
    const asleep = { runPolicy: 'Manual' } as const;
    const defined = fieldsOf(withDisks('a', [data], asleep));
    const host = hostWith([guest('a', [data], { power: { status: 'paused' }, defined })]);
    const plan = await planPass(host, wanting(withDisks('a', [], asleep)));
    expect(ids(plan).filter((id) => id.includes('detach'))).toEqual([]);
    expect(entryOf(plan, 'a')).toMatchObject({ waiting: [{ path: 'spec.disks' }] });
  });

  test('is let go of once one that is paused is awake', async () => {
    const host = hostWith([guest('a', [data], { power: { status: 'paused' } })]);
    const plan = await planPass(host, wanting(withDisks('a', [])));
    expect(plan.operations.find(({ id }) => id === 'domain.detach-disk/a.data')?.after).toContain(
      'domain.resume/a',
    );
    await runPlan(plan, host);
    expect(disksOf(host, 'a')).toBe('');
  });

  test('stays where its guest is to boot from it at its next start', async () => {
    const boot = { kind: 'volume', use: useOf(data) } as Secondary['boot'];
    const host = hostWith([guest('a', [data, logs])]);
    const plan = await planPass(host, wanting(withDisks('a', [logs], { boot })));
    expect(ids(plan)).toEqual(['domain.define/a']);
    expect(entryOf(plan, 'a')).toMatchObject({
      waiting: expect.arrayContaining([expect.objectContaining({ path: 'spec.disks' })]),
    });
  });
});

describe('a disk that moves', () => {
  test('leaves one before another has it', async () => {
    const host = hostWith([guest('a', [data]), guest('b', [])]);
    const wanted = wanting(withDisks('a', []), withDisks('b', [data]));
    const plan = await planPass(host, wanted);
    const attach = plan.operations.find(({ id }) => id === 'domain.attach-disk/b.data');
    expect(attach?.after).toContain('domain.detach-disk/a.data');
    await runPlan(plan, host);
    expect([disksOf(host, 'a'), disksOf(host, 'b')]).toEqual(['', 'data:raw']);
    expect((await planPass(host, wanted)).operations).toEqual([]);
  });

  test('from or to one that does not run', async () => {
    const off = { status: 'stopped', reason: 'powered-off' } as const;
    const halted = { runPolicy: 'Halted' } as const;
    const from = hostWith([guest('a', [data], { power: off }), guest('b', [])]);
    await applyPass(from, wanting(withDisks('a', [], halted), withDisks('b', [data])));
    expect(disksOf(from, 'b')).toBe('data:raw');
    const to = hostWith([guest('a', [data]), guest('b', [], { power: off })]);
    const plan = await planPass(to, wanting(withDisks('a', []), withDisks('b', [data])));
    expect(plan.operations.find(({ id }) => id === 'domain.start/b')?.after).toContain(
      'domain.detach-disk/a.data',
    );
    await runPlan(plan, to);
    expect([disksOf(to, 'a'), disksOf(to, 'b')]).toEqual(['', 'data:raw']);
  });

  test('from one that is woken only at the next look, so that no restart waits in the middle', async () => {
    const paused = guest('a', [data], { power: { status: 'paused' } });
    const defined = { ...fieldsOf(withDisks('b', [], { updatePolicy: 'Restart' })), vcpus: 2 };
    const host = hostWith([paused, guest('b', [], { defined })]);
    const wanted = wanting(
      withDisks('a', []),
      withDisks('b', [data], { vcpus: 4, updatePolicy: 'Restart' }),
    );
    const plan = await planPass(host, wanted);
    expect(ids(plan)).toContain('domain.resume/a');
    expect(ids(plan).filter((id) => id.endsWith('/b'))).toEqual([]);
    await converge(host, wanted);
    expect([disksOf(host, 'a'), disksOf(host, 'b')]).toEqual(['', 'data:raw']);
  });

  test('swaps with another, and grows on the way', async () => {
    const host = hostWith([guest('a', [data]), guest('b', [logs])]);
    const large = volume('data', { sizeBytes: 2 ** 31, deletionPolicy: 'Delete' });
    const wanted = desiredWith({
      volumes: [large, logs, more],
      secondaries: [withDisks('a', [logs]), withDisks('b', [large])],
    });
    const plan = await planPass(host, wanted);
    const after = (id: string) => plan.operations.find((each) => each.id === id)?.after;
    expect(after('volume.grow/data')).toContain('domain.detach-disk/a.data');
    expect(after('domain.attach-disk/b.data')).toContain('volume.grow/data');
    const { outcomes } = await runPlan(plan, host);
    expect(outcomes.map(({ result }) => result.status)).not.toContain('failed');
    expect([disksOf(host, 'a'), disksOf(host, 'b')]).toEqual(['logs:raw', 'data:raw']);
    expect((await planPass(host, wanted)).operations).toEqual([]);
  });

  test('stays where it is if its guest does not let go, and whoever is to have it says whose it is', async () => {
    const host = hostWith([guest('a', [data]), guest('b', [])], true);
    const wanted = wanting(withDisks('a', []), withDisks('b', [data]));
    const { outcomes } = await applyPass(host, wanted);
    const results = outcomes.map(({ operation, result }) =>
      result.status === 'failed'
        ? `${operation.id}: ${result.failure.message}`
        : `${operation.id} ${result.status}`,
    );
    expect(results.slice(-2)).toEqual([
      'domain.detach-disk/a.data: the guest of unnest.team-a.a has not let go of Volume data after 20 s',
      'domain.attach-disk/b.data skipped',
    ]);
    expect([disksOf(host, 'a'), disksOf(host, 'b')]).toEqual(['data:raw', '']);
    // One that lets go just as it is asked again is the end of libvirtd 9.0.
    expect(host.writes.filter((write) => write.startsWith('detachDisk'))).toHaveLength(1);
    // As unnestd then plans, until a is tried again.
    const backOff: Block = { code: 'BackOff', message: 'it has failed once' };
    const holds = new Map([['a' as SecondaryName, backOff]]);
    const held = await planPass(host, wanted, false, null, { holds });
    expect(held.operations).toEqual([]);
    expect(blocks(held)).toEqual([
      'a BackOff: it has failed once',
      'b VolumeInUse: a still runs, or is saved, with Volume data, and is blocked itself: it has failed once',
    ]);
  });

  test('is plugged into nobody as long as one could not be read who may have it', async () => {
    const defined = fieldsOf(withDisks('b', [data]));
    const live = fieldsOf(withDisks('b', []));
    const host = hostWith([guest('a', [data]), guest('b', [], { defined, live })]);
    host.rules.push(unreadable('a'));
    const plan = await planPass(host, wanting(withDisks('a', []), withDisks('b', [data])));
    expect(ids(plan)).toEqual([]);
    expect(blocks(plan).join()).toContain('b HostUnknown: Volume data: a may have it');
  });
});

test('what somebody else has put in the place of a disk is nothing that is unplugged', async () => {
  const edited = { ...fieldsOf(withDisks('a', [data])), volumes: '/elsewhere/x.raw (edited)' };
  const host = hostWith([guest('a', [data], { live: edited })]);
  const plan = await planPass(host, wanting(withDisks('a', [])));
  expect(ids(plan)).toEqual(['domain.define/a']);
  expect(entryOf(plan, 'a')).toMatchObject({
    waiting: [{ path: 'spec.disks', impact: 'restart' }],
  });
});
