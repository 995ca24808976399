/**
 * A real Primary gets a NIC on its partition's network while it runs, and by DHCP the address that was
 * reserved for it; and it loses that NIC, and nothing else, when the grant goes.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLibvirtHost } from '../../../src/host/libvirt/open.ts';
import { networkName } from '../../../src/model/identity.ts';
import { PRIMARY_STATION } from '../../../src/model/names.ts';
import { plugOf } from '../../../src/model/plug.ts';
import { describePlugContract, strangersPlug } from '../../contract/plug-contract.ts';
import { virsh } from '../../support/cli.ts';
import { FilteredPartition, guestOf, sh } from '../../support/filtered-partitions.ts';
import { reaches } from '../../support/guest-wire.ts';
import { partition, runPlan } from '../../support/passes.ts';
import { primaryXml } from '../../support/primary-xml.ts';
import { until } from '../../support/until.ts';

const never = new AbortController().signal;
const folder = mkdtempSync(join(tmpdir(), 'unnest-'));

async function define(what: 'define' | 'net-define', xml: string): Promise<void> {
  const file = join(folder, `${what}.xml`);
  writeFileSync(file, xml);
  await virsh(what, file);
}

const uuids = new Map<string, string>();

/** With a NIC in the network `theirs`, and room for one that is plugged in. */
async function definePrimary(name: string, more = ''): Promise<void> {
  const nic =
    "<interface type='network'><source network='theirs'/><model type='virtio'/></interface>";
  const words = ['unnest.every=1'];
  const xml = primaryXml({ name, log: logOf(name), memoryMiB: 192, words, devices: nic + more });
  await define('define', xml);
  uuids.set(name, (await virsh('domuuid', name)).trim());
}

const logOf = (name: string) => join(folder, `${name}.log`);
const says = (name: string, pattern: RegExp) =>
  until(
    `${name} says ${pattern}`,
    () => readFileSync(logOf(name), 'utf8').slice(-2000),
    (text) => pattern.test(text),
  );

async function removePrimary(name: string): Promise<void> {
  await virsh('destroy', name).catch(() => undefined);
  await virsh('undefine', name);
}

beforeAll(async () => {
  await define('net-define', '<network><name>theirs</name></network>');
  await virsh('net-start', 'theirs');
});
afterAll(() => rmSync(folder, { recursive: true }));

describePlugContract('a real libvirt', async (isRunning) => {
  const name = 'plug-contract';
  const networks = [networkName(partition), strangersPlug.networkName ?? ''];
  for (const each of networks) {
    await define('net-define', `<network><name>${each}</name></network>`);
    await virsh('net-start', each);
  }
  const { mac, tap, alias, networkName: network } = strangersPlug;
  await definePrimary(
    name,
    `<interface type='network'>
      <mac address='${mac}'/><source network='${network}'/><target dev='${tap}'/>
      <model type='virtio'/><alias name='${alias}'/>
    </interface>`,
  );
  if (isRunning) {
    await virsh('start', name);
    await says(name, /booted/);
  }
  const target = { uri: 'qemu:///system', stateDir: folder, partition };
  const opened = await openLibvirtHost(target, never);
  return {
    host: opened.host,
    ref: { uuid: (uuids.get(name) ?? '') as never, domainName: name },
    pass: async () => undefined,
    dispose: async () => {
      await opened.close();
      await removePrimary(name);
      for (const each of networks) {
        await virsh('net-destroy', each);
        await virsh('net-undefine', each);
      }
    },
  };
});

describe('a Primary on its partition’s network', () => {
  const name = 'primary-fig';
  let fig: FilteredPartition;
  const wanted = (...grants: ('network' | 'vcpus')[]) => ({
    domainName: name,
    reserved: { vcpus: 1, memoryBytes: 2 ** 27 },
    grants,
    imageDiskBytes: null,
  });
  const xmlOf = async (...args: readonly string[]) => virsh('dumpxml', name, ...args);
  const plug = () => plugOf(fig.us);
  /** What is not ours, as it stands. */
  const theirs = (xml: string) =>
    (xml.match(/<interface.*?<\/interface>/gs) ?? []).filter((nic) => !nic.includes(plug().alias));
  const applied = async (guests: Parameters<FilteredPartition['apply']>[0] = []) =>
    (await fig.apply(guests)).outcomes.map(({ operation }) => operation.id);
  let before: readonly string[];

  beforeAll(async () => {
    const isolated = {
      mode: 'isolated',
      uplink: null,
      portIsolation: false,
      egress: null,
      networkBytesPerSecond: null,
    } as const;
    fig = await FilteredPartition.open('fig', { cidr: '10.231.6.0/24', ...isolated });
    await definePrimary(name);
    await virsh('start', name);
    await says(name, /booted/);
    before = theirs(await xmlOf());
    expect(before).toHaveLength(1);
  });
  afterAll(async () => {
    fig.primary = wanted();
    await fig.close();
    await removePrimary(name);
  });

  test('is plugged in while it runs, and asks for the address that is its own', async () => {
    fig.primary = wanted('network');
    expect((await applied()).at(-1)).toBe('primary.plug/fig');
    const address = await fig.address(PRIMARY_STATION);
    await says(name, new RegExp(`address ${address}\\b`));
    expect(await reaches(null, address)).toBe(true);
    for (const xml of [await xmlOf(), await xmlOf('--inactive')]) expect(xml).toContain(plug().mac);
    expect(theirs(await xmlOf())).toEqual(before);
    expect(await applied()).toEqual([]);
  });

  test('is reached by its Secondaries, by a name of its own', async () => {
    await fig.apply([guestOf('s')]);
    const fromS = await fig.console('s');
    const address = await fig.address(PRIMARY_STATION);
    expect(await fromS.do(`GET /resolve?name=${PRIMARY_STATION}&server=${fig.gateway}`)).toBe(
      `200 ${address}`,
    );
    expect(await fromS.reaches(address)).toBe(true);
    fromS.close();
  });

  test('is plugged in again where somebody has taken it out', async () => {
    await virsh('detach-device-alias', name, plug().alias, '--live');
    await until('it is out', async () => !(await xmlOf()).includes(plug().mac));
    expect(await applied([guestOf('s')])).toEqual(['primary.plug/fig']);
    expect(theirs(await xmlOf())).toEqual(before);
  });

  test('is taken out with the grant, and nothing else of it is', async () => {
    fig.primary = wanted();
    expect(await applied([guestOf('s')])).toEqual([
      'primary.unplug/fig',
      'network.unreserve/the_primary',
      'filter.close/the_primary',
    ]);
    for (const xml of [await xmlOf(), await xmlOf('--inactive')]) {
      expect(xml).not.toContain(plug().alias);
      expect(xml).not.toContain(plug().tap);
    }
    expect(theirs(await xmlOf())).toEqual(before);
    expect(sh('nft', 'list', 'table', 'bridge', fig.table)).not.toContain(plug().tap ?? '');
    expect(await applied([guestOf('s')])).toEqual([]);
  });

  test('has it in its definition where it does not run, and from its start on', async () => {
    await virsh('destroy', name);
    fig.primary = wanted('network');
    await applied([guestOf('s')]);
    expect(await xmlOf()).toContain(plug().mac);
    await virsh('start', name);
    const address = await fig.address(PRIMARY_STATION);
    await says(name, new RegExp(`address ${address}\\b`));
    expect(await applied([guestOf('s')])).toEqual([]);
  });

  test('keeps what its guest does not let go of, and what is not looked at', async () => {
    await virsh('suspend', name);
    fig.primary = wanted();
    // A minute is over in two seconds.
    const hasty = { ...fig.host, clock: { now: () => performance.now() * 30 } };
    const { outcomes } = await runPlan(await fig.plan([]), hasty, { inFlightMax: 4 });
    const results = outcomes.map(({ operation, result }) => `${operation.id} ${result.status}`);
    expect(results).toContain('primary.unplug/fig failed');
    expect(results).toContain('network.unreserve/the_primary skipped');
    expect(results).toContain('filter.close/the_primary skipped');
    expect(await xmlOf()).toContain(plug().mac);
    fig.primary = null;
    expect(await applied()).toEqual([]);
    expect(await fig.address(PRIMARY_STATION)).toMatch(/^10\.231\.6\./);
    await virsh('resume', name);
    fig.primary = wanted();
    await applied();
    expect(await xmlOf()).not.toContain(plug().mac);
    expect(theirs(await xmlOf())).toHaveLength(1);
  });
});
