/**
 * What real guests get through the packet filter, and what they do not. For everything that does not
 * arrive there is something like it that does, by the same way and at the same time. libvirt's own
 * rules of forwarding are taken away first: what is kept out is kept out by ours.
 */
import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tellsBridge } from '../../../src/host/local/nft.ts';
import { FilteredPartition, guestOf, sh } from '../../support/filtered-partitions.ts';
import {
  arpFrame,
  type Ends,
  ethernet,
  ipHex,
  marker,
  routerAdvertisement,
  udpFrame,
} from '../../support/frames-of.ts';
import {
  type GuestConsole,
  isAnswered,
  reaches,
  sendFrom,
  Witness,
} from '../../support/guest-wire.ts';
import { until } from '../../support/until.ts';
import { noMoreOutside, outside } from '../../support/wired-partition.ts';

const routed = {
  mode: 'routed',
  uplink: null,
  portIsolation: false,
  egress: null,
  networkBytesPerSecond: null,
} as const;
const [a, b] = [guestOf('a'), guestOf('b')];
const strangerMac = '52:ee:ee:ee:ee:ee';
const port = 8080;

let red: FilteredPartition;
let blue: FilteredPartition;
let green: FilteredPartition;
let yellow: FilteredPartition;
let server: Server;
let fromA: GuestConsole;
let fromB: GuestConsole;
let fromC: GuestConsole;
let fromG: GuestConsole;
let fromY: GuestConsole;
let atB: Witness;
let ends: Ends;

/** It puts them back whenever an address is reserved. */
function withoutLibvirtsRules(): void {
  for (const chain of ['LIBVIRT_FWI', 'LIBVIRT_FWO', 'LIBVIRT_FWX']) sh('iptables', '-F', chain);
}

beforeAll(async () => {
  // With br_netfilter, frames between guests go by libvirt's rules, which it takes away now and then.
  sh('sysctl', '-q', '-w', 'net.bridge.bridge-nf-call-iptables=0');
  outside('up', '192.0.2');
  outside('alt', '198.51.100');
  server = createServer((socket) => socket.end()).listen(port, '0.0.0.0');
  red = await FilteredPartition.open('red', { cidr: '10.231.1.0/24', ...routed });
  blue = await FilteredPartition.open('blue', { cidr: '10.231.2.0/24', ...routed });
  const nat = {
    mode: 'nat',
    uplink: 'up0',
    portIsolation: false,
    egress: null,
    networkBytesPerSecond: null,
  } as const;
  green = await FilteredPartition.open('green', { cidr: '10.231.3.0/24', ...nat });
  const up = { ...routed, uplink: 'up0' } as const;
  yellow = await FilteredPartition.open('yellow', { cidr: '10.231.4.0/24', ...up });
  await red.apply([a, b]);
  [fromA, fromB] = await Promise.all([red.console('a'), red.console('b')]);
  const comes = async (partition: FilteredPartition, name: string) => {
    await partition.apply([guestOf(name)]);
    return partition.console(name);
  };
  [fromC, fromG, fromY] = await Promise.all([
    comes(blue, 'c'),
    comes(green, 'g'),
    comes(yellow, 'y'),
  ]);
  atB = await Witness.at(red.tap('b'));
  const [from, to] = [await red.address('a'), await red.address('b')];
  ends = { fromMac: red.mac('a'), toMac: red.mac('b'), from, to };
  withoutLibvirtsRules();
}, 300_000);
afterAll(async () => {
  for (const each of [fromA, fromB, fromC, fromG, fromY, atB]) each.close();
  server.close();
  for (const each of [red, blue, green, yellow]) await each.close();
  for (const name of ['up', 'alt']) noMoreOutside(name);
  expect(sh('nft', 'list', 'tables')).not.toContain('un_');
});

/** Whether b's wire sees it. What is sent after it, and is true, has arrived by then. */
async function arrives(frameWith: (mark: string) => string): Promise<boolean> {
  const [mark, fence] = [marker(), marker()];
  await fromA.send(frameWith(mark));
  await fromA.send(udpFrame(ends, [1067, 1068], fence));
  await atB.sees(fence);
  return atB.has(mark);
}

describe('a Secondary', () => {
  test('reaches the gateway, its DNS, its neighbour, and whoever is outside', async () => {
    expect(await fromA.reaches(red.gateway)).toBe(true);
    expect(await fromA.reaches(ends.to)).toBe(true);
    expect(await fromA.reaches('198.51.100.2')).toBe(true);
    const answers = (question: string, answer: string) =>
      until(
        `${question} is answered`,
        () => fromA.do(question),
        (said) => said === answer,
      );
    await answers(`GET /resolve?name=b&server=${red.gateway}`, `200 ${ends.to}`);
    await answers(`GET /tcp?to=${red.gateway}&port=53`, '200 connected');
  });

  test('is reached by the host that begins', async () => {
    expect(await reaches(null, ends.from)).toBe(true);
  });

  test('reaches nothing else of the host', async () => {
    expect(await reaches(null, red.gateway, port)).toBe(true);
    expect(await fromA.do(`GET /tcp?to=${red.gateway}&port=${port}`)).toBe('200 silence');
    // Its addresses elsewhere, which it would answer for on any interface.
    expect(await reaches('alt', '192.0.2.1')).toBe(true);
    expect(await fromA.pings('192.0.2.1', 2)).toBe(0);
    expect(await fromA.do('GET /tcp?to=192.0.2.1&port=53')).toBe('200 silence');
  });
});

describe('what a Secondary sends', () => {
  const udp = (parts: Partial<Ends>, ports: readonly [number, number] = [1067, 1068]) =>
    arrives((mark) => udpFrame({ ...ends, ...parts }, ports, mark));
  const arp = (frame: Partial<Ends>, said: Partial<Ends>, head?: string) =>
    arrives((mark) => arpFrame({ ...ends, ...frame }, { ...ends, ...said }, mark, head));

  test('as itself arrives', async () => {
    expect(await udp({})).toBe(true);
    expect(await arp({}, {})).toBe(true);
    expect(await udp({ toMac: 'ff:ff:ff:ff:ff:ff', to: '10.231.1.255' })).toBe(true);
  });
  test('from another MAC address does not', async () => {
    expect(await udp({ fromMac: strangerMac })).toBe(false);
    expect(await arp({ fromMac: strangerMac }, {})).toBe(false);
  });
  test('from another address does not', async () => {
    expect(await udp({ from: red.gateway })).toBe(false);
    expect(await udp({ from: ends.to })).toBe(false);
    expect(await udp({ from: '0.0.0.0' })).toBe(false);
  });
  test('does not say of another’s address that it is here, nor of its own that it is elsewhere', async () => {
    expect(await arp({}, { from: red.gateway })).toBe(false);
    expect(await arp({}, { fromMac: strangerMac })).toBe(false);
    expect(await arp({}, {}, '0006080006040002')).toBe(false);
  });
  test('is no answer of DHCP', async () => {
    expect(await udp({}, [67, 68])).toBe(false);
    expect(await udp({}, [1067, 68])).toBe(false);
    expect(await udp({}, [67, 1068])).toBe(false);
    expect(await udp({}, [68, 67])).toBe(true);
  });
  test('is IPv4, not IPv6, no VLAN’s and nothing else', async () => {
    expect(await arrives((mark) => routerAdvertisement(ends, mark))).toBe(false);
    expect(await arrives((mark) => udpFrame(ends, [1067, 1068], mark, 5))).toBe(false);
    expect(await arrives((mark) => udpFrame(ends, [1067, 1068], mark, 0))).toBe(false);
    expect(await arrives((mark) => ethernet(ends, 0x88b5, mark.repeat(6)))).toBe(false);
  });
  const toBridge = (fromMac: string, last: string) => {
    const toMac = `01:80:c2:00:00:${last}`;
    return fromA.send(ethernet({ fromMac, toMac }, 0x88cc, marker().repeat(6)));
  };

  test('to the bridge itself teaches it no other place of anybody', async () => {
    const learned = (mac: string) =>
      sh('bridge', 'fdb', 'show', 'br', red.bridge).includes(`${mac} dev ${red.tap('a')}`);
    await toBridge(strangerMac, '03');
    expect(await fromA.reaches(red.gateway, 1)).toBe(true);
    expect([learned(red.mac('a')), learned(strangerMac)]).toEqual([true, false]);
  });
  test('to LLDP’s address, which teaches it one, brings nothing of the other here', async () => {
    const atA = await Witness.at(red.tap('a'));
    const socket = createSocket('udp4');
    const [forB, forA] = [marker(), marker()];
    await toBridge(red.mac('b'), '0e');
    for (const [mark, to] of [
      [forB, ends.to],
      [forA, ends.from],
    ] as const) {
      socket.send(Buffer.from(mark, 'hex'), 1068, to);
    }
    await atA.sees(forA);
    expect(atA.has(forB)).toBe(false);
    // Until the other is heard again.
    expect(await fromB.reaches(red.gateway, 1)).toBe(true);
    expect(await arrives((mark) => udpFrame(ends, [1067, 1068], mark))).toBe(true);
    atA.close();
    socket.close();
  });
});

/** Whether what a sends there by the gateway gets as far as to the witness. */
async function routedTo(to: string, witness: Witness): Promise<boolean> {
  const mark = marker();
  const byGateway = { ...ends, toMac: red.gatewayMac, to };
  await fromA.send(udpFrame(byGateway, [1067, 1068], mark));
  await isThrough(fromA, red, to, witness);
  return witness.has(mark);
}

/** Once what was sent there by the gateway has come as far as it comes: what the host sends after it has. */
async function isThrough(
  from: GuestConsole,
  { gateway }: FilteredPartition,
  to: string,
  witness: Witness,
): Promise<void> {
  // The host answers who asks later, later.
  expect(await from.reaches(gateway, 1)).toBe(true);
  await witness.seesHostSendTo(to);
}

describe('partitions', () => {
  test('do not reach each other, whatever the rest of the host would let through', async () => {
    const c = await blue.address('c');
    const atC = await Witness.at(blue.tap('c'));
    const reachesC = () => routedTo(c, atC);
    expect(await fromA.pings(blue.gateway, 2)).toBe(0);
    expect([await fromA.pings(c, 2), await reachesC()]).toEqual([0, false]);
    for (const { table } of [red, blue]) sh('nft', 'delete', 'table', 'inet', table);
    expect([await fromA.reaches(c, 2), await reachesC()]).toEqual([true, true]);
    // Each of the two is enough.
    await red.apply([a, b]);
    withoutLibvirtsRules();
    expect(await reachesC()).toBe(false);
    sh('nft', 'delete', 'table', 'inet', red.table);
    await blue.apply([guestOf('c')]);
    withoutLibvirtsRules();
    expect(await reachesC()).toBe(false);
    await red.apply([a, b]);
    withoutLibvirtsRules();
    atC.close();
  });

  test('leave and are reached by their uplink only, and behind NAT if it is they who began', async () => {
    const g = await green.address('g');
    expect(await fromG.reaches('192.0.2.2', 2)).toBe(true);
    const atAlt = await Witness.at('alt0');
    expect(await routedTo('198.51.100.2', atAlt)).toBe(true);
    const [mark, from] = [marker(), { fromMac: green.mac('g'), toMac: green.gatewayMac, from: g }];
    await fromG.send(udpFrame({ ...from, to: '198.51.100.2' }, [1067, 1068], mark));
    expect(await fromG.pings('198.51.100.2', 2)).toBe(0);
    await isThrough(fromG, green, '198.51.100.2', atAlt);
    expect(atAlt.has(mark)).toBe(false);
    atAlt.close();
    expect([isAnswered('up', g), isAnswered('alt', g)]).toEqual([false, false]);
    const y = await yellow.address('y');
    const atY = await Witness.at(yellow.tap('y'));
    // What comes last has been seen last.
    expect(isAnswered('alt', y)).toBe(false);
    expect(await reaches('up', y)).toBe(true);
    await atY.sees(ipHex('192.0.2.2') + ipHex(y));
    expect(atY.has(ipHex('198.51.100.2') + ipHex(y))).toBe(false);
    atY.close();
    expect([await reaches('up', ends.from), await reaches('alt', ends.from)]).toEqual([true, true]);
  });
});

describe('a port that is no Secondary’s', () => {
  const plug = (name: string, bridge: string, address: string) => {
    sh('ip', 'netns', 'add', name);
    sh('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    sh('ip', 'link', 'set', name, 'master', bridge, 'up');
    sh('ip', '-n', name, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    sh('ip', '-n', name, 'link', 'set', 'eth0', 'up');
  };

  test('does not reach another one, where the kernel tells their bridge', async () => {
    plug('first', red.bridge, '10.231.1.251');
    plug('second', red.bridge, '10.231.1.252');
    const knows = await tellsBridge(new AbortController().signal);
    const meets = knows ? isAnswered : reaches;
    expect(await meets('first', '10.231.1.252')).toBe(!knows);
    for (const name of ['first', 'second']) sh('ip', 'netns', 'delete', name);
  });

  test('gets nothing through, and on another bridge everything', async () => {
    sh('ip', 'link', 'add', 'theirs', 'type', 'bridge');
    sh('ip', 'address', 'add', '10.99.0.1/24', 'dev', 'theirs');
    sh('ip', 'link', 'set', 'theirs', 'up');
    plug('stranger', red.bridge, '10.231.1.250');
    plug('neighbour', 'theirs', '10.99.0.2');
    expect(await reaches('neighbour', '10.99.0.1')).toBe(true);
    expect(isAnswered('stranger', red.gateway)).toBe(false);
    expect(isAnswered('stranger', ends.from)).toBe(false);
    expect(await fromA.pings('10.231.1.250', 2)).toBe(0);
    const toAll = { ...ends, toMac: 'ff:ff:ff:ff:ff:ff', to: '10.231.1.255' };
    const [theirs, ours] = [marker(), marker()];
    const atStranger = await Witness.at('stranger');
    const strange = { ...toAll, fromMac: strangerMac, from: '10.231.1.250' };
    sendFrom('stranger', udpFrame(strange, [1067, 1068], theirs));
    await atStranger.sees(theirs);
    await fromA.send(udpFrame(toAll, [1067, 1068], ours));
    await atB.sees(ours);
    expect([atB.has(theirs), atStranger.has(ours)]).toEqual([false, false]);
    const atAlt = await Witness.at('alt0');
    const away = { ...strange, toMac: red.gatewayMac, to: '198.51.100.2' };
    const routedAway = marker();
    sendFrom('stranger', udpFrame(away, [1067, 1068], routedAway));
    expect(await routedTo('198.51.100.2', atAlt)).toBe(true);
    expect(atAlt.has(routedAway)).toBe(false);
    for (const each of [atStranger, atAlt]) each.close();
    // Nor does the host believe it, who says to have another's address.
    sh('ip', '-n', 'stranger', 'address', 'add', `${ends.from}/24`, 'dev', 'eth0');
    const toGateway = {
      fromMac: strangerMac,
      toMac: red.gatewayMac,
      from: ends.from,
      to: red.gateway,
    };
    sendFrom('stranger', arpFrame(toGateway, toGateway, marker()));
    expect(sh('ip', 'neighbour', 'show', ends.from)).toContain(red.mac('a'));
    sh('ip', 'netns', 'delete', 'stranger');
  });
});

describe('while they run', () => {
  const comeAndGo = async () => {
    const more = guestOf('more', { runPolicy: 'Halted' });
    for (let round = 0; round < 3; round += 1) {
      await red.apply([a, b, more]);
      await red.apply([a, b]);
    }
  };

  test('nothing is lost by others who come and go', async () => {
    const atA = await Witness.at(red.tap('a'));
    const pinging = [
      fromA.do(`GET /echo?to=${red.gateway}&count=100&every=0.1`),
      fromB.do(`GET /echo?to=${ends.from}&count=100&every=0.1`),
    ];
    await comeAndGo();
    await Promise.all(pinging);
    // By their numbers, where they are plugged in: who asks does not wait for an answer that is late.
    const seen = () => [atA.pings(ends.from, red.gateway), atB.pings(ends.to, ends.from)];
    const all = { asked: 100, answered: 100 };
    const isAll = (pings: (typeof all)[]) => pings.every(({ answered }) => answered === 100);
    expect(await until('every ping is answered', seen, isAll)).toEqual([all, all]);
    atA.close();
  });

  test('nothing is let through meanwhile that is not otherwise', async () => {
    const [mark, control] = [marker(), marker()];
    const atA = await Witness.at(red.tap('a'));
    const toA = { fromMac: ends.toMac, toMac: ends.fromMac, from: ends.to, to: ends.from };
    const stolen = udpFrame({ ...toA, from: red.gateway }, [1067, 1068], mark);
    const over = new AbortController();
    const changing = comeAndGo().finally(() => over.abort());
    while (!over.signal.aborted) {
      expect(await fromB.do(`POST /frame?hex=${stolen}&count=1000`)).toMatch(/^200/);
    }
    await changing;
    await fromB.send(udpFrame(toA, [1067, 1068], control));
    await atA.sees(control);
    expect(atA.has(mark)).toBe(false);
    atA.close();
  });

  test('they are kept apart, also by way of the gateway, and together again', async () => {
    const seesByGateway = () => routedTo(ends.to, atB);
    withoutLibvirtsRules();
    expect([await fromA.reaches(ends.to, 2), await seesByGateway()]).toEqual([true, true]);
    await red.apply([a, b], { portIsolation: true });
    withoutLibvirtsRules();
    expect([await fromA.pings(ends.to, 2), await seesByGateway()]).toEqual([0, false]);
    expect((await red.plan([a, b], { portIsolation: true })).operations).toEqual([]);
    await red.apply([a, b]);
    expect(await fromA.reaches(ends.to, 2)).toBe(true);
  });

  test('what somebody has changed is put right, and what is right is left alone', async () => {
    const changes = async () => (await red.plan([a, b])).operations.map(({ id }) => id);
    expect(await changes()).toEqual([]);
    const { table } = red;
    for (const command of [
      `flush chain bridge ${table} incoming`,
      `insert rule bridge ${table} prerouting accept`,
      `add rule inet ${table} to_host counter accept`,
      `delete table arp ${table}`,
      `flush set bridge ${table} ports`,
      `add element bridge ${table} ports { "eth7" }`,
      `add chain inet ${table} more { type filter hook input priority -20; policy drop; }`,
    ]) {
      sh('nft', command);
      expect(await changes()).toEqual(['filter.apply/red']);
      await red.apply([a, b]);
      expect(await changes()).toEqual([]);
    }
    expect(await fromA.reaches(red.gateway)).toBe(true);
  });
});
