/** Interfaces of the real kernel, in a network namespace that nobody else is in. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { machineLinks } from '../../../src/host/local/links.ts';
import { describeLinksContract } from '../../contract/links-contract.ts';

const { signal } = new AbortController();
const ip = (...args: readonly string[]) => void execFileSync('ip', args);
const veth = (name: string, mac: string) => {
  ip('link', 'add', name, 'address', mac, 'type', 'veth', 'peer', 'name', 'unlcpeer');
  ip('link', 'set', 'unlcpeer', 'up');
};

describeLinksContract('this machine', () => {
  const go = (name: string) => ip('link', 'delete', name);
  return { links: machineLinks(), come: veth, go, dispose: () => go('unlc0') };
});

test('tells what is made over others, what is a port, and what somebody renews', async () => {
  const mac = '52:54:00:ab:cd:02';
  veth('unlc0', mac);
  try {
    ip('link', 'add', 'unlcbr', 'address', mac, 'type', 'bridge');
    ip('link', 'set', 'unlc0', 'master', 'unlcbr');
    const lease = ['valid_lft', '600', 'preferred_lft', '600'];
    ip('address', 'add', '10.231.77.9/24', 'dev', 'unlcbr', ...lease);
    ip('route', 'add', 'blackhole', '10.232.0.0/16');
    const links = machineLinks();
    const seen = (await links.list(signal)).filter((each) => each.mac === mac);
    expect(seen).toMatchObject([
      { name: 'unlc0', master: 'unlcbr', isStacked: false, addresses: [] },
      {
        name: 'unlcbr',
        master: null,
        isStacked: true,
        addresses: [{ cidr: '10.231.77.9/24', isLeased: true }],
      },
    ]);
    expect(await links.routes(signal)).toContainEqual({ to: '10.232.0.0/16', link: null });
  } finally {
    ip('link', 'delete', 'unlc0');
    ip('link', 'delete', 'unlcbr');
    ip('route', 'delete', 'blackhole', '10.232.0.0/16');
  }
});
