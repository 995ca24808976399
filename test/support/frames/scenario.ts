/**
 * One pass through the kinds of calls there are, one after the other, so that the bytes come in
 * the same order each time. `record.ts` runs it against a real libvirtd and keeps the bytes;
 * a unit test runs it against those. Whoever changes it records anew.
 */
import type { Connection, LibvirtEvent } from '../../../src/libvirt/index.ts';

const uuid = '0f7a1c9e-2f55-4d3c-9c0b-7a3e5f1d2b4c';
const namespace = 'https://example.org/owner/1';
const xml = `<domain type='qemu'>
  <name>frames</name>
  <uuid>${uuid}</uuid>
  <memory unit='MiB'>32</memory>
  <vcpu>2</vcpu>
  <os><type machine='q35'>hvm</type></os>
  <devices><memballoon model='virtio'/></devices>
</domain>`;
const networkXml = `<network>
  <name>frames</name>
  <uuid>${uuid}</uuid>
  <bridge name='vframes'/>
  <mac address='52:54:00:12:34:56'/>
</network>`;

/** The options that make its bytes repeatable: no pings. */
export const scenarioOptions = { keepalive: false } as const;

export async function scenario(connection: Connection): Promise<unknown> {
  const { domains, networks, node } = connection;
  const events: LibvirtEvent[] = [];
  await connection.subscribe(['lifecycle'], (event) => events.push(event));
  await connection.subscribe(['network-lifecycle'], (event) => events.push(event));
  const defined = await domains.define(xml, { validate: true });
  await domains.setMetadata(
    defined,
    { type: 'element', xml: '<owner generation="1"/>', prefix: 'o', namespace },
    { config: true },
  );
  await domains.setSchedulerParams(defined, { cpu_shares: 512, vcpu_quota: -1 }, { config: true });
  await domains.pinVcpu(defined, 1, [0], { config: true });
  const network = await networks.define(networkXml);
  await networks.setAutostart(network, true);
  const results = {
    libvirtVersion: await node.libvirtVersion(),
    listed: await domains.list({ inactive: true }),
    found: await domains.lookupByUuid(uuid),
    xml: await domains.xml(defined, { inactive: true }),
    state: await domains.state(defined),
    info: await domains.info(defined),
    metadata: await domains.metadata(defined, 'element', namespace),
    schedulerParams: await domains.schedulerParams(defined, { config: true }),
    memoryParams: await domains.memoryParams(defined, { config: true }),
    stats: await domains.stats({ groups: ['state', 'balloon', 'vcpu'] }),
    networks: await networks.list(),
    networkXml: await networks.xml(network),
    networkAutostart: await networks.autostart(network),
    nobody: await refusalOf(domains.lookupByName('nobody')),
  };
  await networks.undefine(network);
  await domains.undefine(defined);
  // What libvirtd has pushed until now comes before this answer.
  await domains.list();
  return { ...results, events };
}

async function refusalOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise;
  } catch (error) {
    return error instanceof Error ? Object.assign({}, error, { message: error.message }) : error;
  }
}

/** JSON that tells maps and bigints apart from objects and numbers. */
export function toJson(value: unknown): unknown {
  const text = JSON.stringify(value, (_, each: unknown) => {
    if (each instanceof Map) return { map: [...each] };
    return typeof each === 'bigint' ? { bigint: String(each) } : each;
  });
  return JSON.parse(text);
}
