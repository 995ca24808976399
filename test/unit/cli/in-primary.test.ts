/** Commands in a Primary: through its agent, which speaks for one partition, and with no host to look at. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withAgentPlace } from '../../../src/bin/agent-place.ts';
import { type ApiServer, makeApiServer } from '../../../src/channel/api-server.ts';
import { daemonClient } from '../../../src/channel/client.ts';
import { unixTransport } from '../../../src/channel/client-transport.ts';
import { primaryLimits } from '../../../src/channel/limits.ts';
import { primaryScope } from '../../../src/channel/scope.ts';
import { machineRuntime } from '../../../src/daemon/machine/machine-runtime.ts';
import {
  fakeControl,
  type FakeControl,
  partitionStatus,
  secondaryReport,
  teamA,
} from '../channel/fake-control.ts';
import { desired, partition, planPass, secondary } from '../../support/passes.ts';
import { testHost, worldOf } from '../../support/simulation.ts';
import { run as runCommand } from './run.ts';

let folder: string;
let host: FakeControl;
let api: ApiServer;
let server: Server;
let socket: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'unnest-in-primary-'));
  socket = join(folder, 'agent.sock');
  host = fakeControl();
  host.set(partitionStatus({ secondaries: [secondaryReport()] }));
  api = await makeApiServer({
    control: host.control,
    runtime: machineRuntime(),
    scope: primaryScope(teamA),
    limits: primaryLimits,
    onBug: (error) => expect.unreachable(String(error)),
  });
  server = createServer({ allowHalfOpen: true }, (stream) =>
    api.take(stream, { words: 'Primary vm, CID 7', party: 'it' }),
  );
  await new Promise<void>((done) => server.listen(socket, done));
  writeFileSync(join(folder, 'agent.json'), JSON.stringify({ socket, partition: teamA }));
});
afterEach(async () => {
  server.close();
  await api.close();
  rmSync(folder, { recursive: true });
});

/** With what the agent says of itself, as in a Primary. */
function run(argv: readonly string[], more: { readonly answer?: string } = {}) {
  const paths = { agentFile: join(folder, 'agent.json'), operatorSocket: join(folder, 'none') };
  const variables = Object.fromEntries(withAgentPlace(new Map(), paths));
  return runCommand(argv, { variables, ...more });
}

const document = `apiVersion: unnest.dev/v1
kind: Secondary
metadata: { name: web }
spec: { vcpus: 1, memory: 64MiB, boot: { kernel: { file: vmlinuz } } }
`;

function documents(text = document): string {
  const path = join(folder, 'web.yaml');
  writeFileSync(path, text);
  return path;
}

test('the partition need not be named, and no other can be', async () => {
  expect((await run(['get'])).stdout).toMatch(/^web +Running/m);
  expect((await run(['status'])).stdout).toMatch(/^team-a: Synced/m);
  const other = await run(['get', '-p', 'team-b']);
  expect(other.stderr).toContain('this is the Primary of team-a, and knows no team-b');
});

test('one Secondary is described as the host says', async () => {
  const { code, stdout } = await run(['describe', 'web']);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^web: Running\n {2}domain {3}unnest\.team-a\.web .*\n {2}address {2}10\.20\.0\.2$/m,
  );
  expect((await run(['describe', 'wep'])).stderr).toContain('did you mean web?');
});

describe('a plan', () => {
  test('is the host’s own, in the words that it has there', async () => {
    const plan = await planPass(
      testHost(worldOf({ files: ['vmlinuz'] })),
      desired(secondary('web')),
    );
    host.planned = { status: 'planned', plan, generation: 6 };
    const { code, stdout } = await run(['plan', '-f', documents()]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\+ web/);
    expect(host.calls).toMatchObject([
      { method: 'plan', args: [partition, { files: [{ text: document }], deletionsMax: null }] },
    ]);
  });

  test('of documents that are wrong is none, with place and caret', async () => {
    host.planned = async () => ({
      status: 'refused',
      code: 'Invalid',
      message: 'web.yaml:4:9: InvalidValue',
      diagnostics: [
        {
          code: 'InvalidValue',
          file: 'web.yaml',
          line: 4,
          column: 9,
          path: 'spec.vcpus',
          message: 'not that many',
          remedy: null,
          excerpt: 'spec: { vcpus: 1',
        },
      ],
    });
    const { code, stderr } = await run(['plan', '-f', documents()]);
    expect(code).toBe(4);
    expect(stderr).toMatch(/web\.yaml:4:9.*InvalidValue/);
  });

  test('is not saved to be carried out: the host makes its own', async () => {
    const { code, stderr } = await run([
      'plan',
      '-f',
      documents(),
      '--out',
      join(folder, 'p.json'),
    ]);
    expect(code).toBe(64);
    expect(stderr).toContain('unnestd makes its own plans');
  });
});

test('apply asks with the host’s plan, and hands in what was agreed to', async () => {
  const { code, stdout } = await run(['apply', '-f', documents(), '--no-wait', '--yes']);
  expect(stdout).toContain('accepted generation 7');
  expect(code).toBe(0);
  expect(host.calls).toMatchObject([{ method: 'submit', args: [teamA, { source: 'Channel' }] }]);
});

test('a console is read through the agent, as text', async () => {
  host.console = {
    status: 'ready',
    read: ({ onBytes, onEnd }) => {
      onBytes(Buffer.from('Linux boots\r\nlo'));
      onBytes(Buffer.from('gin: \u001b[1mroot\n'));
      queueMicrotask(() => onEnd(null));
      return () => undefined;
    },
  };
  expect(await run(['console', 'web'])).toEqual({
    code: 0,
    stderr: '',
    stdout: 'Linux boots\nlogin: root\n',
  });
  expect((await run(['console', 'web', '--lines', '1'])).stdout).toBe('Linux boots\n');
});

test('a console that breaks off is no console that has ended', async () => {
  host.console = {
    status: 'ready',
    read: ({ onBytes, onEnd }) => {
      onBytes(Buffer.from('Linux boots\n'));
      queueMicrotask(() => onEnd('somebody else has it'));
      return () => undefined;
    },
  };
  const { code, stdout, stderr } = await run(['console', 'web']);
  expect(code).toBe(5);
  expect(stdout).toBe('Linux boots\n');
  expect(stderr).toContain('reading the console of web: somebody else has it');
});

describe('the log of a console', () => {
  const lines = 'one\r\ntwo\u001b[1m\r\nthree\r\n';
  beforeEach(() => {
    host.log = {
      status: 'ready',
      read: ({ onBytes, onNow, onEnd }) => {
        onBytes(Buffer.from(lines.slice(0, 7)));
        onBytes(Buffer.from(lines.slice(7)));
        onNow();
        onBytes(Buffer.from('four\n'));
        queueMicrotask(() => onEnd(null));
        return () => undefined;
      },
    };
  });

  test.each([
    [[], 'one\ntwo\nthree\nfour\n', { previous: false, follow: false }],
    [['--previous'], 'one\ntwo\nthree\nfour\n', { previous: true, follow: false }],
    [['--tail', '2', '-f'], 'two\nthree\nfour\n', { previous: false, follow: true }],
    [['--tail', '0'], 'four\n', { previous: false, follow: false }],
    [['--tail', '3'], 'one\ntwo\nthree\nfour\n', { previous: false, follow: false }],
    [['--tail', '99'], 'one\ntwo\nthree\nfour\n', { previous: false, follow: false }],
  ])('is read through the agent, as text: %j', async (argv, stdout, wish) => {
    expect(await run(['logs', 'web', ...argv])).toEqual({ code: 0, stderr: '', stdout });
    expect(host.calls).toContainEqual({ method: 'consoleLog', args: [teamA, 'web', wish] });
  });

  test('is none where none is kept, nor by the host itself', async () => {
    host.log = { status: 'refused', code: 'NoConsoleLogs', message: 'none are kept' };
    const none = await run(['logs', 'web']);
    expect(none.code).toBe(64);
    expect(none.stderr).toContain('unnest console');
    const byHost = await runCommand(['logs', 'web', '--host', 'qemu:///system']);
    expect(byHost.code).toBe(64);
    expect(byHost.stderr).toContain('logs are kept by unnestd');
  });
});

test('a Secondary that does not run has none', async () => {
  const { code, stderr } = await run(['console', 'web']);
  expect(code).toBe(3);
  expect(stderr).toContain('web does not run');
});

test('what needs the host says so', async () => {
  const { code, stderr } = await run(['get', '--kind', 'volumes']);
  expect(code).toBe(64);
  expect(stderr).toContain('this needs the host');
});

test.each(['start', 'stop', 'restart'])('%s is asked for', async (action) => {
  expect((await run([action, 'web'])).code).toBe(0);
  expect(host.calls).toMatchObject([
    { method: 'power', args: [teamA, 'web', action, 'Primary vm, CID 7', { party: 'it' }] },
  ]);
});

test('pausing is for operators', async () => {
  const { code, stderr } = await run(['pause', 'web', '--reason', 'x']);
  expect(code).toBe(64);
  expect(stderr).toContain("ask the host's operator");
});

test.each([[['plan', '-f', '.']], [['describe', 'web']]])(
  'a daemon that hangs keeps nobody from going to the host by themselves: %j',
  async (argv) => {
    const hanging = createServer(() => undefined);
    const path = join(folder, 'hangs.sock');
    await new Promise<void>((done) => hanging.listen(path, done));
    const client = daemonClient(unixTransport(path));
    const given = argv.map((word) => (word === '.' ? documents() : word));
    const { stderr } = await runCommand(given, { findDaemon: async () => client });
    // No libvirtd is found, and that is what is said in the end.
    expect(stderr).toContain('/nonexistent/libvirt-sock');
    expect(stderr).toContain('has not answered within 5 s: this is said without unnestd\n');
    hanging.close();
  },
  20_000,
);

describe('an agent', () => {
  const listening = async (take: (stream: Socket) => void) => {
    const path = join(folder, 'other.sock');
    const other = createServer(take);
    await new Promise<void>((done) => other.listen(path, done));
    writeFileSync(join(folder, 'agent.json'), JSON.stringify({ socket: path, partition: teamA }));
    return other;
  };
  const commands = [[['console', 'web']], [['describe', 'web']], [['plan', '-f', '.']]];

  test('that is busy is waited for', async () => {
    const passOn = (near: Socket) => void near.pipe(connect(socket)).pipe(near);
    const kept: Socket[] = [];
    // Once each has asked it waits for longer than a command on a host does, which has that to look at instead.
    const busy = await listening((near) => {
      if (kept.length === commands.length) return passOn(near);
      kept.push(near);
      if (kept.length === commands.length) setTimeout(() => kept.forEach(passOn), 5500);
    });
    const [reading, describing, planning] = await Promise.all([
      run(['console', 'web']),
      run(['describe', 'web']),
      run(['plan', '-f', documents()]),
    ]);
    expect(reading).toMatchObject({ code: 3, stdout: '' });
    expect(reading.stderr).toMatch(/^error: web does not run\n/);
    expect(describing).toMatchObject({ code: 0, stderr: '' });
    expect(describing.stdout).toMatch(/^web: Running\n {2}domain {3}unnest\.team-a\.web /);
    expect(planning).toEqual({ code: 0, stdout: 'No changes: 0 unchanged.\n', stderr: '' });
    busy.close();
  });

  test.each(commands)('that has gone is said to have: %j', async (argv) => {
    (await listening(() => undefined)).close();
    const { code, stderr } = await run(argv.map((word) => (word === '.' ? documents() : word)));
    expect(code).toBe(5);
    expect(stderr).toContain(`there is no ${join(folder, 'other.sock')}`);
    expect(stderr).not.toContain('libvirt');
  });
});

describe('where commands go', () => {
  const paths = () => ({
    agentFile: join(folder, 'agent.json'),
    operatorSocket: join(folder, 'op'),
  });

  test('what somebody has said counts more than what the agent says', () => {
    const said = new Map([
      ['UNNEST_PARTITION', 'mine'],
      ['UNNEST_SOCKET', ''],
    ]);
    expect(Object.fromEntries(withAgentPlace(said, paths()))).toEqual({
      UNNEST_PARTITION: 'mine',
      UNNEST_SOCKET: socket,
    });
  });

  test('on a host the agent says nothing, and what is no word of an agent is none', () => {
    writeFileSync(paths().operatorSocket, '');
    expect(withAgentPlace(new Map(), paths())).toEqual(new Map());
    rmSync(paths().operatorSocket);
    writeFileSync(paths().agentFile, '{');
    expect(withAgentPlace(new Map(), paths())).toEqual(new Map());
    writeFileSync(paths().agentFile, JSON.stringify({ socket, partition: null }));
    expect(withAgentPlace(new Map(), paths())).toEqual(new Map([['UNNEST_SOCKET', socket]]));
  });
});
