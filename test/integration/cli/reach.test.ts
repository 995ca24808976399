/** Ports and logins of a real guest on its partition's network, from the host. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { guestDocument, program, type Ran, run } from '../../support/cli.ts';
import { type DaemonPlace, daemonPlace } from '../../support/daemon.ts';
import { heard } from '../../support/heard.ts';

const partition = 'cli-reach';
let place: DaemonPlace;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  place = daemonPlace();
  place.describe(partition, 'Apply', { network: { cidr: '10.93.0.0/24', mode: 'isolated' } });
  await place.start();
  env = {
    ...process.env,
    UNNEST_SOCKET: place.at('run/operator.sock'),
    UNNEST_STATE_DIR: place.at('state'),
    UNNEST_PARTITION: partition,
    XDG_STATE_HOME: place.at('home'),
    NO_COLOR: '1',
  };
  const web = guestDocument('web', ['network: Partition']);
  const path = place.at('documents.yaml');
  const shell = 'unnest.name=web unnest.do=shell unnest.every=1000';
  writeFileSync(path, web.replace('unnest.name=web', shell) + guestDocument('bare'));
  const applied = await unnest('apply', '-f', path, '--timeout', '100');
  expect(applied).toMatchObject({ code: 0 });
  await vi.waitFor(
    async () => {
      const { stdout } = await unnest('logs', 'web');
      expect(stdout).toMatch(/unnest-guest web address 10\.93\.0\.\d+/);
    },
    { timeout: 100_000, interval: 500 },
  );
}, 300_000);
afterAll(() => place.dispose());

function unnest(...args: readonly string[]): Promise<Ran> {
  return run(process.execPath, [program, ...args], env);
}

test('a port leads to the guest’s, both ways, until it is ended', async () => {
  const typing = heard(spawn(process.execPath, [program, 'console', 'web', '--write'], { env }));
  // The kernel has ports in hexadecimal.
  const isThere = 'grep -q :1B58 /proc/net/tcp /proc/net/tcp6';
  const serve = `nc -l -p 7000 -e cat & until ${isThere}; do sleep 1; done`;
  typing.write(`${serve}; echo there are $((3+4))\n`);
  await typing.hears(/there are 7/);
  expect(await typing.end()).toBe(130);
  const args = [program, 'port-forward', 'web', ':7000'];
  const forwarding = spawn(process.execPath, args, { env });
  let said = '';
  forwarding.stdout.on('data', (chunk) => (said += String(chunk)));
  await expect.poll(() => said, { timeout: 60_000 }).toMatch(/leads to web:7000 \(10\.93\.0\./);
  const port = Number(/:(\d+) leads/.exec(said)?.[1]);
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  const sent = 'x'.repeat(100_000);
  socket.end(sent);
  let echoed = '';
  socket.on('data', (chunk) => (echoed += String(chunk)));
  await once(socket, 'end');
  expect(echoed).toBe(sent);
  forwarding.kill('SIGINT');
  expect(await once(forwarding, 'close')).toEqual([130, null]);
});

test('ssh is the system’s, with its exit code; the guest of the kit has none that listens', async () => {
  const { code, stderr } = await unnest('ssh', 'web', '--', '-o', 'ConnectTimeout=10', 'true');
  expect(stderr).toMatch(/^ssh: connect to host 10\.93\.0\.\d+ port 22: Connection refused/m);
  expect(code).toBe(255);
  const shown = await unnest('ssh', 'web', '-l', 'me', '--', '-G');
  expect(shown.stdout).toMatch(/^hostkeyalias [0-9a-f-]{36}$/m);
  expect(shown.stdout).toContain(`userknownhostsfile ${place.at('home/unnest/known_hosts')}\n`);
  expect(shown.stdout).toMatch(/^user me$/m);
  expect(shown.stdout).toMatch(/^stricthostkeychecking (?:ask|true)$/m);
});

test('one without a NIC cannot be reached, also where the host itself is asked', async () => {
  const uri = process.env['LIBVIRT_DEFAULT_URI'] ?? 'qemu:///system';
  for (const how of [[], ['--host', uri]]) {
    const { code, stderr } = await unnest('ssh', 'bare', ...how);
    expect(stderr).toContain('bare has no address');
    expect(code).toBe(3);
    const shown = await unnest('ssh', 'web', ...how, '--', '-G');
    expect(shown.stdout).toMatch(/^hostname 10\.93\.0\.\d+$/m);
  }
});
