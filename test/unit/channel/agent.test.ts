/** The agent, between a folder and commands of its VM on one side and a fake host on the other. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runAgent } from '../../../src/channel/agent/agent.ts';
import type { AgentEvent } from '../../../src/channel/agent/agent-event.ts';
import { type ApiServer, makeApiServer } from '../../../src/channel/api-server.ts';
import { type DaemonClient, daemonClient } from '../../../src/channel/client.ts';
import { unixTransport } from '../../../src/channel/client-transport.ts';
import { primaryLimits } from '../../../src/channel/limits.ts';
import { primaryScope } from '../../../src/channel/scope.ts';
import type { SubmittedFiles } from '../../../src/channel/control.ts';
import { type VirtualLinks, virtualLinks } from '../../support/virtual-links.ts';
import { machineRuntime } from '../../../src/daemon/machine/machine-runtime.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import {
  fakeControl,
  type FakeControl,
  historyEntry,
  partitionStatus,
  teamA,
  web,
} from './fake-control.ts';
import { waitFor } from '../../support/wait-for.ts';

const { signal } = new AbortController();

interface Place {
  readonly host: FakeControl;
  readonly events: AgentEvent[];
  /** What others in the VM would use. */
  readonly client: DaemonClient;
  readonly runDir: string;
  readonly folder: string;
  state(): Record<string, unknown>;
  submitted(): readonly SubmittedFiles[];
  /** The host is there, anew if it was there before. */
  hostBegins(): Promise<void>;
  hostEnds(): Promise<void>;
  /** As `hostEnds`, without another word to anybody. */
  hostBreaks(): Promise<void>;
  /** For whoever asks the agent: as if all that comes were said at once. */
  clockStops(): void;
  begin(options?: { readonly watch?: boolean; readonly links?: VirtualLinks }): void;
  end(): Promise<void>;
}

let place: Place;
beforeEach(() => {
  place = agentPlace();
});
afterEach(() => place.end());

function agentPlace(): Place {
  const root = mkdtempSync(join(tmpdir(), 'unnest-agent-'));
  const [hostSocket, runDir, folder] = ['host.sock', 'run', 'desired'].map((name) =>
    join(root, name),
  ) as [string, string, string];
  mkdirSync(folder);
  const machine = machineRuntime();
  let stoppedAtMs: number | null = null;
  const now = () => stoppedAtMs ?? machine.clock.now();
  const runtime = { ...machine, clock: { ...machine.clock, now } };
  const host = fakeControl();
  const events: AgentEvent[] = [];
  const ending = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let served: { readonly api: ApiServer; readonly server: Server } | null = null;
  const open = new Set<Socket>();
  const hostEnds = async () => {
    const ended = served;
    served = null;
    ended?.server.close();
    await ended?.api.close();
  };
  return {
    host,
    events,
    runDir,
    folder,
    client: daemonClient(unixTransport(join(runDir, 'agent.sock'))),
    state: () => JSON.parse(readFileSync(join(runDir, 'agent.json'), 'utf8')),
    submitted: () =>
      host.calls.flatMap(({ method, args }) =>
        method === 'submit' ? [args[1] as SubmittedFiles] : [],
      ),
    hostBegins: async () => {
      const api = await makeApiServer({
        control: host.control,
        runtime,
        scope: primaryScope(teamA),
        limits: primaryLimits,
        onBug: (error) => expect.unreachable(String(error)),
      });
      const server = createServer({ allowHalfOpen: true }, (stream) => {
        open.add(stream);
        api.take(stream, { words: 'Primary vm, CID 7', party: 'it' });
      });
      await new Promise<void>((done) => server.listen(hostSocket, done));
      served = { api, server };
    },
    hostEnds,
    hostBreaks: async () => {
      for (const stream of open) stream.destroy();
      await hostEnds();
    },
    clockStops: () => {
      stoppedAtMs = machine.clock.now();
    },
    begin: ({ watch = true, links = null } = {}) => {
      const dial = () =>
        new Promise<Socket>((done, fail) => {
          const socket = createConnection(hostSocket, () => done(socket));
          socket.once('error', fail);
        });
      running = runAgent(
        {
          version: '1.2.3',
          runtime,
          dial,
          hostName: 'the host',
          runDir,
          group: null,
          folder: watch ? folder : null,
          links,
          emit: (event) => events.push(event),
        },
        ending.signal,
      );
    },
    end: async () => {
      ending.abort();
      await running;
      await hostEnds();
      rmSync(root, { recursive: true });
    },
  };
}

/** As a tool that knows how puts it there: whole. It counts once nothing has changed for two seconds. */
function put(name: string, text: string): void {
  writeFileSync(join(place.folder, `.${name}`), text);
  renameSync(join(place.folder, `.${name}`), join(place.folder, name));
}

const isConnected = () => waitFor(() => expect(place.state()).toMatchObject({ connected: true }));

describe('what the folder holds', () => {
  test('is handed in, as the host would take it from a folder of its own', async () => {
    put('web.yaml', 'kind: Secondary\n');
    await place.hostBegins();
    place.begin();
    await waitFor(() => {
      const last = place.submitted().at(-1);
      expect(last).toMatchObject({
        source: 'Channel',
        files: [{ path: 'web.yaml', text: 'kind: Secondary\n' }],
        folder: { isComplete: true },
        deleteEverything: false,
      });
    });
    await waitFor(() =>
      expect(place.state()).toMatchObject({
        partition: 'team-a',
        folder: { status: 'accepted', generation: 7 },
      }),
    );
    expect(place.events).toContainEqual({ kind: 'accepted', generation: 7 });
  });

  test('is handed in once there is a host, and again when it is back', async () => {
    put('web.yaml', 'one\n');
    place.begin();
    await waitFor(() => expect(place.events).toMatchObject([{ kind: 'disconnected' }]));
    await place.hostBegins();
    await waitFor(() => expect(place.submitted()).not.toEqual([]));
    await place.hostEnds();
    await waitFor(() => expect(place.state()).toMatchObject({ connected: false }));
    const before = place.submitted().length;
    await place.hostBegins();
    await waitFor(() => expect(place.submitted().length).toBeGreaterThan(before));
  });

  test('is told to be wrong with the host’s own words, once, and tried again when it is another', async () => {
    place.host.result = {
      status: 'refused',
      code: 'Invalid',
      message: 'web.yaml:1:1: UnknownKind: no such kind',
      diagnostics: [],
    };
    put('web.yaml', 'kind: Nonsense\n');
    await place.hostBegins();
    place.begin();
    const refusals = () => place.events.filter(({ kind }) => kind === 'refused');
    await waitFor(() => expect(refusals()).toHaveLength(1));
    expect(refusals()).toMatchObject([
      { code: 'Invalid', message: expect.stringContaining('UnknownKind') },
    ]);
    place.host.result = { status: 'accepted', bundle: historyEntry(8) };
    put('web.yaml', 'kind: Secondary\n');
    await waitFor(() => expect(place.events).toContainEqual({ kind: 'accepted', generation: 8 }));
    expect(refusals()).toHaveLength(1);
  });

  test('counts and nothing else does: whoever hands in documents beside it is told', async () => {
    await place.hostBegins();
    place.begin();
    await isConnected();
    const handing = place.client.submit(teamA, { files: [] }, signal);
    await expect(handing).rejects.toMatchObject({
      code: 'NotTheSource',
      message: expect.stringContaining(place.folder),
    });
  });
});

describe('what others in the VM ask', () => {
  test('is asked of the host, and answered as it is', async () => {
    await place.hostBegins();
    place.begin({ watch: false });
    await isConnected();
    expect(await place.client.about(signal)).toMatchObject({ partition: 'team-a' });
    expect(await place.client.status(teamA, signal)).toMatchObject({ partition: 'team-a' });
    expect(await place.client.partitions(signal)).toMatchObject({
      items: [{ partition: 'team-a' }],
      promised: null,
    });
    expect(await place.client.retry(teamA, signal)).toBe('taken down');
    expect(await place.client.plan(teamA, { files: [] }, signal)).toMatchObject({
      status: 'planned',
      generation: 6,
    });
    await place.client.submit(teamA, { files: [] }, signal);
    expect(place.submitted()).toMatchObject([{ source: 'Channel', folder: null }]);
    await expect(place.client.drain(teamA, signal)).rejects.toMatchObject({
      code: 'OperatorsOnly',
    });
  });

  test('with a key comes to the host with it, the first time and again', async () => {
    await place.hostBegins();
    place.begin({ watch: false });
    await isConnected();
    const again = {
      newKey: () => 'my-key',
      sleep: (ms: number) => new Promise<void>((done) => setTimeout(done, ms)),
    };
    const client = daemonClient(unixTransport(join(place.runDir, 'agent.sock')), { again });
    // Its connection breaks once the order is taken down.
    place.host.answer = async () => {
      place.host.answer = { status: 'ok', message: 'known' };
      await place.hostBreaks();
      await place.hostBegins();
      return { status: 'ok', message: 'nobody hears this' };
    };
    expect(await client.power(teamA, web, 'restart', signal)).toBe('known');
    const orders = place.host.calls.filter(({ method }) => method === 'power');
    expect(orders.map(({ args }) => args[4])).toEqual([
      { key: 'my-key', party: 'it' },
      { key: 'my-key', party: 'it' },
    ]);
  });

  test('to type is, however often, and hinders no work', async () => {
    await place.hostBegins();
    place.begin({ watch: false });
    await isConnected();
    const typed = { reader: '1-x', bytes: Buffer.from('ls\r') };
    for (let count = 0; count < 20; count += 1) {
      await place.client.typeOnConsole(teamA, web, typed, signal);
    }
    expect(await place.client.retry(teamA, signal)).toBe('taken down');
    expect(place.host.calls.filter(({ method }) => method === 'typeOnConsole')).toHaveLength(20);
  });

  test('about another partition is not even asked', async () => {
    await place.hostBegins();
    place.begin({ watch: false });
    await isConnected();
    const asking = place.client.status('team-b' as PartitionName, signal);
    await expect(asking).rejects.toMatchObject({ code: 'NoPartition' });
  });

  test('goes on as a stream for as long as they listen', async () => {
    await place.hostBegins();
    place.begin({ watch: false });
    await isConnected();
    const stop = new AbortController();
    const events = await place.client.events({ after: 'latest', watch: true }, stop.signal);
    place.host.say({ kind: 'gave-up', partition: teamA, attempts: 1, message: 'no' });
    for await (const { event } of events) {
      expect(event).toMatchObject({ kind: 'gave-up' });
      break;
    }
    stop.abort();
    // The status that the agent itself listens to is left, and the agent's stay.
    await waitFor(() => expect(place.host.listeners()).toBe(2));
  });

  test('is answered with why the host is not there', async () => {
    place.begin({ watch: false });
    await waitFor(() => expect(existsSync(join(place.runDir, 'agent.sock'))).toBe(true));
    await expect(place.client.about(signal)).rejects.toMatchObject({ code: 'NoHost' });
  });
});

describe('what somebody in the VM tries', () => {
  /** The agent hands in what the folder holds meanwhile. */
  const byOthers = () => place.submitted().filter(({ folder }) => folder === null).length;

  /** Bytes as they are, and what comes back to them until another has asked after that. */
  async function raw(text: string): Promise<string> {
    const socket = createConnection(join(place.runDir, 'agent.sock'));
    let heard = '';
    socket.on('data', (chunk) => (heard += chunk.toString()));
    socket.on('error', () => undefined);
    socket.write(text);
    await waitFor(() => expect(heard).toContain('\r\n\r\n'));
    expect(await place.client.about(signal)).toMatchObject({ partition: 'team-a' });
    socket.destroy();
    return heard;
  }

  beforeEach(async () => {
    await place.hostBegins();
    place.begin();
    await isConnected();
  });

  test('a request in the body of another is none', async () => {
    const inner =
      'PUT /v1/partition/desired HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{"files":[]}';
    const chunked = `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`;
    const head = 'GET /v1/version HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n';
    const before = byOthers();
    expect(await raw(`${head}${chunked}`)).toMatch(/^HTTP\/1.1 400 /);
    expect(byOthers()).toBe(before);
  });

  test.each([
    'PUT /v1/partition/desired?',
    'PUT /v1/partition/%64esired',
    'PUT /v1/partition/./desired',
    'PUT http://x/v1/partition/desired',
    'PUT /v1//partition/desired',
    'PUT /v1/partition/desired?x=1',
    'PATCH /v1/partition/desired',
    'DELETE /v1/partition/desired',
    'OPTIONS /v1/partition/desired',
  ])('documents beside the folder are not taken, however that is spelt: %s', async (line) => {
    const before = byOthers();
    const head = 'host: x\r\ncontent-type: application/json\r\ncontent-length: 12';
    const answer = await raw(`${line} HTTP/1.1\r\n${head}\r\n\r\n{"files":[]}`);
    expect(answer).toMatch(/^HTTP\/1.1 4\d\d /);
    expect(byOthers()).toBe(before);
  });

  test('orders and looks at the host come to it at a rate of the agent’s own', async () => {
    const asked = async (ask: () => Promise<unknown>) =>
      ask().then(
        () => 'done',
        (error: { readonly code: string }) => error.code,
      );
    const answers: string[] = [];
    place.clockStops();
    for (let count = 0; count < 8; count += 1) {
      answers.push(await asked(() => place.client.retry(teamA, signal)));
      answers.push(await asked(() => place.client.usage(teamA, false, signal)));
    }
    // Ten at once, and one a second; the host takes twenty, of which some are left for the agent itself.
    const of = (answer: string, count: number) => Array.from({ length: count }, () => answer);
    expect(answers).toEqual([...of('done', 10), ...of('TooManyRequests', 6)]);
    const reached = place.host.calls.filter(({ method }) => ['retry', 'usage'].includes(method));
    expect(reached).toHaveLength(10);
  });

  test('streams without end do not keep the agent from the host', async () => {
    const stream = 'GET /v1/partition/status?watch=1 HTTP/1.1\r\nhost: x\r\n\r\n';
    const answered = new Set<Socket>();
    const sockets = Array.from({ length: 30 }, () => {
      const socket = createConnection(join(place.runDir, 'agent.sock'));
      socket.on('error', () => undefined);
      // For most of them there is no room, and that is all that they hear, if anything.
      for (const sign of ['data', 'close']) socket.on(sign, () => answered.add(socket));
      socket.write(stream);
      return socket;
    });
    await waitFor(() => expect(answered.size).toBe(sockets.length));
    const before = place.submitted().length;
    put('web.yaml', `# ${before}\n`);
    await waitFor(() => expect(place.submitted().length).toBeGreaterThan(before));
    for (const socket of sockets) socket.destroy();
  });
});

describe('the agent', () => {
  test('writes down what the host says', async () => {
    await place.hostBegins();
    place.begin();
    const file = join(place.runDir, 'status.json');
    await waitFor(() =>
      expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ generation: 6 }),
    );
    place.host.set(partitionStatus({ generation: 9 }));
    await waitFor(() =>
      expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ generation: 9 }),
    );
  });

  describe('and the NIC that the host has plugged in', () => {
    const mac = '52:54:00:20:00:07';
    const primaryNic = { status: 'Plugged', mac, address: '10.20.0.7', prefixLength: 24 } as const;
    const linksWithNic = () => {
      const links = virtualLinks();
      links.come('eth1', mac);
      return links;
    };

    test('configures it where it is asked to, and says so', async () => {
      await place.hostBegins();
      const links = linksWithNic();
      place.begin({ watch: false, links });
      await waitFor(() => expect(place.state()).toMatchObject({ nic: { status: 'none' } }));
      place.host.set(partitionStatus({ primaryNic }));
      const said = { interface: 'eth1', address: '10.20.0.7/24' };
      await waitFor(() =>
        expect(place.state()).toMatchObject({ nic: { status: 'configured', ...said } }),
      );
      expect(place.events).toContainEqual({ kind: 'nic-configured', ...said });
      // The host is asked for nothing, and told nothing.
      expect(place.host.calls).toEqual([]);
      await place.hostEnds();
      await waitFor(() => expect(place.state()).toMatchObject({ connected: false }));
      expect(links.link('eth1').addresses).toEqual([{ cidr: '10.20.0.7/24', isLeased: false }]);
    });

    test('leaves it alone where it is not', async () => {
      place.host.set(partitionStatus({ primaryNic }));
      await place.hostBegins();
      place.begin({ watch: false });
      await isConnected();
      expect(place.state()).toMatchObject({ nic: null });
    });
  });

  test('is one: a second is told so, and comes in when the first is gone', async () => {
    place.host.agent = 'another one';
    await place.hostBegins();
    place.begin();
    await waitFor(() =>
      expect(place.events).toMatchObject([{ kind: 'disconnected', code: 'AgentElsewhere' }]),
    );
    expect(place.submitted()).toEqual([]);
    place.host.agent = null;
    await isConnected();
  });

  test('ends in good order, and says so', async () => {
    await place.hostBegins();
    place.begin();
    await isConnected();
    const { runDir } = place;
    const socket = join(runDir, 'agent.sock');
    expect(existsSync(socket)).toBe(true);
    await place.hostEnds();
    await waitFor(() => expect(place.host.agent).toBe(null));
  });
});
