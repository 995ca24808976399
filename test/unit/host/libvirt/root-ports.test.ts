/** Ports for what is plugged in later: there in every definition that is written, and counted where a guest runs. */
import { expect, test } from 'vitest';
import { freePorts } from '../../../../src/host/libvirt/root-ports.ts';
import { writeDomainXml } from '../../../../src/host/libvirt/write-domain-xml.ts';
import { storeLayout } from '../../../../src/host/local/layout.ts';
import { parseXml } from '../../../../src/libvirt/xml.ts';
import {
  type DomainDefinition,
  type DomainFields,
  fieldsOf,
} from '../../../../src/model/domain.ts';
import { domainName, secondaryUuid } from '../../../../src/model/identity.ts';
import type { SecondaryName } from '../../../../src/model/names.ts';
import { installation, partition, secondary } from '../../../support/passes.ts';

const store = storeLayout('/var/lib/unnest', partition);
const owner = { installation, partition, secondary: 'web' as SecondaryName };

function definition(
  fields: Partial<DomainFields> = {},
  machine: string | null = 'q35',
): DomainDefinition {
  return {
    uuid: secondaryUuid(owner),
    domainName: domainName(partition, owner.secondary),
    owner,
    fields: { ...fieldsOf(secondary('web')), ...fields },
    platform: { domainType: 'kvm', machine },
  };
}

/** As libvirt does: each device that needs one gets the first port that is free. */
function addressed(xml: string): string {
  const taken = [...xml.matchAll(/<address type="pci" bus="(\d+)"/g)].map(([, bus]) => Number(bus));
  const ports = [...xml.matchAll(/index="(\d+)" model="pcie-root-port"/g)].map(([, at]) =>
    Number(at),
  );
  const free = ports.filter((port) => !taken.includes(port));
  const needs =
    /<(disk|interface|memballoon|rng|vsock)\b(?:(?!<address type="pci")[^])*?<\/\1>|<memballoon [^>]*\/>/g;
  return xml
    .replace(/<memballoon ([^>]*)\/>/, '<memballoon $1></memballoon>')
    .replace(needs, (device, name) =>
      device.replace(`</${name}>`, `<address type="pci" bus="${free.shift()}"/></${name}>`),
    );
}

const written = (fields: Partial<DomainFields>, current: string | null) =>
  addressed(writeDomainXml(definition(fields), current, store));
const free = (xml: string) => freePorts(parseXml(xml));

test('eight are free beside all that there is, however much has come', () => {
  const first = written({ volumes: 'a:raw,b:raw', network: 'Partition' }, null);
  expect(free(first)).toBe(8);
  const more = written({ volumes: 'a:raw,b:raw,c:raw,d:raw' }, first);
  expect(free(more)).toBe(8);
  // What a disk has left is one more, and nothing is taken away.
  const fewer = written({ volumes: 'd:raw' }, more);
  expect(free(fewer)).toBeGreaterThan(8);
  expect(written({ volumes: 'd:raw' }, fewer)).toBe(fewer);
});

test('a definition of before gets them when it is written, and keeps what it has', () => {
  const before = `<domain type="kvm"><name>x</name><devices>
    <controller type="pci" index="0" model="pcie-root"/>
    <controller type="pci" index="1" model="pcie-root-port"><target hotplug="off"/></controller>
    <controller type="pci" index="2" model="pcie-root-port"/>
    <controller type="pci" index="7" model="pcie-root-port"/>
    <memballoon model="virtio"><address type="pci" bus="0x02"/></memballoon>
  </devices></domain>`;
  expect(free(before)).toBe(1);
  const after = writeDomainXml(definition(), before, store);
  expect(free(after)).toBe(8);
  expect([...after.matchAll(/index="(\d+)" model="pcie-root-port"/g)].map(([, at]) => at)).toEqual([
    '1',
    '2',
    '7',
    '8',
    '9',
    '10',
    '11',
    '12',
    '13',
    '14',
  ]);
});

test('a machine without PCI Express is left as it is', () => {
  const xml = writeDomainXml(definition({}, null), null, store);
  expect(xml).not.toContain('pci');
  expect(free(xml)).toBe(0);
});
