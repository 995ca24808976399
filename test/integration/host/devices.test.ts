/** What a real guest sees of the disks and the NIC that it was given. */
import { execFileSync } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { domainReader } from '../../../src/host/libvirt/domain-reader.ts';
import { domainWriter } from '../../../src/host/libvirt/domain-writer.ts';
import { networkReader } from '../../../src/host/libvirt/network-reader.ts';
import { networkWriter } from '../../../src/host/libvirt/network-writer.ts';
import { diskCare } from '../../../src/host/local/disk-places.ts';
import { storeLayout } from '../../../src/host/local/layout.ts';
import { type Connection, connect } from '../../../src/libvirt/index.ts';
import { type DomainFields, fieldsOf, type ObservedDomain } from '../../../src/model/domain.ts';
import {
  bridgeName,
  domainName,
  macAddress,
  networkName,
  networkUuid,
  secondaryUuid,
} from '../../../src/model/identity.ts';
import type {
  FileName,
  ImageName,
  PartitionName,
  SecondaryName,
  VolumeName,
} from '../../../src/model/names.ts';
import type { DiskFormat } from '../../../src/model/volume.ts';
import { installation, secondary } from '../../support/passes.ts';
import { networkFields } from '../../support/network-fields.ts';

const MiB = 2 ** 20;
const { signal } = new AbortController();
const partition = 'devices' as PartitionName;
const stateDir = mkdtempSync(join(tmpdir(), 'unnest-'));
const layout = storeLayout(stateDir, partition);
const care = diskCare(stateDir, partition, null);

let connection: Connection;
let domains: ReturnType<typeof domainReader> & ReturnType<typeof domainWriter>;
let networks: ReturnType<typeof networkReader> & ReturnType<typeof networkWriter>;
let platform: Awaited<ReturnType<typeof domains.facts>>['platform'];
let name: SecondaryName;
let count = 0;

beforeAll(async () => {
  connection = await connect();
  domains = { ...domainReader(connection, care), ...domainWriter(connection, care) };
  networks = { ...networkReader(connection), ...networkWriter(connection) };
  ({ platform } = await domains.facts(signal));
  mkdirSync(layout.filesDir, { recursive: true });
  const kit = process.env['UNNEST_GUEST_KIT'] ?? '';
  for (const file of ['vmlinuz', 'initrd.img'] as FileName[]) {
    copyFileSync(join(kit, file), layout.file(file));
  }
});
afterAll(() => {
  connection.close();
  rmSync(stateDir, { recursive: true });
});
beforeEach(() => {
  name = `vm-${(count += 1)}` as SecondaryName;
});
afterEach(async () => {
  await domains.powerOff(ref(), signal).catch(() => undefined);
  await domains.undefine(ref(), signal).catch(() => undefined);
});

const owner = () => ({ installation, partition, secondary: name });
const ref = () => ({
  uuid: secondaryUuid(owner()),
  domainName: domainName(partition, name),
});

async function define(overrides: Partial<DomainFields>): Promise<DomainFields> {
  const commandLine = `console=ttyS0 quiet unnest.name=${name}`;
  const boot = { kernel: 'vmlinuz', initrd: 'initrd.img', commandLine };
  const bare = fieldsOf(secondary(name, { disks: [], network: 'None' }));
  const fields = { ...bare, ...boot, ...overrides };
  await domains.define({ ...ref(), owner: owner(), fields, platform }, signal);
  return fields;
}

async function look(): Promise<ObservedDomain> {
  const [seen] = await domains.read([ref()], signal);
  if (seen?.status !== 'present') throw new Error(JSON.stringify(seen));
  return seen.value;
}

/** What the guest says, once it has said it. */
async function heard(pattern: RegExp): Promise<string> {
  return heardOn(await domains.console(ref(), signal), pattern);
}

/** Lines come in pieces: a pattern has to see the end. */
async function heardOn(console: AsyncIterable<Uint8Array>, pattern: RegExp): Promise<string> {
  let text = '';
  for await (const chunk of console) {
    text += Buffer.from(chunk).toString();
    const match = pattern.exec(text);
    if (match !== null) return match[0];
  }
  throw new Error(`the guest stopped before it said ${pattern}`);
}

function makeDisk(path: string, format: DiskFormat, bytes: number, backing?: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const below = backing === undefined ? [] : ['-F', 'qcow2', '-b', backing];
  execFileSync('qemu-img', ['create', '-q', '-f', format, ...below, path, String(bytes)]);
}
const makeVolume = (volume: string, format: DiskFormat, backing?: string) =>
  makeDisk(layout.volumeDisk(volume as VolumeName, format), format, 8 * MiB, backing);

describe('disks', () => {
  const long = 'a-volume-whose-name-is-very-long' as VolumeName;

  test('are seen by their serial numbers, the one to boot from first, and grow', async () => {
    const base = layout.imageFile('base' as ImageName, 'qcow2');
    makeDisk(base, 'qcow2', 4 * MiB);
    makeVolume('root', 'qcow2', base);
    makeVolume('data', 'raw');
    makeVolume(long, 'qcow2');
    const fields = await define({
      bootVolume: 'root:qcow2:base:qcow2',
      volumes: `${long}:qcow2,data:raw`,
    });
    expect((await look()).defined).toEqual(fields);
    await domains.start(ref(), signal);
    expect((await look()).live).toEqual(fields);
    expect(await heard(/disks .*\r/)).toMatch(
      /^disks vda:root:8 vdb:a-volume-wh-[0-9a-f]{8}:8 vdc:data:8\r$/,
    );
    await domains.growDisk(ref(), 'data' as VolumeName, 16 * MiB, signal);
    await domains.growDisk(ref(), long, 12 * MiB, signal);
    expect(await heard(/disks .*vdc:data:16.*\r/)).toMatch(/vdb:[^ ]*:12 /);
    expect((await look()).live).toEqual(fields);
    // Told in another order they are the same disks at the same places.
    const boot = { bootVolume: fields.bootVolume, volumes: `data:raw,${long}:qcow2` };
    const turned = await define(boot);
    expect(await look()).toMatchObject({ defined: turned, live: turned });
  });

  test('are not grown where there are none, nor made smaller', async () => {
    makeVolume('small', 'raw');
    await define({ volumes: 'small:raw' });
    const grow = (volume: string, bytes: number) =>
      domains.growDisk(ref(), volume as VolumeName, bytes, signal);
    const refused = { code: 'Refused' };
    await expect(grow('small', 16 * MiB)).rejects.toMatchObject(refused);
    await domains.start(ref(), signal);
    await expect(grow('nosuch', 16 * MiB)).rejects.toMatchObject(refused);
    await expect(grow('small', 4 * MiB)).rejects.toMatchObject(refused);
    await grow('small', 8 * MiB);
  });

  test('stay where they are when others come and go', async () => {
    await define({ volumes: 'a:raw,b:raw,c:raw' });
    const places = async () => {
      const xml = await connection.domains.xml({ ...ref(), name: ref().domainName, id: -1 });
      const disks = xml.match(/<disk [^]*?<\/disk>/g) ?? [];
      return Object.fromEntries(
        disks.map((disk) => [
          /ua-volume-([a-z]+)/.exec(disk)?.[1],
          [/target dev='(\w+)'/.exec(disk)?.[1], /<address [^>]*>/.exec(disk)?.[0]],
        ]),
      );
    };
    const before = await places();
    const fields = await define({ volumes: 'd:raw,c:raw,b:raw' });
    expect((await look()).defined).toEqual(fields);
    const after = await places();
    expect(after).toMatchObject({
      b: before['b'],
      c: before['c'],
      d: [before['a']?.[0], expect.any(String)],
    });
    expect(after).not.toHaveProperty('a');
  });
});

describe('a NIC', () => {
  const network = {
    uuid: networkUuid({ installation, partition }),
    networkName: networkName(partition),
    owner: { installation, partition },
    bridge: bridgeName({ installation, partition }),
    fields: networkFields({ cidr: '10.231.77.0/24', mode: 'isolated' }),
  } as const;
  beforeAll(async () => {
    await networks.define(network, signal);
    await networks.start(network, signal);
  });
  afterAll(async () => {
    await networks.stop(network, signal);
    await networks.undefine(network, signal);
  });

  test('gets the address that is reserved for it, and its name leads there', async () => {
    const fields = await define({ network: 'Partition' });
    expect((await look()).defined).toEqual(fields);
    // The network runs already, and had no reservation when it was started.
    const reservation = { mac: macAddress(owner()), address: '10.231.77.42' };
    await networks.reserve(network, name, reservation, signal);
    await domains.start(ref(), signal);
    expect((await look()).live).toEqual(fields);
    expect(await heard(/address [0-9.]+(?=\r)/)).toBe('address 10.231.77.42');
    const resolver = new Resolver({ timeout: 5000 });
    resolver.setServers(['10.231.77.1']);
    expect(await resolver.resolve4(name)).toEqual(['10.231.77.42']);
  });

  test('gets none without a reservation, and one as soon as there is one', async () => {
    await define({ network: 'Partition' });
    await domains.start(ref(), signal);
    await heard(/up ([5-9]|[0-9]{2,}) s/);
    expect(
      await connection.networks.leases(
        { name: network.networkName, uuid: network.uuid },
        macAddress(owner()),
      ),
    ).toEqual([]);
    // It says only once that it has one.
    const console = await domains.console(ref(), signal);
    const reservation = { mac: macAddress(owner()), address: '10.231.77.43' };
    await networks.reserve(network, name, reservation, signal);
    expect(await heardOn(console, /address [0-9.]+(?=\r)/)).toBe('address 10.231.77.43');
  });

  test('of somebody else beside it stays, and an edited one is mended', async () => {
    const fields = await define({ network: 'Partition' });
    const handle = { ...ref(), name: ref().domainName, id: -1 };
    const xml = await connection.domains.xml(handle, { inactive: true });
    const theirs = `<interface type='user'><mac address='52:54:00:00:00:99'/></interface>`;
    const edited = xml
      .replace(`<mac address='${macAddress(owner())}'/>`, `<mac address='52:54:00:00:00:98'/>`)
      .replace('</devices>', `${theirs}</devices>`);
    await connection.domains.define(edited);
    expect((await look()).defined.network).toBe(`52:54:00:00:00:98 on ${network.networkName}`);
    await define({ network: 'Partition' });
    expect((await look()).defined).toEqual(fields);
    await define({ network: 'None' });
    expect((await look()).defined.network).toBe('None');
    expect(await connection.domains.xml(handle)).toContain('52:54:00:00:00:99');
  });
});
