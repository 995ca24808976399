/** Domains of the QEMU driver of a real libvirtd: what the unit tests have only pretended. */
import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type Connection,
  connect,
  type Domain,
  type LibvirtEvent,
  parseXml,
  serializeXml,
} from '../../../src/libvirt/index.ts';
import { childElement, childElements, textOf } from '../../../src/libvirt/xml.ts';
import { bootableXml, deadXml, failure, tmp, until, uuidOf } from './rig.ts';

let connection: Connection;
beforeAll(async () => {
  connection = await connect();
});
afterAll(() => connection.close());

const names = ['lv-one', 'lv-two', 'lv-guest'];
async function removeAll() {
  for (const domain of await connection.domains.list()) {
    if (!names.includes(domain.name)) continue;
    if (await connection.domains.isActive(domain)) await connection.domains.destroy(domain);
    if (domain.id === -1 || (await exists(domain))) await connection.domains.undefine(domain);
  }
}
const exists = async (domain: Domain) =>
  (await failure(connection.domains.state(domain))) === undefined;
beforeEach(removeAll);
afterEach(removeAll);

describe('a domain that does not run', () => {
  test('is defined, found, listed, read and undefined', async () => {
    const { domains } = connection;
    const domain = await domains.define(deadXml('lv-one'), { validate: true });
    expect(domain).toEqual({ name: 'lv-one', uuid: uuidOf('lv-one'), id: -1 });
    expect(await domains.lookupByName('lv-one')).toEqual(domain);
    expect(await domains.lookupByUuid(domain.uuid)).toEqual(domain);
    expect(await domains.list({ inactive: true })).toContainEqual(domain);
    expect(await domains.list({ active: true })).not.toContainEqual(domain);
    expect(await domains.state(domain)).toEqual({ state: 'shutoff', reason: 'unknown' });
    expect(await domains.info(domain)).toMatchObject({
      memoryKiBMax: 65_536,
      vcpus: 2,
      cpuTimeNs: 0n,
    });
    expect([await domains.isActive(domain), await domains.isPersistent(domain)]).toEqual([
      false,
      true,
    ]);
    await domains.undefine(domain);
    expect(await failure(domains.lookupByName('lv-one'))).toMatchObject({
      code: 'NO_DOMAIN',
      retryable: false,
    });
  });

  test('has XML that parses, and that libvirt takes back unchanged', async () => {
    const { domains } = connection;
    const domain = await domains.define(deadXml('lv-one'));
    const text = await domains.xml(domain, { inactive: true });
    const tree = parseXml(text);
    expect(childElements(tree, 'name').map(textOf)).toEqual(['lv-one']);
    expect(childElement(tree, 'devices')?.children.length).toBeGreaterThan(5);
    await domains.define(serializeXml(tree), { validate: true });
    expect(await domains.xml(domain, { inactive: true })).toBe(text);
  });

  test('keeps settings: memory, vCPUs, limits, pinning, metadata, autostart', async () => {
    const { domains } = connection;
    const domain = await domains.define(deadXml('lv-one'));
    const config = { config: true };
    await domains.setMemory(domain, 32_768, config);
    await domains.setVcpus(domain, 1, config);
    await domains.setSchedulerParams(domain, { cpu_shares: 512, vcpu_quota: 20_000 }, config);
    await domains.setMemoryParams(domain, { hard_limit: 999_424 }, config);
    await domains.setBlkioParams(domain, { weight: 200 }, config);
    await domains.setNumaParams(domain, { numa_nodeset: '0' }, config);
    await domains.pinVcpu(domain, 1, [0], config);
    await domains.pinEmulator(domain, [0], config);
    await domains.setAutostart(domain, true);
    await domains.setMetadata(domain, { type: 'title', text: 'One & only' }, config);
    await domains.setMetadata(
      domain,
      { type: 'element', xml: '<o a="1"/>', prefix: 'x', namespace: 'urn:x' },
      config,
    );

    const scheduler = await domains.schedulerParams(domain, config);
    expect([scheduler.get('cpu_shares'), scheduler.get('vcpu_quota')]).toEqual([512, 20_000]);
    expect((await domains.memoryParams(domain, config)).get('hard_limit')).toBe(999_424);
    expect((await domains.memoryParams(domain, config)).get('soft_limit')).toBe(2 ** 53 - 1);
    expect((await domains.blkioParams(domain, config)).get('weight')).toBe(200);
    expect((await domains.numaParams(domain, config)).get('numa_nodeset')).toBe('0');
    expect([await domains.vcpus(domain, config), await domains.autostart(domain)]).toEqual([
      1,
      true,
    ]);
    expect(await domains.metadata(domain, 'title', null)).toBe('One & only');
    expect(await domains.metadata(domain, 'element', 'urn:x')).toBe('<o a="1"/>');
    const xml = await domains.xml(domain, { inactive: true });
    expect(xml).toContain("<currentMemory unit='KiB'>32768</currentMemory>");
    expect(xml).toContain("<vcpupin vcpu='1' cpuset='0'/>");
    expect(xml).toContain("<emulatorpin cpuset='0'/>");
    await domains.setMetadata(domain, { type: 'title', text: null }, config);
    expect(await failure(domains.metadata(domain, 'title', null))).toMatchObject({
      code: 'NO_DOMAIN_METADATA',
    });
  });

  test('is refused with libvirt own words', async () => {
    const { domains } = connection;
    const domain = await domains.define(deadXml('lv-one'));
    expect(await failure(domains.define('<domain'))).toMatchObject({ code: 'XML_DETAIL' });
    expect(
      await failure(
        domains.define(deadXml('lv-one').replace('<vcpu>', '<nonsense/><vcpu>'), {
          validate: true,
        }),
      ),
    ).toMatchObject({ code: 'XML_INVALID_SCHEMA' });
    expect(
      await failure(domains.define(deadXml('lv-one').replace(domain.uuid, uuidOf('other')))),
    ).toMatchObject({ code: 'OPERATION_FAILED' });
    expect(await failure(domains.destroy(domain))).toMatchObject({
      code: 'OPERATION_INVALID',
      procedure: 'domain_destroy_flags',
    });
    expect(await failure(domains.openConsole(domain))).toMatchObject({ code: 'OPERATION_INVALID' });
  });

  test('that vanishes in a bulk read leaves the others alone', async () => {
    const { domains } = connection;
    const one = await domains.define(deadXml('lv-one'));
    const two = await domains.define(deadXml('lv-two'));
    await domains.undefine(one);
    const results = [];
    for await (const result of domains.xmlAll([one, two], { inactive: true })) results.push(result);
    expect(results).toMatchObject([
      { domain: one, error: { code: 'NO_DOMAIN' } },
      { domain: two, ok: expect.stringContaining('<name>lv-two</name>') as string },
    ]);
  });
});

describe('a domain that runs', () => {
  test('starts paused, resumes and is destroyed, and every step is an event', async () => {
    const { domains } = connection;
    const events: LibvirtEvent[] = [];
    const unsubscribe = await connection.subscribe(['lifecycle'], (event) => {
      if (event.domain.name === 'lv-one') events.push(event);
    });
    const defined = await domains.define(deadXml('lv-one'));
    const domain = await domains.start(defined, { paused: true });
    expect(domain.id).toBeGreaterThan(0);
    expect(await domains.state(domain)).toEqual({ state: 'paused', reason: 'user' });
    await domains.resume(domain);
    expect((await domains.state(domain)).state).toBe('running');
    await domains.suspend(domain);
    await domains.destroy(domain, { graceful: true });
    await domains.undefine(domain);
    await until(() =>
      events.some((event) => event.kind === 'lifecycle' && event.event === 'undefined'),
    );
    expect(
      events.map((event) => event.kind === 'lifecycle' && `${event.event} ${event.detail}`),
    ).toEqual([
      'defined added',
      'started booted',
      'suspended paused',
      'resumed unpaused',
      'suspended paused',
      'shutdown host',
      'stopped destroyed',
      'undefined removed',
    ]);
    await unsubscribe();
  });

  test('has statistics, of all and of some domains', async () => {
    const { domains } = connection;
    const one = await domains.start(await domains.define(deadXml('lv-one')), { paused: true });
    const two = await domains.define(deadXml('lv-two'));
    const all = await domains.stats({ groups: ['state', 'balloon', 'vcpu'] });
    expect(all.map(({ domain }) => domain)).toEqual(expect.arrayContaining([one, two]));
    const [stats] = await domains.stats({ domains: [one], groups: ['state', 'balloon'] });
    expect(stats?.params.get('balloon.maximum')).toBe(65_536);
    expect(stats?.params.get('state.state')).toBe(3);
    expect((await domains.memoryStats(one)).get('actualBalloon')).toBe(65_536);
    expect(await domains.stats({ active: true, noWait: true })).toHaveLength(1);
  });

  test('takes devices and gives them back', async () => {
    const { domains } = connection;
    const events: LibvirtEvent[] = [];
    const unsubscribe = await connection.subscribe(
      ['device-added', 'device-removed', 'metadata-change', 'tunable'],
      (event) => events.push(event),
    );
    writeFileSync(`${tmp}/lv.img`, Buffer.alloc(1_048_576));
    const domain = await domains.start(await domains.define(deadXml('lv-one')), { paused: true });
    const live = { live: true };
    await domains.attachDevice(
      domain,
      `<disk type='file'><driver name='qemu' type='raw'/><source file='${tmp}/lv.img'/><target dev='sdb' bus='usb'/><alias name='ua-data'/></disk>`,
      live,
    );
    expect(await domains.blockInfo(domain, 'sdb')).toMatchObject({ capacityBytes: 1_048_576n });
    await domains.blockResize(domain, 'sdb', 2_097_152);
    expect(await domains.blockInfo(domain, 'sdb')).toMatchObject({ capacityBytes: 2_097_152n });
    await domains.setBlockIoTune(domain, 'sdb', { total_iops_sec: 100 }, live);
    expect((await domains.blockIoTune(domain, 'sdb', live)).get('total_iops_sec')).toBe(100);
    await domains.setMetadata(domain, { type: 'description', text: 'x' }, live);
    await domains.detachDeviceAlias(domain, 'ua-data', live);
    await until(() => events.length >= 4);
    expect(events).toMatchObject([
      { kind: 'device-added', alias: 'ua-data' },
      { kind: 'tunable' },
      { kind: 'metadata-change', type: 'description' },
      { kind: 'device-removed', alias: 'ua-data' },
    ]);
    await unsubscribe();
  });

  test('speaks on its console, from boot to the end of the machine', async () => {
    const { domains } = connection;
    const domain = await domains.create(bootableXml('lv-guest'), { paused: true });
    const console = await domains.openConsole(domain);
    let text = '';
    console.on('data', (bytes: Buffer) => (text += bytes.toString()));
    await domains.resume(domain);
    await until(() => text.includes('unnest-guest lv-guest booted'));
    await domains.destroy(domain);
    await until(() => console.closed);
    expect([console.readableEnded, console.errored]).toEqual([true, null]);
  });
});
