/** Disks that are block devices: to XML, over what is there, and back. */
import { expect, test } from 'vitest';
import { readDomainXml } from '../../../../src/host/libvirt/read-domain-xml.ts';
import { writeDomainXml } from '../../../../src/host/libvirt/write-domain-xml.ts';
import { storeLayout } from '../../../../src/host/local/layout.ts';
import {
  type DomainDefinition,
  type DomainFields,
  fieldsOf,
} from '../../../../src/model/domain.ts';
import { domainName, secondaryUuid } from '../../../../src/model/identity.ts';
import type { SecondaryName } from '../../../../src/model/names.ts';
import { installation, partition, secondary } from '../../../support/passes.ts';

const files = storeLayout('/var/lib/unnest', partition);
const devices = {
  ...files,
  volumeDevice: (name: string) => (name === 'old' ? null : `/dev/vg/unnest.${partition}.${name}`),
};
const owner = { installation, partition, secondary: 'web' as SecondaryName };
const definition = (fields: Partial<DomainFields>): DomainDefinition => ({
  uuid: secondaryUuid(owner),
  domainName: domainName(partition, owner.secondary),
  owner,
  fields: { ...fieldsOf(secondary('web')), ...fields },
  platform: { domainType: 'kvm', machine: 'q35' },
});
const two = definition({ volumes: 'data:raw,old:raw' });

test('a block device is said to be one, raw, with nothing below it', () => {
  const xml = writeDomainXml(two, null, devices);
  expect(xml).toMatch(/<disk type="block" device="disk"><target[^>]*><driver[^>]*type="raw"/);
  expect(xml).toContain(`<source dev="/dev/vg/unnest.${partition}.data"/><backingStore/>`);
  expect(xml).toContain('<source file="/var/lib/unnest/team-a/volumes/old/disk.raw"/>');
  expect(readDomainXml(xml, devices).fields).toEqual(two.fields);
  expect(writeDomainXml(two, xml, devices)).toBe(xml);
});

test('one that is a file by now, or was, is another disk, at the same place', () => {
  const before = writeDomainXml(two, null, files);
  expect(readDomainXml(before, devices).fields.volumes).toBe(
    '/var/lib/unnest/team-a/volumes/data/disk.raw (edited),old:raw',
  );
  const after = writeDomainXml(two, before, devices);
  expect(readDomainXml(after, devices).fields).toEqual(two.fields);
  expect(writeDomainXml(two, after, files)).toBe(before);
});

test.each([
  ['another device', 'dev="/dev/vg/unnest.team-a.data"', 'dev="/dev/vg/unnest.team-b.data"'],
  ['a file', 'type="block"', 'type="file"'],
  ['another format', 'type="raw"', 'type="qcow2"'],
])('one that somebody has made %s is none of ours', (_what, from, to) => {
  const one = definition({ volumes: 'data:raw' });
  const xml = writeDomainXml(one, null, devices);
  expect(xml).toContain(from);
  expect(readDomainXml(xml.replace(from, to), devices).fields.volumes).not.toBe('data:raw');
});

test('no guest has the same device twice', () => {
  const xml = writeDomainXml(definition({ volumes: 'data:raw' }), null, devices);
  const theirs = xml.replace(
    '</devices>',
    "<disk type='block' device='lun'><source dev='/dev/vg/unnest.team-a.more'/><target dev='sda'/></disk></devices>",
  );
  const wanted = definition({ volumes: 'data:raw,more:raw' });
  expect(() => writeDomainXml(wanted, theirs, devices)).toThrow(/has \/dev\/vg\/.*more already/);
});
