/**
 * `unnest agent --configure-nic` as it runs in a Primary: the built program with a kernel of its own network
 * namespace, and a host that it is told by. The other end of the NIC is the partition's network.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeApiServer } from '../../../src/channel/api-server.ts';
import { primaryLimits } from '../../../src/channel/limits.ts';
import { primaryScope } from '../../../src/channel/scope.ts';
import { machineRuntime } from '../../../src/daemon/machine/machine-runtime.ts';
import type { PrimaryNic } from '../../../src/report/primary-nic.ts';
import { program } from '../../support/cli.ts';
import { isAnswered } from '../../support/guest-wire.ts';
import { until } from '../../support/until.ts';
import { fakeControl, partitionStatus, teamA } from '../../unit/channel/fake-control.ts';

const mac = '52:54:00:ab:cd:07';
const space = 'unnest-nic';
const root = mkdtempSync(join(tmpdir(), 'unnest-nic-'));
const runDir = join(root, 'run');
const hostSocket = join(root, 'host.sock');

const ip = (...args: readonly string[]) => execFileSync('ip', args, { encoding: 'utf8' });
/** In the Primary. */
const inside = (...args: readonly string[]) => ip('-netns', space, ...args);
/** By which interface what is reached; how the kernel came to it is left out. */
const routes = () =>
  inside('route', 'show', 'table', 'main')
    .trim()
    .split(/\s*\n/)
    .map((line) => line.replace(/ (?:proto|scope) .*$/, ''))
    .sort();
const addresses = (name: string) =>
  [...inside('-4', 'address', 'show', 'dev', name).matchAll(/inet (\S+)/g)].map(([, cidr]) => cidr);
const nic = () =>
  (JSON.parse(readFileSync(join(runDir, 'agent.json'), 'utf8')) as { readonly nic: object | null })
    .nic ?? {};
const says = (said: object) =>
  until(
    `the agent says ${JSON.stringify(said)}`,
    () => nic(),
    (now) => {
      return Object.entries(said).every(([key, value]) => Reflect.get(now, key) === value);
    },
  );

const host = fakeControl();
const hear = (primaryNic: PrimaryNic) => host.set(partitionStatus({ primaryNic }));
const plugged = (address: string): PrimaryNic => {
  return { status: 'Plugged', mac, address, prefixLength: 24 };
};
let server: Server;
let api: Awaited<ReturnType<typeof makeApiServer>>;
let agent: ChildProcess;
let log = '';

function plugIn(name: string): void {
  ip('link', 'add', 'unnet0', 'type', 'veth', 'peer', 'name', name, 'address', mac, 'netns', space);
  ip('address', 'add', '10.231.80.1/24', 'dev', 'unnet0');
  ip('link', 'set', 'unnet0', 'up');
}
const unplug = () => ip('link', 'delete', 'unnet0');

function begin(): void {
  const argv = ['agent', '--configure-nic', '--host-socket', hostSocket, '--run-dir', runDir];
  agent = spawn('ip', ['netns', 'exec', space, process.execPath, program, ...argv]);
  agent.stdout?.on('data', (chunk: Buffer) => (log += chunk.toString()));
  agent.stderr?.on('data', (chunk: Buffer) => (log += chunk.toString()));
}

async function end(): Promise<void> {
  const ended = new Promise((done) => agent.once('close', done));
  agent.kill('SIGTERM');
  await ended;
}

beforeAll(async () => {
  ip('netns', 'add', space);
  inside('link', 'set', 'lo', 'up');
  // The Primary's own way out, which is to stay.
  inside('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'wire0');
  for (const name of ['eth0', 'wire0']) inside('link', 'set', name, 'up');
  inside('address', 'add', '192.0.2.5/24', 'dev', 'eth0');
  inside('route', 'add', 'default', 'via', '192.0.2.1');
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
  await new Promise<void>((done) => server.listen(hostSocket, done));
});

afterAll(async () => {
  if (agent.exitCode === null) await end();
  server.close();
  await api.close();
  ip('netns', 'delete', space);
  rmSync(root, { recursive: true });
});

const before = ['192.0.2.0/24 dev eth0', 'default via 192.0.2.1 dev eth0'];

test('a NIC that comes is configured, and reaches its network and nothing else', async () => {
  begin();
  hear(plugged('10.231.80.7'));
  await until('the agent looks for it', () => log.includes('nic-missing'));
  plugIn('eth1');
  await says({ status: 'configured', interface: 'eth1', address: '10.231.80.7/24' });
  expect(addresses('eth1')).toEqual(['10.231.80.7/24']);
  expect(routes()).toEqual(['10.231.80.0/24 dev eth1', ...before]);
  expect(isAnswered(space, '10.231.80.1')).toBe(true);
  expect(log).toMatch(/"event":"nic-configured","interface":"eth1","address":"10\.231\.80\.7\/24"/);
});

test('it stays so without the agent, which knows it again', async () => {
  await end();
  expect(addresses('eth1')).toEqual(['10.231.80.7/24']);
  begin();
  await says({ status: 'configured', interface: 'eth1', address: '10.231.80.7/24' });
  hear(plugged('10.231.80.8'));
  await says({ status: 'configured', address: '10.231.80.8/24' });
  expect(addresses('eth1')).toEqual(['10.231.80.8/24']);
});

test('one that takes its place is configured, and so is one that was switched off', async () => {
  unplug();
  await says({ status: 'missing' });
  plugIn('enp9s0');
  await says({ status: 'configured', interface: 'enp9s0', address: '10.231.80.8/24' });
  inside('link', 'set', 'enp9s0', 'down');
  await until('it is up', () => inside('link', 'show', 'dev', 'enp9s0').includes(',UP'));
  expect(routes()).toEqual(['10.231.80.0/24 dev enp9s0', ...before]);
});

test('an address that somebody else has given it stays, and nothing comes beside it', async () => {
  hear({ status: 'None', mac: null, address: null, prefixLength: null });
  await says({ status: 'none' });
  expect(addresses('enp9s0')).toEqual([]);
  inside('address', 'add', '10.231.80.99/24', 'dev', 'enp9s0');
  hear(plugged('10.231.80.7'));
  await says({ status: 'left-alone', code: 'Addressed' });
  expect(addresses('enp9s0')).toEqual(['10.231.80.99/24']);
  expect(routes()).toEqual(['10.231.80.0/24 dev enp9s0', ...before]);
});
