/** What the agent makes of the NIC that the host tells it of, on a machine in memory. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { AgentEvent } from '../../../src/channel/agent/agent-event.ts';
import { NicCare } from '../../../src/channel/agent/nic-care.ts';
import type { NicSaid } from '../../../src/channel/agent/nic-said.ts';
import { HostError } from '../../../src/host/host-error.ts';
import type { PrimaryNic } from '../../../src/report/primary-nic.ts';
import { type VirtualLinks, virtualLinks } from '../../support/virtual-links.ts';
import { type VirtualRuntime, virtualRuntime } from '../../support/virtual-runtime.ts';
import { partitionStatus } from './fake-control.ts';

const mac = '52:54:00:20:00:07';
const plugged = (address = '10.20.0.7', prefixLength = 24): PrimaryNic => {
  return { status: 'Plugged', mac, address, prefixLength };
};
const not = (status: 'None' | 'Unknown'): PrimaryNic => {
  return { status, mac: null, address: null, prefixLength: null };
};

let runtime: VirtualRuntime;
let links: VirtualLinks;
let events: AgentEvent[];
let said: NicSaid[];
let care: NicCare;
let stop: AbortController;

beforeEach(() => {
  runtime = virtualRuntime();
  links = virtualLinks();
  links.come('eth0', '52:54:00:00:00:01');
  links.link('eth0').isUp = true;
  links.link('eth0').addresses.push({ cidr: '192.168.1.5/24', isLeased: true });
  events = [];
  said = [];
  begin();
});

/** Also of an agent that is started anew, in the same machine. */
function begin(): void {
  stop = new AbortController();
  const emit = (event: AgentEvent) => void events.push(event);
  care = new NicCare({ runtime, links, emit, onSaid: (now) => void said.push(now) });
  void care.run(stop.signal);
}

async function hear(primaryNic: PrimaryNic): Promise<void> {
  care.hear(partitionStatus({ primaryNic }));
  await runtime.advance(10_000);
}

/** By interface, with its note. */
const addresses = () =>
  links.all.map(({ name, note, isUp, addresses: on }) =>
    [
      name,
      isUp ? 'up' : 'down',
      ...on.map(({ cidr }) => cidr),
      ...(note === '' ? [] : [note]),
    ].join(' '),
  );
const eth0 = 'eth0 up 192.168.1.5/24';
const configured = 'eth1 up 10.20.0.7/24 unnest 10.20.0.7/24';

async function isConfigured(): Promise<void> {
  links.come('eth1', mac);
  await hear(plugged());
  expect(addresses()).toEqual([eth0, configured]);
}

describe('the NIC that the host has plugged in', () => {
  test('gets its address, once, and nobody else’s interface is touched', async () => {
    await isConfigured();
    expect(said.at(-1)).toEqual({
      status: 'configured',
      interface: 'eth1',
      address: '10.20.0.7/24',
    });
    expect(events).toEqual([
      { kind: 'nic-configured', interface: 'eth1', address: '10.20.0.7/24' },
    ]);
    const before = [...links.writes];
    expect(before).toEqual(['note eth1 unnest 10.20.0.7/24', 'add eth1 10.20.0.7/24', 'up eth1']);
    await hear(plugged());
    await runtime.advance(60_000);
    expect(links.writes).toEqual(before);
  });

  test('is found when the guest finds it, and said to be missing until then', async () => {
    await hear(plugged());
    expect(said.at(-1)).toMatchObject({ status: 'missing', mac });
    links.come('eth1', mac);
    await runtime.advance(10_000);
    expect(addresses()).toEqual([eth0, configured]);
    expect(events.map(({ kind }) => kind)).toEqual(['nic-missing', 'nic-configured']);
  });

  test('is left to others for as long as it is new, also under another name', async () => {
    const link = links.come('eth1', mac);
    care.hear(partitionStatus({ primaryNic: plugged() }));
    await runtime.advance(1500);
    expect(said.at(-1)).toMatchObject({ status: 'waiting', interface: 'eth1' });
    link.name = 'enp7s0';
    await runtime.advance(600);
    expect(links.writes).toEqual([]);
    await runtime.advance(5000);
    expect(said.at(-1)).toMatchObject({ status: 'configured', interface: 'enp7s0' });
  });

  test('is configured anew when it is replaced, and when its link is switched off', async () => {
    await isConfigured();
    links.go('eth1');
    await runtime.advance(10_000);
    expect(said.at(-1)).toMatchObject({ status: 'missing' });
    links.come('eth1', mac);
    await runtime.advance(10_000);
    expect(addresses()).toEqual([eth0, configured]);
    links.link('eth1').isUp = false;
    await runtime.advance(10_000);
    expect(addresses()).toEqual([eth0, configured]);
    links.link('eth1').addresses.splice(0);
    await runtime.advance(10_000);
    expect(addresses()).toEqual([eth0, configured]);
  });

  test('is another address when the host moves it, and the old one goes', async () => {
    await isConfigured();
    await hear(plugged('10.30.0.9', 26));
    expect(addresses()).toEqual([eth0, 'eth1 up 10.30.0.9/26 unnest 10.30.0.9/26']);
    expect(events).toContainEqual({
      kind: 'nic-address-removed',
      interface: 'eth1',
      address: '10.20.0.7/24',
    });
  });

  test('keeps what it has through a restart of the agent, and moves it after one', async () => {
    await isConfigured();
    stop.abort();
    const before = [...links.writes];
    begin();
    await runtime.advance(60_000);
    await hear(plugged());
    expect(links.writes).toEqual(before);
    stop.abort();
    begin();
    await hear(plugged('10.20.0.8'));
    expect(addresses()).toEqual([eth0, 'eth1 up 10.20.0.8/24 unnest 10.20.0.8/24']);
  });

  test('keeps it while the host does not know, or is of a version that does not say', async () => {
    await isConfigured();
    const before = [...links.writes];
    await hear(not('Unknown'));
    expect(said.at(-1)).toMatchObject({ status: 'unknown' });
    const { primaryNic: _, ...older } = partitionStatus();
    care.hear(older as ReturnType<typeof partitionStatus>);
    await runtime.advance(10_000);
    expect(said.at(-1)).toMatchObject({
      status: 'unknown',
      message: expect.stringContaining('upgrade unnest on the host'),
    });
    expect(links.writes).toEqual(before);
  });

  test('loses the agent’s address when the host has none there any more', async () => {
    await isConfigured();
    await hear(not('None'));
    expect(addresses()).toEqual([eth0, 'eth1 up']);
    expect(said.at(-1)).toEqual({ status: 'none' });
  });
});

test.each([
  ['an address that is none', plugged('10.20.0.7; reboot')],
  ['an address that is an option', plugged('-4')],
  ['a network that is everything', plugged('10.20.0.7', 0)],
  ['a MAC address that is none', { ...plugged(), mac: 'eth0' } as PrimaryNic],
])('%s from the host is not understood, and changes nothing', async (_what, wrong) => {
  links.come('eth1', mac);
  await hear(wrong);
  expect(said.at(-1)).toMatchObject({ status: 'unknown' });
  expect(links.writes).toEqual([]);
});

describe('an interface that is somebody else’s', () => {
  /** Why, where nothing was done and that was said once. */
  function left(): string {
    const now = said.at(-1);
    if (now?.status !== 'left-alone') return JSON.stringify(now);
    const { code, message } = now;
    expect(links.writes).toEqual([]);
    expect(events).toEqual([{ kind: 'nic-left-alone', interface: 'eth1', code, message }]);
    return `${code}: ${message}`;
  }

  test('is one that has an address already, be it the right one', async () => {
    links.come('eth1', mac).addresses.push({ cidr: '10.20.0.7/24', isLeased: true });
    await hear(plugged());
    expect(left()).toMatch(/^Addressed: .*10\.20\.0\.7\/24, which is the right one/);
  });

  test('is one that has another address', async () => {
    links.come('eth1', mac).addresses.push({ cidr: '172.16.0.1/16', isLeased: false });
    await hear(plugged());
    expect(left()).toMatch(/^Addressed: .*172\.16\.0\.1\/16, and not 10\.20\.0\.7/);
  });

  test('is a port of a bridge, though the bridge has its MAC address too', async () => {
    links.come('eth1', mac).master = 'br0';
    links.come('br0', mac).isStacked = true;
    await hear(plugged());
    expect(left()).toMatch(/^Port: .*eth1 is a port of br0/);
  });

  test('is one with a note of somebody’s', async () => {
    links.come('eth1', mac).note = 'storage';
    await hear(plugged());
    expect(left()).toMatch(/^Noted: .*"storage"/);
  });

  test('is one of two with that MAC address', async () => {
    links.come('eth1', mac);
    links.come('eth2', mac);
    await hear(plugged());
    expect(left()).toMatch(/^Ambiguous: .*eth1 and eth2/);
  });

  test('is one that systemd-networkd configures, and not one that it does not', async () => {
    const { index } = links.come('eth1', mac);
    const path = `/run/systemd/netif/links/${index}`;
    const file = 'NETWORK_FILE=/etc/systemd/network/all.network';
    runtime.disk.write(path, `# private\nADMIN_STATE=configuring\n${file}\n`);
    await hear(plugged());
    expect(left()).toMatch(
      /^Managed: .*systemd-networkd configures eth1: \/etc\/systemd\/network\/all\.network/,
    );
    runtime.disk.write(path, 'ADMIN_STATE=pending\n');
    await runtime.advance(20_000);
    expect(said.at(-1)).toMatchObject({ status: 'waiting' });
    runtime.disk.write(path, 'ADMIN_STATE=unmanaged\n');
    await runtime.advance(20_000);
    expect(addresses()).toEqual([eth0, configured]);
  });

  test('is one that NetworkManager manages, and not one that it does not', async () => {
    const { index } = links.come('eth1', mac);
    const path = `/run/NetworkManager/devices/${index}`;
    runtime.disk.write(path, '[device]\nmanaged=true\nconnection-uuid=x\n');
    await hear(plugged());
    expect(left()).toMatch(
      /^Managed: .*NetworkManager configures eth1: .*nmcli device set eth1 managed no/,
    );
    runtime.disk.write(path, '[device]\nmanaged=false\n');
    await runtime.advance(10_000);
    expect(addresses()).toEqual([eth0, configured]);
  });

  test('is what reaches those addresses already', async () => {
    links.come('eth1', mac);
    links.routesBeside.push({ to: '10.0.0.0/8', link: 'eth0' });
    await hear(plugged());
    expect(left()).toMatch(/^Overlaps: .*10\.0\.0\.0\/8 by eth0/);
    links.routesBeside.splice(0);
    await runtime.advance(10_000);
    expect(addresses()).toEqual([eth0, configured]);
  });

  test('keeps what somebody has put beside ours, and ours with which it would go', async () => {
    await isConfigured();
    links.link('eth1').addresses.push({ cidr: '10.20.0.50/24', isLeased: false });
    await hear(plugged('10.30.0.9'));
    expect(said.at(-1)).toMatchObject({ status: 'left-alone', code: 'Addressed' });
    expect(addresses()).toEqual([eth0, 'eth1 up 10.20.0.7/24 10.20.0.50/24 unnest 10.20.0.7/24']);
    links.link('eth1').addresses[1] = { cidr: '172.16.0.1/16', isLeased: false };
    await runtime.advance(10_000);
    // Ours goes; whoever else is there now has it.
    expect(addresses()).toEqual([eth0, 'eth1 up 172.16.0.1/16']);
  });

  test('is an address that somebody renews by now', async () => {
    await isConfigured();
    links.link('eth1').addresses[0] = { cidr: '10.20.0.7/24', isLeased: true };
    await hear(not('None'));
    expect(addresses()).toEqual([eth0, 'eth1 up 10.20.0.7/24']);
  });
});

describe('what goes wrong', () => {
  test('is said, once, and tried again', async () => {
    links.come('eth1', mac);
    const message = 'ip link set takes CAP_NET_ADMIN';
    links.failure = new HostError('PermissionDenied', message);
    await hear(plugged());
    await runtime.advance(60_000);
    const failure = { code: 'PermissionDenied', message };
    expect(said.at(-1)).toEqual({ status: 'failed', ...failure });
    expect(events).toEqual([{ kind: 'nic-failed', ...failure }]);
    links.failure = null;
    await runtime.advance(10_000);
    expect(addresses()).toEqual([eth0, configured]);
  });

  test.each(['note', 'add', 'up', 'remove'])(
    'in the middle, at %s, leaves nothing that a new agent does not put right',
    async (kind) => {
      await isConfigured();
      links.link('eth1').isUp = false;
      let crashed = false;
      links.before = (write) => {
        if (crashed || !write.startsWith(kind)) return;
        crashed = true;
        stop.abort();
        throw new HostError('Cancelled', 'the agent dies');
      };
      await hear(plugged('10.30.0.9'));
      expect(crashed).toBe(true);
      begin();
      await hear(plugged('10.30.0.9'));
      expect(addresses()).toEqual([eth0, 'eth1 up 10.30.0.9/24 unnest 10.30.0.9/24']);
    },
  );

  test('is not called done where somebody undoes it at once', async () => {
    links.come('eth1', mac);
    const bringUp = links.bringUp.bind(links);
    Object.assign(links, {
      bringUp: async (...args: Parameters<typeof bringUp>) => {
        await bringUp(...args);
        links.link('eth1').isUp = false;
      },
    });
    await hear(plugged());
    expect(said.at(-1)).toMatchObject({ status: 'failed', code: 'Conflict' });
    expect(said.map(({ status }) => status)).not.toContain('configured');
  });
});
