/** Nobody comes up on a network unfiltered, and nobody's port is touched for somebody else's sake. */
import { describe, expect, test } from 'vitest';
import { filterTable, tapName } from '../../../src/model/identity.ts';
import type { NetworkFields } from '../../../src/model/network.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import {
  applyPass,
  converge,
  desiredWith,
  installation,
  partition,
  planPass,
  runPlan,
  secondary,
} from '../../support/passes.ts';
import {
  domainNamed,
  networkRef,
  onCall,
  ownerOf,
  testHost,
  unreadable,
  unreadableFilter,
} from '../../support/simulation.ts';
import { networkFields } from '../../support/network-fields.ts';

const network: NetworkFields = networkFields({ cidr: '10.20.0.0/24', uplink: 'eth0' });
const [web, db] = ['web', 'db'].map((name) => secondary(name, { network: 'Partition' }));
if (web === undefined || db === undefined) throw new Error('no guests');
const both = desiredWith({ network, secondaries: [web, db] });
const table = filterTable({ installation, partition });

type TestHost = ReturnType<typeof testHost>;
const filterIn = ({ world }: TestHost) => world.filters.get(table);
const portsIn = (host: TestHost) => filterIn(host)?.ports.map(({ tap }) => tap) ?? [];
const tapsOf = (...names: readonly string[]) => names.map((name) => tapName(ownerOf(name)));
const statuses = ({ outcomes }: Awaited<ReturnType<typeof applyPass>>) =>
  outcomes.map(({ operation: { id }, result }) => `${id} ${result.status}`);
const waitsOf = ({ operations }: Plan, id: string) =>
  operations.find((operation) => operation.id === id)?.after;
const callsOf = ({ writes }: TestHost) => writes.map((call) => call.replace(/ .*/, ''));

describe('a packet filter', () => {
  test('is in force before anybody starts, and goes with its network', async () => {
    const host = testHost();
    await converge(host, both);
    const calls = callsOf(host);
    expect(calls.indexOf('filters.apply')).toBeLessThan(calls.indexOf('start'));
    expect(filterIn(host)?.fields).toEqual({
      gateway: '10.20.0.1',
      mode: 'nat',
      uplink: 'eth0',
      portIsolation: false,
      egress: null,
      networkBytesPerSecond: null,
    });
    expect(portsIn(host)).toEqual(tapsOf('db', 'web'));
    const plan = await planPass(host, desiredWith({ network: null }), true);
    expect(waitsOf(plan, `filter.remove/${partition}`)).toContain(`network.undefine/${partition}`);
    await converge(host, desiredWith({ network: null }));
    expect(host.world.filters.size).toBe(0);
    const last = callsOf(host).lastIndexOf('networks.undefine');
    expect(callsOf(host).indexOf('filters.remove')).toBeGreaterThan(last);
  });

  test('that cannot be made keeps whoever needs it from starting, and nobody else', async () => {
    const host = testHost();
    host.rules.push(onCall('filters.apply', { kind: 'error', error: new Error('no') }));
    const alone = secondary('alone');
    const report = statuses(
      await applyPass(host, desiredWith({ network, secondaries: [web, alone] })),
    );
    expect(report).toContain('domain.start/web skipped');
    expect(report).toContain('domain.start/alone applied');
  });

  test('that the kernel has taken less of than it was told is not in force', async () => {
    const host = testHost();
    const plan = await planPass(host, both);
    const forgetful: typeof host.filters = {
      ...host.filters,
      apply: (ref, rules, signal) => host.filters.apply(ref, { ...rules, ports: [] }, signal),
    };
    const report = await runPlan(plan, { ...host, filters: forgetful });
    expect(statuses(report)).toContain(`filter.apply/${partition} failed`);
    expect(statuses(report)).toContain('domain.start/web skipped');
  });

  test('that cannot be read blocks who would start, and says why; who runs, runs on', async () => {
    const host = testHost();
    await converge(host, desiredWith({ network, secondaries: [db] }));
    host.rules.push(unreadableFilter());
    const plan = await planPass(host, both);
    const message = expect.stringContaining('the test says so');
    expect(plan.entries).toMatchObject([
      { resource: { kind: 'network' }, kind: 'update' },
      { resource: { kind: 'filter' }, kind: 'blocked', block: { code: 'HostUnknown', message } },
      { resource: { name: 'db' }, kind: 'unchanged' },
      { resource: { name: 'web' }, kind: 'blocked', block: { code: 'PartBlocked', message } },
    ]);
    await runPlan(plan, host);
    expect(portsIn(host)).toEqual(tapsOf('db'));
  });

  test('that is unknown where nobody has a network is nobody’s business', async () => {
    const host = testHost();
    host.rules.push(unreadableFilter());
    expect((await planPass(host, desiredWith({ secondaries: [] }))).entries).toEqual([]);
  });
});

describe('what is in force', () => {
  test.each([
    ['flushed', (host: TestHost) => host.world.filters.clear()],
    [
      'changed by hand',
      (host: TestHost) => host.world.filters.set(table, { fields: null, ports: [] }),
    ],
    [
      'changed by hand, but for its ports',
      (host: TestHost) => {
        const filter = filterIn(host);
        if (filter) filter.fields = null;
      },
    ],
    [
      'opened to somebody else',
      (host: TestHost) => {
        const filter = filterIn(host);
        const stranger = { tap: 'eth7', mac: '52:00:00:00:00:01', address: '10.20.0.99' };
        if (filter) filter.ports = [...filter.ports, stranger];
      },
    ],
  ])('and was %s is put right, under its guests', async (_what, spoil) => {
    const host = testHost();
    await converge(host, both);
    const before = structuredClone(filterIn(host));
    spoil(host);
    expect(statuses(await applyPass(host, both))).toEqual([`filter.apply/${partition} applied`]);
    expect(filterIn(host)).toEqual(before);
    expect((await planPass(host, both)).operations).toEqual([]);
  });

  test('is changed for who comes and goes only by their own ports', async () => {
    const host = testHost();
    await converge(host, both);
    const before = host.writes.length;
    const plan = await planPass(host, desiredWith({ network, secondaries: [db] }));
    // It is cut off when it has gone, and not while it shuts down.
    expect(waitsOf(plan, 'filter.close/web')).toContain('domain.undefine/web');
    await converge(host, desiredWith({ network, secondaries: [db] }));
    const calls = callsOf(host).slice(before);
    expect(portsIn(host)).toEqual(tapsOf('db'));
    expect(calls.filter((call) => call.startsWith('filters.'))).toEqual(['filters.close']);
  });

  test('stays open for who stays on the network until their next start', async () => {
    const host = testHost();
    await converge(host, both);
    const leaving = secondary('web', { network: 'None' });
    await converge(host, desiredWith({ network, secondaries: [leaving, db] }));
    expect(portsIn(host)).toEqual(tapsOf('db', 'web'));
    const restarted = secondary('web', { network: 'None', updatePolicy: 'Restart' });
    await converge(host, desiredWith({ network, secondaries: [restarted, db] }));
    expect(portsIn(host)).toEqual(tapsOf('db'));
  });

  test('is kept in force while a change of the network waits for its guests', async () => {
    const host = testHost();
    await converge(host, both);
    const before = structuredClone(filterIn(host));
    host.world.filters.clear();
    const moved = { ...network, cidr: '10.30.0.0/24' };
    const wanted = desiredWith({ network: moved, secondaries: [web, db] });
    const plan = await planPass(host, wanted);
    expect(plan.entries[0]).toMatchObject({ kind: 'blocked', block: { code: 'NetworkInUse' } });
    await runPlan(plan, host);
    expect(filterIn(host)).toEqual(before);
  });

  test('and while somebody could not be read who may be on it', async () => {
    const host = testHost();
    await converge(host, desiredWith({ network, secondaries: [web] }));
    const before = structuredClone(filterIn(host));
    host.world.filters.clear();
    host.rules.push(unreadable('web'));
    const moved = { ...network, cidr: '10.30.0.0/24' };
    const plan = await planPass(host, desiredWith({ network: moved, secondaries: [web] }));
    expect(plan.entries[0]).toMatchObject({ kind: 'blocked', block: { code: 'HostUnknown' } });
    await runPlan(plan, host);
    expect(filterIn(host)).toEqual(before);
  });

  test('is limited as soon as its document says so, and stays so without it', async () => {
    const host = testHost();
    await converge(host, both);
    const runs = domainNamed(host, 'web').guest?.runId;
    const wanted = (rate: number | null) =>
      desiredWith({ network: { ...network, networkBytesPerSecond: rate }, secondaries: [web, db] });
    const plan = await planPass(host, wanted(2 ** 20));
    expect(plan.entries).toMatchObject([
      {
        resource: { kind: 'network' },
        fields: [{ path: 'spec.limits.networkBandwidthPerSecond' }],
      },
      { resource: { kind: 'filter' }, impact: 'live' },
      { kind: 'unchanged' },
      { kind: 'unchanged' },
    ]);
    await converge(host, wanted(2 ** 20));
    expect(filterIn(host)?.fields?.networkBytesPerSecond).toBe(2 ** 20);
    expect(domainNamed(host, 'web').guest?.runId).toBe(runs);
    host.world.filters.clear();
    await converge(host, desiredWith({ secondaries: [web, db] }));
    expect(filterIn(host)?.fields?.networkBytesPerSecond).toBe(2 ** 20);
    await converge(host, wanted(null));
    expect(filterIn(host)?.fields?.networkBytesPerSecond).toBeNull();
  });

  test('lets out to the list of its document only, live, and stays so without it', async () => {
    const host = testHost();
    await converge(host, both);
    const listed = (egress: string) =>
      desiredWith({ network: { ...network, egress }, secondaries: [web, db] });
    const plan = await planPass(host, listed('10.0.0.0/8'));
    expect(plan.entries).toMatchObject([
      { resource: { kind: 'network' }, fields: [{ path: 'spec.network.egress' }] },
      { resource: { kind: 'filter' }, impact: 'live', fields: [{ from: null, to: '10.0.0.0/8' }] },
      { kind: 'unchanged' },
      { kind: 'unchanged' },
    ]);
    await converge(host, listed('10.0.0.0/8'));
    await converge(host, listed(''));
    host.world.filters.clear();
    // Not null, which is anywhere.
    await converge(host, desiredWith({ secondaries: [web, db] }));
    expect(filterIn(host)?.fields?.egress).toBe('');
  });

  test('is not limited where nothing leaves', async () => {
    const host = testHost();
    const isolated = { ...network, mode: 'isolated', uplink: null } as const;
    const wanted = { ...isolated, networkBytesPerSecond: 2 ** 20 };
    await converge(host, desiredWith({ network: wanted, secondaries: [web] }));
    expect(filterIn(host)?.fields?.networkBytesPerSecond).toBeNull();
  });

  test('keeps Secondaries apart as soon as their document says so, and no guest stops', async () => {
    const host = testHost();
    await converge(host, both);
    const runs = domainNamed(host, 'web').guest?.runId;
    const apart = { ...network, portIsolation: true };
    await converge(host, desiredWith({ network: apart, secondaries: [web, db] }));
    expect(filterIn(host)?.fields?.portIsolation).toBe(true);
    expect(domainNamed(host, 'web').guest?.runId).toBe(runs);
    // Without a Partition document, after a boot of the host.
    host.world.filters.clear();
    await converge(host, desiredWith({ secondaries: [web, db] }));
    expect(filterIn(host)?.fields?.portIsolation).toBe(true);
    expect(host.world.networks.get(networkRef.uuid)?.definition?.fields?.portIsolation).toBe(true);
  });
});
