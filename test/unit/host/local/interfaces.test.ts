/** What the kernel says of its interfaces, in files of the same form. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Interfaces, localInterfaces } from '../../../../src/host/local/interfaces.ts';

const never = new AbortController().signal;
const header =
  'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';
const route = (device: string, destination: string, flags: string, metric: number, mask: string) =>
  `${device}\t${destination}\t0100000A\t${flags}\t0\t0\t${metric}\t${mask}\t0\t0\t0      \n`;
const defaultBy = (device: string, metric = 0) =>
  route(device, '00000000', '0003', metric, '00000000');

let folder: string;
let interfaces: Interfaces;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unnest-'));
  interfaces = localInterfaces({ net: folder, routes: join(folder, 'route') });
});
afterEach(() => rmSync(folder, { recursive: true }));

const routes = (...lines: readonly string[]) =>
  writeFileSync(join(folder, 'route'), `${header}${lines.join('')}`);

/** @param parts what the kernel has in its folder, such as `device` or `lower_eth0` */
function port(bridge: string, name: string, ...parts: readonly string[]): void {
  mkdirSync(join(folder, bridge, 'brif', name), { recursive: true });
  for (const part of parts) mkdirSync(join(folder, name, part), { recursive: true });
}

test('the host leaves by its default route of the lowest metric', async () => {
  routes(
    route('eth2', '0000000A', '0001', 0, '000000FF'),
    route('*', '00000000', '0201', 0, '00000000'),
    defaultBy('eth1', 200),
    defaultBy('eth0', 100),
    // Half of all addresses is not all of them.
    route('tun0', '00000000', '0003', 0, '00000080'),
    route('eth3', '00000000', '0002', 0, '00000000'),
  );
  expect(await interfaces.ofHost(never)).toEqual({ kind: 'leaves', by: 'eth0' });
});

test('without one it is untold, and one that cannot be read is no answer', async () => {
  routes(route('eth2', '0000000A', '0001', 0, '000000FF'));
  const why = 'the host has no default route';
  expect(await interfaces.ofHost(never)).toEqual({ kind: 'untold', why });
  rmSync(join(folder, 'route'));
  await expect(interfaces.ofHost(never)).rejects.toThrow('reading the routes of the host');
});

test.each(['device', 'lower_eth0'])(
  'a bridge with a cable (%s) in it is left by itself, not by its port',
  async (part) => {
    routes(defaultBy('eth9'));
    port('br0', 'vnet0', 'queues', 'tun_flags');
    port('br0', 'eth0', 'queues', part);
    expect(await interfaces.ofBridge('br0', never)).toEqual({ kind: 'leaves', by: 'br0' });
  },
);

test('from a bridge of guests only the host has to route', async () => {
  routes(defaultBy('eth9'));
  port('br0', 'vnet0', 'queues', 'tun_flags');
  expect(await interfaces.ofBridge('br0', never)).toEqual({ kind: 'leaves', by: 'eth9' });
  const gone = { kind: 'untold', why: 'there is no bridge br1' };
  expect(await interfaces.ofBridge('br1', never)).toEqual(gone);
});

test('a tap leads where its bridge does', async () => {
  port('br0', 'eth0', 'device');
  mkdirSync(join(folder, 'tap0'));
  const loose = { kind: 'untold', why: 'tap0 is in no bridge' };
  expect(await interfaces.ofTap('tap0', never)).toEqual(loose);
  symlinkSync('../br0', join(folder, 'tap0', 'master'));
  expect(await interfaces.ofTap('tap0', never)).toEqual({ kind: 'leaves', by: 'br0' });
});

test('an interface whose name means more in a rule is untold', async () => {
  routes(defaultBy('eth*'));
  expect(await interfaces.ofHost(never)).toEqual({
    kind: 'untold',
    why: 'no rule can name "eth*"',
  });
});
