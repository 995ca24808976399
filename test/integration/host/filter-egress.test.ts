/** Where real connections come through to, with a list of where they may, and while it changes. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { gatewayOf, type NetworkFields } from '../../../src/model/network.ts';
import { sh } from '../../support/filtered-partitions.ts';
import {
  measure,
  noMoreOutside,
  outside,
  Traffic,
  WiredPartition,
} from '../../support/wired-partition.ts';
import { networkFields } from '../../support/network-fields.ts';

const cidr = '10.231.13.0/24';
const gateway = gatewayOf(cidr);
const network: NetworkFields = networkFields({ cidr });
const [up, alt] = ['192.0.2.2', '198.51.100.2'];
const [allowed, other] = [8001, 8002];

let red: WiredPartition;
let [one, two] = ['', ''];
let port = 9000;

beforeAll(() => {
  sh('sysctl', '-q', '-w', 'net.ipv4.ip_forward=1');
  outside('up', '192.0.2');
  outside('alt', '198.51.100');
  // Floods of datagrams use up what it says by ICMP.
  sh('ip', 'netns', 'exec', 'up', 'sysctl', '-q', '-w', 'net.ipv4.icmp_ratelimit=0');
  red = new WiredPartition('red', network);
  [one, two] = [red.plug('one'), red.plug('two')];
});
afterAll(async () => {
  await red.close();
  for (const name of ['up', 'alt']) noMoreOutside(name);
});
beforeEach(() => {
  port += 1;
});

const open: Traffic[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.end();
});

const places = {
  up: `${up}:${allowed}`,
  otherPort: `${up}:${other}`,
  alt: `${alt}:${allowed}`,
  dns: `${gateway}:53`,
};

/** Who answers; that nobody listens there is an answer. */
async function reach(egress: string | null, more: Partial<NetworkFields> = {}) {
  await red.apply({ egress, ...more });
  const probe = Traffic.of('one', 'probe', '2', ...Object.values(places), `${two}:9`);
  await probe.says(/^done\n/m);
  const answer = (place: string) => probe.said.includes(`${place}\n`);
  const outwards = Object.entries(places).map(([name, place]) => [name, answer(place)]);
  return { ...Object.fromEntries(outwards), sibling: answer(`${two}:9`) };
}
const everything = { up: true, otherPort: true, alt: true, dns: true, sibling: true };
const nothing = { up: false, otherPort: false, alt: false, dns: false, sibling: true };

describe('a Secondary begins connections', () => {
  test('to anywhere without a list, and nowhere with an empty one', async () => {
    expect(await reach(null)).toEqual(everything);
    expect(await reach('')).toEqual(nothing);
    expect(await reach('', { mode: 'routed' })).toEqual(nothing);
  });

  test.each<[string, Partial<typeof nothing>]>([
    [`${up}/32`, { up: true, otherPort: true }],
    ['192.0.0.0/8', { up: true, otherPort: true }],
    [`${up}/32 tcp ${allowed}`, { up: true }],
    [`${up}/32 tcp ${allowed} 443`, { up: true }],
    [`0.0.0.0/0 tcp ${allowed}`, { up: true, alt: true }],
    [`${up}/32 icmp, ${up}/32 udp`, {}],
    [`${gateway}/32 tcp 53`, { dns: true }],
    [`${alt}/32 tcp, ${up}/32 tcp ${other}`, { otherPort: true, alt: true }],
  ])('with "%s" to there only', async (egress, more) => {
    for (const networkBytesPerSecond of [null, 2 ** 20]) {
      expect(await reach(egress, { networkBytesPerSecond })).toEqual({ ...nothing, ...more });
    }
  });
});

test('datagrams come through to where they may, and not even one way to elsewhere', async () => {
  const closed = `${port + 1000}`;
  await red.apply({ egress: `${up}/32 udp ${port}, ${alt}/32 tcp` });
  // Says how much it was a second after the first.
  const silent = await Promise.all(
    (['up', 'alt'] as const).map((name) =>
      Traffic.listening(name, 'sink', 'udp', closed, '0', '1'),
    ),
  );
  const senders = [up, alt].map((to) => Traffic.of('one', 'send', 'udp', to, closed));
  open.push(...silent, ...senders);
  const way = { from: 'one', to: 'up', address: up, port };
  expect(await measure('udp', way)).toBeGreaterThan(0);
  // Nothing yet, or after a time that there was nothing.
  for (const { said } of silent) expect(said).not.toMatch(/[1-9]/);
});

test.each([
  [`${up}/32 udp`, 'Connection refused'],
  [`${alt}/32 udp`, 'silence'],
])('with "%s" what ICMP says of a datagram comes back: %s', async (egress, said) => {
  await red.apply({ egress });
  const asked = Traffic.of('one', 'refusal', up, `${port}`);
  open.push(asked);
  expect(await asked.says(/^(.+)\n/)).toBe(said);
});

describe('what is open', () => {
  const connection = async (from: string, to: string, address: string, at: number) => {
    const server = await Traffic.listening(to, 'serve', `${at}`);
    const client = Traffic.of(from, 'talk', address, `${at}`);
    open.push(server, client);
    await client.says(/^connected\n/);
    await server.says(/connected\n/);
    return { server, client };
  };
  const isOpen = async ({ server, client }: { server: Traffic; client: Traffic }, mark: string) => {
    client.tell(`${mark}-there`);
    await server.says(new RegExp(`${mark}-there\n`));
    server.tell(`${mark}-back`);
    await client.says(new RegExp(`${mark}-back\n`));
    return true;
  };

  test('is cut off, both ways, as soon as a list no longer has it, and nothing else is', async () => {
    await red.apply({ egress: `${alt}/32, ${up}/32 tcp` });
    const cut = await connection('one', 'up', up, port);
    const kept = await connection('two', 'alt', alt, port);
    expect([await isOpen(cut, 'before'), await isOpen(kept, 'before')]).toEqual([true, true]);
    await red.apply({ egress: `${alt}/32` });
    cut.client.tell('cut-there');
    cut.server.tell('cut-back');
    expect([await isOpen(kept, 'meanwhile'), await isOpen(kept, 'again')]).toEqual([true, true]);
    expect(cut.server.said).not.toContain('cut-there');
    expect(cut.client.said).not.toContain('cut-back');
    // It was the list: TCP sends again what has not come through.
    await red.apply({ egress: `${alt}/32, ${up}/32 tcp` });
    await cut.server.says(/cut-there\n/);
    await cut.client.says(/cut-back\n/);
  });

  test('is left alone where outside has begun it, which it still can', async () => {
    await red.apply({ egress: '', mode: 'routed' });
    const theirs = await connection('up', 'one', one, port);
    expect(await isOpen(theirs, 'first')).toBe(true);
    await red.apply({ egress: `${alt}/32`, mode: 'routed' });
    expect(await isOpen(theirs, 'second')).toBe(true);
    expect(await reach(`${alt}/32`, { mode: 'routed' })).toEqual({ ...nothing, alt: true });
  });
});
