/** All XML that unnest ever writes for a domain is valid by libvirt's own RelaxNG schema. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeDomainXml } from '../../../src/host/libvirt/write-domain-xml.ts';
import { storeLayout } from '../../../src/host/local/layout.ts';
import { type Connection, connect } from '../../../src/libvirt/index.ts';
import { type DomainFields, fieldsOf } from '../../../src/model/domain.ts';
import { domainName, secondaryUuid } from '../../../src/model/identity.ts';
import type { SecondaryName } from '../../../src/model/names.ts';
import type { Boot } from '../../../src/model/secondary.ts';
import { installation, partition, secondary } from '../../support/passes.ts';

const layout = storeLayout('/store', partition);
let libvirt: Connection;
beforeAll(async () => {
  libvirt = await connect();
});
afterAll(() => libvirt.close());

const kernel = {
  kind: 'kernel',
  kernel: 'vmlinuz',
  initrd: 'initrd.img',
  commandLine: `a='<&>"'`,
} as Boot;
const raw = { kind: 'disk', file: 'root.img', format: 'raw' } as Boot;
const qcow2 = { kind: 'disk', file: 'root.qcow2', format: 'qcow2' } as Boot;

const bare = { disks: [], network: 'None' } as const;
const long = 'a-name-that-has-thirty-two-chars';

const variants: readonly DomainFields[] = [
  ...[kernel, raw, qcow2].flatMap((boot) =>
    [true, false].map((serialConsole) =>
      fieldsOf(secondary('schema', { ...bare, boot, serialConsole })),
    ),
  ),
  fieldsOf(secondary('schema', { ...bare, boot: kernel, guestAgent: true })),
  ...(['cloudInit', 'ignition'] as const).map((form) => ({
    ...fieldsOf(secondary('schema', { ...bare, boot: kernel })),
    [form]: `sha256:${'0'.repeat(64)}`,
  })),
  {
    ...fieldsOf(secondary('schema', { ...bare, boot: kernel })),
    volumes: `data:raw,${long}:qcow2:${long}:raw`,
    network: 'Partition',
  },
  ...['data:raw', 'other:qcow2:image:qcow2'].map((bootVolume) => ({
    ...fieldsOf(secondary('schema', { ...bare, boot: kernel })),
    kernel: null,
    initrd: null,
    commandLine: null,
    bootVolume,
    network: 'Partition',
  })),
];

function xmlOf(fields: DomainFields, current: string | null): string {
  const owner = { installation, partition, secondary: 'schema' as SecondaryName };
  const platform = { domainType: process.env['UNNEST_DOMAIN_TYPE'] ?? 'qemu', machine: 'q35' };
  const uuid = secondaryUuid(owner);
  const name = domainName(partition, owner.secondary);
  return writeDomainXml({ uuid, domainName: name, owner, fields, platform }, current, layout);
}

describe('every variant', () => {
  test.each(variants)('%j, new and laid over every other', async (fields) => {
    const domain = await libvirt.domains.define(xmlOf(fields, null), { validate: true });
    for (const other of variants) {
      const current = await libvirt.domains.xml(domain, { inactive: true });
      const again = libvirt.domains.define(xmlOf(other, current), { validate: true });
      await expect(again).resolves.toMatchObject({ name: domain.name });
    }
    await libvirt.domains.undefine(domain);
  });
});

test('the schema is really looked at', async () => {
  const spoilt = xmlOf(fieldsOf(secondary('schema', bare)), null).replace('<memory ', '<memorie ');
  await expect(libvirt.domains.define(spoilt, { validate: true })).rejects.toMatchObject({
    name: 'LibvirtError',
  });
});
