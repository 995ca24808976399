/** `unnest ssh` and `unnest port-forward`: to where a Secondary is, or why there is no way. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { DaemonClient } from '../../../../src/channel/client.ts';
import type { Forwarding } from '../../../../src/cli/environment.ts';
import { partition } from '../../../support/passes.ts';
import { partitionStatus, secondaryReport } from '../../channel/fake-control.ts';
import { run as runCommand, type Surroundings } from '../run.ts';

let report = secondaryReport();
let ran: (readonly string[])[];
let forwarded: Forwarding[];
let closed: number;
beforeEach(() => {
  report = secondaryReport();
  ran = [];
  forwarded = [];
  closed = 0;
});

const programs: NonNullable<Surroundings['programs']> = {
  userStateDir: async () => '/home/me/%state/unnest',
  runProgram: async (name, args) => {
    ran.push([name, ...args]);
    return 42;
  },
  forward: async (forwarding) => {
    if (forwarding.from.port === 81) throw new Error('EADDRINUSE');
    forwarded.push(forwarding);
    return { port: forwarding.from.port || 40_000, close: async () => void (closed += 1) };
  },
};

function run(argv: readonly string[], more: Surroundings = {}) {
  // Border: only what the commands use.
  const client = {
    about: async () => ({ version: '1', host: null, stateDir: null, partition }),
    status: async () => partitionStatus({ secondaries: [report] }),
  } as unknown as DaemonClient;
  return runCommand([...argv.slice(0, 1), '-p', partition, ...argv.slice(1)], {
    findDaemon: async () => client,
    programs,
    ...more,
  });
}

describe('ssh', () => {
  const aliased = [
    'ssh',
    '-o',
    'HostKeyAlias=7b0c6f0e-0c0a-5d0e-8c1f-000000000001',
    '-o',
    'UserKnownHostsFile="/home/me/%%state/unnest/known_hosts"',
    '-o',
    'CheckHostIP=no',
  ];

  test('is run with the address, and host keys by UUID; its exit code is ours', async () => {
    expect(await run(['ssh', 'web'])).toEqual({ code: 42, stdout: '', stderr: '' });
    expect(ran).toEqual([[...aliased, '10.20.0.2']]);
  });

  test('gets what stands behind -- as it is', async () => {
    await run(['ssh', 'web', '-l', 'root', '--', '-v', 'echo $HOME; id']);
    expect(ran).toEqual([[...aliased, '-l', 'root', '10.20.0.2', '-v', 'echo $HOME; id']]);
  });
});

describe.each([
  ['ssh', []],
  ['port-forward', ['80']],
])('%s', (command, words) => {
  const at = (name = 'web') => run([command, name, ...words]);

  test('goes nowhere without an address', async () => {
    report = secondaryReport({ address: null });
    const { code, stderr } = await at();
    expect(code).toBe(3);
    expect(stderr).toContain('web has no address');
    expect(stderr).toContain('network: Partition');
  });

  test('takes only what is an address', async () => {
    report = secondaryReport({ address: '-oProxyCommand=id' });
    expect((await at()).stderr).toContain('web has no address');
  });

  test('goes nowhere where nothing runs, or nothing is', async () => {
    report = secondaryReport({ status: 'Stopped' });
    expect(await at()).toMatchObject({ code: 3, stderr: expect.stringContaining('does not run') });
    expect(await at('wep')).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('did you mean web?'),
    });
    expect([ran, forwarded]).toEqual([[], []]);
  });
});

describe('port-forward', () => {
  const ctrlC = () => {
    const stop = new AbortController();
    return { stop: stop.signal, onOutput: () => stop.abort() };
  };

  test.each([
    ['8080:80', 8080, 80],
    ['80', 80, 80],
    [':80', 0, 80],
    ['0:80', 0, 80],
  ])('%s', async (text, local, remote) => {
    const { code, stdout } = await run(['port-forward', 'web', text], ctrlC());
    expect(code).toBe(130);
    expect(forwarded).toMatchObject([
      { from: { address: '127.0.0.1', port: local }, to: { address: '10.20.0.2', port: remote } },
    ]);
    expect(stdout).toBe(`127.0.0.1:${local || 40_000} leads to web:${remote} (10.20.0.2)\n`);
    expect(closed).toBe(1);
  });

  test.each(['', ':', '80:', '70000', '1:70000', 'http', '-1', '1:2:3', '80:0'])(
    'is not %j',
    async (text) => {
      expect((await run(['port-forward', 'web', '--', text])).code).toBe(64);
      expect(forwarded).toEqual([]);
    },
  );

  test('is all or nothing, and says which it cannot have', async () => {
    const { code, stderr } = await run(['port-forward', 'web', '8080:80', '81']);
    expect(code).toBe(64);
    expect(stderr).toContain('cannot listen on 127.0.0.1 port 81');
    expect(closed).toBe(1);
  });

  test('listens elsewhere only where somebody says so', async () => {
    await run(['port-forward', 'web', '80', '--address', '0.0.0.0'], ctrlC());
    expect(forwarded).toMatchObject([{ from: { address: '0.0.0.0' } }]);
    const { code } = await run(['port-forward', 'web', '80', '--address', 'everywhere']);
    expect(code).toBe(64);
  });
});
