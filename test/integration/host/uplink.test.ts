/**
 * The network of a partition leaves by the interface that its Primary's NIC leaves by: told by a real
 * libvirt and a real kernel, and held to by our packet filter alone, when the host has another way.
 */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NicWay } from '../../../src/model/uplink.ts';
import { virsh } from '../../support/cli.ts';
import { FilteredPartition, guestOf, sh } from '../../support/filtered-partitions.ts';
import { marker, udpFrame } from '../../support/frames-of.ts';
import { type GuestConsole, reaches, Witness } from '../../support/guest-wire.ts';
import { networkFields } from '../../support/network-fields.ts';
import { noMoreOutside } from '../../support/wired-partition.ts';

const never = new AbortController().signal;
const domainName = 'primary-plum';
const nat = networkFields({ cidr: '10.231.5.0/24' });
const far = '203.0.113.1';

let plum: FilteredPartition;

/** What has been defined, to be taken away again. */
const networks: string[] = [];

/** Somebody outside, at the other end of a cable. */
function outside(name: string): void {
  sh('ip', 'netns', 'add', name);
  sh('ip', 'link', 'add', `${name}0`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  sh('ip', 'link', 'set', `${name}0`, 'up');
  sh('ip', '-n', name, 'link', 'set', 'eth0', 'up');
}

function define(what: 'define' | 'net-define', xml: string): Promise<string> {
  const file = join(tmpdir(), `${what}.xml`);
  writeFileSync(file, xml);
  return virsh(what, file);
}

const definePrimary = (nics: string) =>
  define(
    'define',
    `<domain type='${process.env['UNNEST_DOMAIN_TYPE']}'>
      <name>${domainName}</name>
      <uuid>3e0d1f5c-93a1-4c38-8f0e-6a3f6a1f0005</uuid>
      <memory unit='MiB'>32</memory><vcpu>1</vcpu><os><type>hvm</type></os>
      <devices>${nics}</devices>
    </domain>`,
  );

async function waysOf(): Promise<readonly NicWay[]> {
  const seen = await plum.host.primaries.find(domainName, never);
  if (seen.status !== 'present') throw new Error(JSON.stringify(seen));
  return plum.host.uplinks.of(seen.value.nics, never);
}

beforeAll(async () => {
  plum = await FilteredPartition.open('plum', nat);
  plum.primary = {
    domainName,
    reserved: { vcpus: 1, memoryBytes: 2 ** 25 },
    grants: [],
    imageDiskBytes: null,
  };
  outside('up');
  // A bridge with a cable in it. In this kernel a macvlan has to do for one: it is made of the cable.
  sh('ip', 'link', 'add', 'upbr', 'type', 'bridge');
  sh('ip', 'link', 'add', 'upm', 'link', 'up0', 'type', 'macvlan', 'mode', 'passthru');
  sh('ip', 'link', 'set', 'upm', 'master', 'upbr', 'up');
  sh('ip', 'link', 'set', 'upbr', 'up');
  sh('ip', 'address', 'add', '192.0.2.1/24', 'dev', 'upbr');
  sh('ip', '-n', 'up', 'address', 'add', '192.0.2.2/24', 'dev', 'eth0');
  sh('ip', 'link', 'add', 'inner', 'type', 'bridge');
  outside('alt');
  sh('ip', 'address', 'add', '198.51.100.1/24', 'dev', 'alt0');
  sh('ip', '-n', 'alt', 'address', 'add', '198.51.100.2/24', 'dev', 'eth0');
  sh('ip', '-n', 'alt', 'address', 'add', `${far}/32`, 'dev', 'lo');
  sh('ip', '-n', 'alt', 'route', 'add', 'default', 'via', '198.51.100.1');
});

afterAll(async () => {
  await virsh('destroy', domainName).catch(() => undefined);
  await virsh('undefine', domainName);
  await plum.close();
  for (const each of networks) {
    await virsh('net-destroy', each).catch(() => undefined);
    await virsh('net-undefine', each);
  }
  for (const bridge of ['upbr', 'inner']) sh('ip', 'link', 'delete', bridge);
  for (const name of ['up', 'alt']) noMoreOutside(name);
});

describe('a NIC of the Primary', () => {
  const network = async (name: string, forward: string, rest = '') => {
    await define('net-define', `<network><name>${name}</name>${forward}${rest}</network>`);
    networks.push(name);
  };
  const own = (third: number) => `<ip address='10.232.${third}.1' netmask='255.255.255.0'/>`;

  beforeAll(async () => {
    await network('routed-by-host', '<forward mode="nat"/>', own(1));
    await network('by-device', '<forward mode="route" dev="eth7"/>', own(2));
    await network('by-bridge', '<forward mode="bridge"/>', '<bridge name="upbr"/>');
    await network(
      'by-several',
      '<forward mode="passthrough"><interface dev="eth7"/><interface dev="eth8"/></forward>',
    );
    await network('stays', '', own(3));
  });

  const on = (name: string) => `<interface type='network'><source network='${name}'/></interface>`;
  const by = (device: string) => ({ kind: 'leaves', by: device });
  const untold = (why: string) => ({ kind: 'untold', why });

  test.each([
    ['in a bridge', "<interface type='bridge'><source bridge='upbr'/></interface>", by('upbr')],
    [
      'in a bridge of guests only',
      "<interface type='bridge'><source bridge='inner'/></interface>",
      untold('the host has no default route'),
    ],
    [
      'in no bridge that is there',
      "<interface type='bridge'><source bridge='br9'/></interface>",
      untold('there is no bridge br9'),
    ],
    [
      'that is a macvtap',
      "<interface type='direct'><source dev='up0' mode='bridge'/></interface>",
      by('up0'),
    ],
    ['in a routed network', on('routed-by-host'), untold('the host has no default route')],
    ['in a network with a device', on('by-device'), by('eth7')],
    ['in a network that is a bridge', on('by-bridge'), by('upbr')],
    [
      'in a network of several',
      on('by-several'),
      untold('network by-several leaves by one of eth7, eth8'),
    ],
    ['in an isolated network', on('stays'), { kind: 'stays' }],
    ['in no network that is there', on('gone'), untold('there is no network gone')],
    [
      'of an operator’s tap',
      "<interface type='ethernet'><target dev='tap9' managed='no'/></interface>",
      untold('tap9 is in no bridge'),
    ],
    ['of QEMU’s own', "<interface type='user'/>", untold('a NIC of its Primary is of type user')],
  ])('%s', async (_what, nic, way) => {
    await definePrimary(nic);
    expect(await waysOf()).toEqual([way]);
  });

  test('of one that runs, as it runs; and what the host routes by, as it routes', async () => {
    await definePrimary(`${on('by-bridge')}${on('routed-by-host')}`);
    await virsh('net-start', 'by-bridge');
    await virsh('net-start', 'routed-by-host');
    await virsh('start', '--paused', domainName);
    await definePrimary('');
    sh('ip', 'route', 'add', 'default', 'via', '198.51.100.2', 'metric', '200');
    expect(await waysOf()).toEqual([by('upbr'), by('alt0')]);
    sh('ip', 'route', 'add', 'default', 'via', '192.0.2.2', 'metric', '100');
    expect(await waysOf()).toEqual([by('upbr'), by('upbr')]);
    sh('ip', 'route', 'del', 'default', 'via', '192.0.2.2');
    sh('ip', 'route', 'del', 'default', 'via', '198.51.100.2');
    await virsh('destroy', domainName);
    expect(await waysOf()).toEqual([]);
  });
});

describe('the network of a partition', () => {
  let fromG: GuestConsole;
  const guests = () => [guestOf('g')];
  const blocks = async () =>
    (await plum.plan(guests())).entries.flatMap((entry) =>
      entry.kind === 'blocked' ? [`${entry.resource.kind} ${entry.block.code}`] : [],
    );

  afterAll(() => fromG.close());

  test('is not made while its Primary does not say one interface', async () => {
    await definePrimary('');
    expect(await blocks()).toEqual(['network UplinkUndecided', 'secondary PartBlocked']);
  });

  test('leaves by the bridge of the Primary', async () => {
    await definePrimary("<interface type='bridge'><source bridge='upbr'/></interface>");
    await plum.apply(guests());
    fromG = await plum.console('g');
    expect(await virsh('net-dumpxml', 'unnest.plum')).toContain("<forward dev='upbr' mode='nat'>");
    expect(sh('nft', 'list', 'table', 'inet', plum.table)).toContain('oifname "upbr" accept');
    expect(await fromG.reaches('192.0.2.2')).toBe(true);
  });

  test('and not by a second interface, though the host routes by it', async () => {
    sh('ip', 'route', 'add', 'default', 'via', '198.51.100.2');
    expect(await reaches(null, far)).toBe(true);
    expect((await plum.plan(guests())).entries.map(({ kind }) => kind)).not.toContain('update');
    expect((await plum.plan(guests())).operations).toEqual([]);
    // What is kept out is kept out by ours.
    for (const chain of ['LIBVIRT_FWI', 'LIBVIRT_FWO', 'LIBVIRT_FWX']) sh('iptables', '-F', chain);
    const atAlt = await Witness.at('alt0');
    const ends = {
      fromMac: plum.mac('g'),
      toMac: plum.gatewayMac,
      from: await plum.address('g'),
      to: far,
    };
    const passes = async () => {
      const mark = marker();
      await fromG.send(udpFrame(ends, [1067, 1068], mark));
      // By then the host has had it, and then what it has sent on has passed.
      expect(await fromG.reaches('192.0.2.2', 1)).toBe(true);
      await atAlt.seesHostSendTo(far);
      return atAlt.has(mark);
    };
    expect(await fromG.pings(far, 2)).toBe(0);
    expect(await passes()).toBe(false);
    sh('nft', 'delete', 'table', 'inet', plum.table);
    expect(await passes()).toBe(true);
    await plum.apply(guests());
    expect(await passes()).toBe(false);
    atAlt.close();
  });

  test('also when the Primary’s NIC is plugged in elsewhere', async () => {
    await definePrimary("<interface type='direct'><source dev='alt0' mode='bridge'/></interface>");
    expect(await waysOf()).toEqual([{ kind: 'leaves', by: 'alt0' }]);
    expect((await plum.plan(guests())).operations).toEqual([]);
    expect(await blocks()).toEqual([]);
  });
});
