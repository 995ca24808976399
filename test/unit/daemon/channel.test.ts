/** A whole daemon that a Primary speaks with: documents in force, plans, who is attached, what is undone. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { DomainUuid } from '../../../src/model/identity.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import { simulatedPrimary } from '../../support/simulation.ts';
import { bodyOf, type Caller, callerOn, settled } from '../../support/virtual-caller.ts';
import { secondaryText } from '../../support/virtual-daemon.ts';
import { type VirtualUnnestd, virtualUnnestd } from '../../support/virtual-unnestd.ts';

const spec = {
  source: 'Channel',
  primary: { domain: 'team-a-vm', reserved: { vcpus: 1, memory: '64MiB' } },
};
const run = {
  domainName: 'team-a-vm',
  uuid: '5d1f0a4e-7a53-4a4b-9d0c-0d6b6f3c0c03' as DomainUuid,
  runId: 4,
  cid: 101,
};

let unnestd: VirtualUnnestd;
let caller: Caller;
beforeEach(async () => {
  unnestd = await virtualUnnestd({ spec });
  unnestd.hosts.running.push(run);
  caller = await connected();
});

async function connected(): Promise<Caller> {
  const peer = { cid: 101, port: 700, isAlive: () => true };
  const next = callerOn(unnestd.runtime.sockets.connectFromVm(1021, peer));
  await unnestd.runtime.advance(100);
  await settled();
  return next;
}

/** What comes of it once the host has had its time. */
async function ask(method: string, path: string, body?: object) {
  const answering = caller.ask(method, path, body);
  await unnestd.runtime.advance(3000);
  return bodyOf(await answering);
}

const files = (...names: readonly string[]) => ({
  files: names.map((name) => ({ path: `${name}.yaml`, text: secondaryText(name) })),
});
const folder = { folder: { isComplete: true } };
const domains = () =>
  [...unnestd.world.domains.values()].map(({ domainName }) => domainName).sort();
const status = async () => (await ask('GET', '/v1/partition')) as unknown as Status;
interface Status {
  readonly generation: number;
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly message: string;
  }[];
}
const condition = async (type: string) =>
  (await status()).conditions.find((each) => each.type === type);

test('a Primary reads the metrics and the usage of its partition, and of no other', async () => {
  await ask('PUT', '/v1/partition/desired', files('web'));
  const answering = caller.ask('GET', '/v1/partition/metrics');
  await unnestd.runtime.advance(100);
  const text = await answering;
  expect(text).toContain('unnest_submissions_total{source="Channel",result="Accepted"} 1');
  expect(text).toContain('unnest_partition_secondaries{partition="team-a"} 1');
  expect(text).not.toMatch(/unnest_(partitions|libvirt|queue|host|channel)/);
  expect(await ask('GET', '/v1/partition/usage?secondaries=1')).toMatchObject({
    secondaries: [{ name: 'web' }],
  });
});

/**
 * All that was written to the host, and what is on the disk; but for the books, which tell of plans too, and
 * for what guests write to their consoles meanwhile.
 */
function written() {
  const { disk } = unnestd.runtime;
  const paths = disk
    .filesBelow('/var/lib/unnest')
    .filter((path) => !/\/(?:audit|consoles)\//.test(path));
  const calls = unnestd.hosts.faults.calls.filter(({ writes }) => writes).length;
  return { calls, files: paths.map((path) => [path, disk.text(path)]) };
}

test('what a Primary hands in is made real', async () => {
  expect(await ask('PUT', '/v1/partition/desired', files('web'))).toMatchObject({
    status: 'accepted',
    bundle: { generation: 1, source: 'Channel', submitter: 'Primary team-a-vm, CID 101' },
  });
  await unnestd.runtime.advance(10_000);
  expect(domains()).toEqual(['unnest.team-a.web']);
});

test('a plan says what would be done, and nothing comes of it', async () => {
  await ask('PUT', '/v1/partition/desired', files('web'));
  await unnestd.runtime.advance(10_000);
  const before = written();
  const answer = await ask('POST', '/v1/partition/plan', files('web', 'db'));
  expect(written()).toEqual(before);
  expect(answer).toMatchObject({ status: 'planned', generation: 1 });
  const { entries } = answer['plan'] as { entries: { kind: string; resource: { name: string } }[] };
  const kinds = entries.map(({ kind, resource }) => `${kind} ${resource.name}`);
  expect(kinds).toEqual(expect.arrayContaining(['create db', 'unchanged web']));
  await unnestd.runtime.advance(400_000);
  expect(domains()).toEqual(['unnest.team-a.web']);
  // A connection that asks nothing for so long is no more.
  caller = await connected();
  expect(await status()).toMatchObject({ generation: 1 });
});

test('a plan of documents that are wrong says where', async () => {
  const wrong = { files: [{ path: 'web.yaml', text: 'kind: Nonsense\n' }] };
  const answer = await ask('POST', '/v1/partition/plan', wrong);
  expect(answer).toMatchObject({ code: 'Invalid', diagnostics: [{ file: 'web.yaml' }] });
});

test('while the partition is emptied nothing is planned, as nothing is taken', async () => {
  const operator = callerOn(
    unnestd.runtime.sockets.connect('/run/unnest/operator.sock', { uid: 0, gid: 0, pid: 9 }),
  );
  const draining = operator.ask('POST', '/v1/partitions/team-a/drain', { confirm: 'team-a' });
  await unnestd.runtime.advance(100);
  expect(await draining).toContain('HTTP/1.1 200');
  const answer = await ask('POST', '/v1/partition/plan', files('web'));
  expect(answer).toMatchObject({ code: 'Draining' });
});

test('a plan that would delete everything is refused as an apply is', async () => {
  await ask('PUT', '/v1/partition/desired', files('web'));
  await unnestd.runtime.advance(10_000);
  const kindOf = async (more: object) => {
    const { plan } = (await ask('POST', '/v1/partition/plan', { files: [], ...more })) as {
      plan: { entries: { kind: string; resource: { name: string } }[] };
    };
    return plan.entries.find(({ resource }) => resource.name === 'web')?.kind;
  };
  expect(await kindOf({})).toBe('blocked');
  expect(await kindOf({ deleteEverything: true })).toBe('delete');
});

describe('a folder that is handed in', () => {
  test('keeps what is missing while somebody may still be writing', async () => {
    await ask('PUT', '/v1/partition/desired', { ...files('web', 'db'), ...folder });
    await unnestd.runtime.advance(10_000);
    const half = { ...files('web'), folder: { isComplete: false } };
    await ask('PUT', '/v1/partition/desired', half);
    await unnestd.runtime.advance(10_000);
    expect(domains()).toEqual(['unnest.team-a.db', 'unnest.team-a.web']);
    await ask('PUT', '/v1/partition/desired', { ...files('web'), ...folder });
    await unnestd.runtime.advance(60_000);
    expect(domains()).toEqual(['unnest.team-a.web']);
  });

  test('does not bring back what was rolled back, until it is another', async () => {
    await ask('PUT', '/v1/partition/desired', { ...files('web'), ...folder });
    await ask('PUT', '/v1/partition/desired', { ...files('web', 'db'), ...folder });
    expect(await ask('POST', '/v1/partition/rollback', { generation: 1 })).toMatchObject({
      bundle: { generation: 3 },
    });
    const again = await ask('PUT', '/v1/partition/desired', { ...files('web', 'db'), ...folder });
    expect(again).toMatchObject({ code: 'RolledBack' });
    const other = await ask('PUT', '/v1/partition/desired', { ...files('db'), ...folder });
    expect(other).toMatchObject({ bundle: { generation: 4 } });
  });

  test('is not in the way of somebody who brings it back by hand', async () => {
    await ask('PUT', '/v1/partition/desired', { ...files('web'), ...folder });
    await ask('PUT', '/v1/partition/desired', { ...files('web', 'db'), ...folder });
    await ask('POST', '/v1/partition/rollback', { generation: 1 });
    const byHand = await ask('PUT', '/v1/partition/desired', files('web', 'db'));
    expect(byHand).toMatchObject({ status: 'accepted', bundle: { generation: 4 } });
  });

  test('that is wrong is said in the status too, where somebody looks who has not handed it in', async () => {
    await ask('PUT', '/v1/partition/desired', {
      files: [{ path: 'web.yaml', text: 'kind: Nonsense\n' }],
      ...folder,
    });
    expect(await condition('DocumentsValid')).toMatchObject({ status: 'False' });
  });
});

describe('a console', () => {
  const path = '/v1/partition/secondaries/web/console';

  test('is read for as long as somebody listens, from what was said last', async () => {
    await ask('PUT', '/v1/partition/desired', files('web'));
    await unnestd.runtime.advance(10_000);
    const listener = await connected();
    await listener.ask('GET', path);
    await unnestd.runtime.advance(5000);
    await settled();
    const data = [...listener.heard().matchAll(/"data":"([^"]+)"/g)].map(([, text = '']) =>
      Buffer.from(text, 'base64').toString(),
    );
    expect(data.join('')).toMatch(/simulated guest web up \d+ s, 1 vCPU/);
    listener.stream.destroy();
  });

  test('has a log, of what it has written before anybody read', async () => {
    await ask('PUT', '/v1/partition/desired', files('web'));
    await unnestd.runtime.advance(20_000);
    const log = '/v1/partition/secondaries/web/log';
    const answer = await caller.ask('GET', `${log}?previous=0&follow=0`);
    const text = [...answer.matchAll(/"data":"([^"]+)"/g)].map(([, data = '']) =>
      Buffer.from(data, 'base64').toString(),
    );
    expect(text.join('')).toMatch(/simulated guest web up 10 s/);
    expect(answer).toContain('{"kind":"end","message":null}');
    expect(await ask('GET', log.replace('web', 'db'))).toMatchObject({ code: 'NoSuchSecondary' });
    expect(await ask('GET', `${log}?run=3`)).toMatchObject({ code: 'BadRequest' });
  });

  test('is typed on by one of those who read it', async () => {
    await ask('PUT', '/v1/partition/desired', files('web'));
    await unnestd.runtime.advance(10_000);
    const listener = await connected();
    await listener.ask('GET', path);
    await unnestd.runtime.advance(100);
    await settled();
    const reader = /"opened","reader":"([^"]+)"/.exec(listener.heard())?.[1] ?? '';
    const data = Buffer.from('uname -a\r').toString('base64');
    const input = `${path}/input`;
    expect(await ask('POST', input, { reader, data })).toMatchObject({ code: 'NotTyping' });
    expect(await ask('POST', `${path}/writer`, { reader })).toMatchObject({ status: 'ok' });
    const second = await connected();
    await second.ask('GET', path);
    const other = /"opened","reader":"([^"]+)"/.exec(second.heard())?.[1] ?? '';
    expect(await ask('POST', `${path}/writer`, { reader: other })).toMatchObject({
      code: 'SomebodyTypes',
      detail: 'Primary team-a-vm, CID 101 types on the console of web',
    });
    expect(await ask('POST', input, { reader, data })).toMatchObject({ status: 'ok' });
    await settled();
    expect(listener.heard()).toContain(data);
    expect(second.heard()).toContain(data);
    const taken = await ask('POST', `${path}/writer`, { reader: other, force: true });
    expect(taken).toMatchObject({ status: 'ok' });
    expect(listener.heard()).toContain('"replaced"');
    // Whoever goes types no more.
    second.stream.destroy();
    await settled();
    const gone = await ask('POST', input, { reader: other, data });
    expect(gone).toMatchObject({ code: 'NotTyping' });
    listener.stream.destroy();
  });

  test('is only that of a Secondary that runs', async () => {
    expect(await ask('GET', path)).toMatchObject({ code: 'NoSuchSecondary' });
    await ask('PUT', '/v1/partition/desired', files('web'));
    const none = '/v1/partition/secondaries/db/console';
    expect(await ask('GET', none)).toMatchObject({ code: 'NoSuchSecondary' });
    await ask('PUT', '/v1/partition/desired', {
      files: [{ path: 'web.yaml', text: secondaryText('web', { spec: { runPolicy: 'Halted' } }) }],
    });
    await unnestd.runtime.advance(200_000);
    caller = await connected();
    expect(await ask('GET', path)).toMatchObject({ code: 'GuestNotRunning' });
  });
});

describe('an agent', () => {
  test('is known while it is connected, and is one', async () => {
    expect(await condition('AgentConnected')).toMatchObject({ status: 'False' });
    const agent = await connected();
    expect(await agent.ask('GET', '/v1/partition/agent')).toContain('"attached"');
    await unnestd.runtime.advance(0);
    expect(await condition('AgentConnected')).toMatchObject({
      status: 'True',
      message: 'Primary team-a-vm, CID 101',
    });
    expect(await ask('GET', '/v1/partition/agent')).toMatchObject({ code: 'AgentElsewhere' });
    agent.stream.destroy();
    await settled();
    await unnestd.runtime.advance(0);
    expect(await condition('AgentConnected')).toMatchObject({ status: 'False' });
  });

  test('keeps its place for as long as it answers beats, and no longer', async () => {
    const agent = await connected();
    await agent.ask('GET', '/v1/partition/agent');
    const beats = async (answers: boolean) => {
      const before = agent.heard().match(/"beat"/g)?.length ?? 0;
      await unnestd.runtime.advance(20_000);
      await settled();
      if (answers) await ask('POST', '/v1/partition/agent/beat', {});
      return (agent.heard().match(/"beat"/g)?.length ?? 0) - before;
    };
    for (let count = 0; count < 6; count += 1) expect(await beats(true)).toBe(1);
    for (let count = 0; count < 3; count += 1) expect(await beats(false)).toBe(1);
    caller = await connected();
    expect(await condition('AgentConnected')).toMatchObject({ status: 'True' });
    expect(await beats(false)).toBe(0);
    expect(await condition('AgentConnected')).toMatchObject({ status: 'False' });
    const late = await ask('POST', '/v1/partition/agent/beat', {});
    expect(late).toMatchObject({ code: 'AgentElsewhere' });
  });
});

test('what was accepted stays in force when the Primary is gone', async () => {
  await ask('PUT', '/v1/partition/desired', files('web'));
  unnestd.hosts.running.length = 0;
  unnestd.hosts.touch({
    kind: 'domain',
    domainName: 'team-a-vm',
    uuid: run.uuid,
    event: 'stopped',
  });
  await unnestd.runtime.advance(10_000);
  await settled();
  expect(caller.isEnded()).toBe(true);
  expect(domains()).toEqual(['unnest.team-a.web']);
});

test('nobody else may hand in: not the host’s operator, by a folder or by hand', async () => {
  await unnestd.write(secondaryText('web'));
  expect(domains()).toEqual([]);
});

test('a Primary with a socket of its own speaks there, and by its CID no more', async () => {
  const channelSockets = new Map([['team-a' as PartitionName, '/srv/team-a/v.sock']]);
  const other = await virtualUnnestd({ spec, configured: { channelSockets } });
  other.hosts.running.push(run);
  const bySocket = callerOn(other.runtime.sockets.connect('/srv/team-a/v.sock_1021'));
  await settled();
  expect(bodyOf(await bySocket.ask('GET', '/v1/version'))).toMatchObject({ partition: 'team-a' });
  const peer = { cid: 101, port: 700, isAlive: () => true };
  expect(() => other.runtime.sockets.connectFromVm(1021, peer)).toThrow('nobody listens');
});

test('what was handed in before does not come back by being sent again', async () => {
  const put = (generation: number, ...names: readonly string[]) =>
    ask('PUT', '/v1/partition/desired', { ...files(...names), generation });
  expect(await put(5, 'web')).toMatchObject({ status: 'accepted', bundle: { generation: 5 } });
  expect(await put(7, 'web', 'db')).toMatchObject({ status: 'accepted' });
  // Replayed as it was, of before, and the same generation with other content.
  expect(await put(7, 'web', 'db')).toMatchObject({ status: 'unchanged' });
  expect(await put(5, 'web')).toMatchObject({ status: 409, code: 'StaleGeneration' });
  expect(await put(6, 'other')).toMatchObject({ status: 409, code: 'StaleGeneration' });
  expect(await put(7, 'other')).toMatchObject({ status: 409, code: 'GenerationReused' });
  expect(domains()).toEqual(['unnest.team-a.db', 'unnest.team-a.web']);
});

describe('the NIC that a Primary is given', () => {
  interface WithNic {
    readonly primaryNic: Readonly<Record<string, unknown>>;
  }
  const nic = async () => ((await ask('GET', '/v1/partition')) as unknown as WithNic).primaryNic;
  const granting = { ...spec.primary, grants: ['network'] };

  test('is told to it with its address, and not any more when it is taken out', async () => {
    unnestd = await virtualUnnestd({
      spec: { source: 'Channel', primary: granting, network: { cidr: '10.20.0.0/24' } },
    });
    unnestd.world.primaries.set('team-a-vm', simulatedPrimary({ livePlugs: [] }));
    unnestd.hosts.running.push(run);
    caller = await connected();
    await ask('PUT', '/v1/partition/desired', files('web'));
    await unnestd.runtime.advance(20_000);
    const plug = unnestd.world.primaries.get('team-a-vm')?.livePlugs?.[0];
    expect(await nic()).toEqual({
      status: 'Plugged',
      mac: plug?.mac,
      address: expect.stringMatching(/^10\.20\.0\.\d+$/),
      prefixLength: 24,
    });
  });

  test('is none where none is granted', async () => {
    const none = { status: 'None', mac: null, address: null, prefixLength: null };
    unnestd.world.primaries.set('team-a-vm', simulatedPrimary({ livePlugs: [] }));
    await ask('PUT', '/v1/partition/desired', files('web'));
    await unnestd.runtime.advance(20_000);
    expect(await nic()).toEqual(none);
  });
});
