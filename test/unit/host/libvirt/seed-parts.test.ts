/** The places of a seed in a domain's XML: written, laid over what is there, and read back. */
import { describe, expect, test } from 'vitest';
import { HostError } from '../../../../src/host/host-error.ts';
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

const store = storeLayout('/store', partition);
const owner = { installation, partition, secondary: 'web' as SecondaryName };
const a = `sha256:${'a'.repeat(64)}`;
const b = `sha256:${'b'.repeat(64)}`;
const folder = (digit: string) => `/store/team-a/seeds/web.${digit.repeat(64)}`;

function definition(fields: Partial<DomainFields> = {}): DomainDefinition {
  return {
    uuid: secondaryUuid(owner),
    domainName: domainName(partition, owner.secondary),
    owner,
    fields: { ...fieldsOf(secondary('web')), ...fields },
    platform: { domainType: 'kvm', machine: 'q35' },
  };
}

const written = (fields: Partial<DomainFields>, current: string | null = null) =>
  writeDomainXml(definition(fields), current, store);
const read = (xml: string) => readDomainXml(xml, store).fields;

const variants: readonly Partial<DomainFields>[] = [
  {},
  { cloudInit: a },
  { cloudInit: b, volumes: 'data:raw,more:raw' },
  { ignition: a },
  { ignition: b, cloudInit: a },
];

test.each(variants)('%j is read back, new and laid over every other', (fields) => {
  const first = written(fields);
  expect(read(first)).toEqual(definition(fields).fields);
  for (const other of variants) {
    const second = written(other, first);
    expect(read(second)).toEqual(definition(other).fields);
    expect(written(other, second)).toBe(second);
  }
});

test('the disk cannot be written or ejected, has its format said, and nothing below it', () => {
  const xml = written({ cloudInit: a });
  const disk = /<disk [^>]*>(?:(?!<\/disk>).)*ua-seed.*?<\/disk>/s.exec(xml)?.[0] ?? '';
  expect(disk).toContain('device="disk"');
  expect(disk).toContain(`<source file="${folder('a')}/seed.iso"`);
  expect(disk).toContain('type="raw"');
  expect(disk).toContain('<readonly/>');
  expect(disk).toContain('<backingStore/>');
  expect(disk).toContain('dev="vdz"');
});

describe('what somebody has changed', () => {
  test.each([
    ['another file', (xml: string) => xml.replace(`${folder('a')}/seed.iso`, '/etc/shadow')],
    ['another Secondary', (xml: string) => xml.replaceAll('seeds/web.', 'seeds/db.')],
    ['a disk that can be written', (xml: string) => xml.replace('<readonly/>', '')],
    [
      'another format',
      (xml: string) =>
        xml
          .replace('type="raw"/><target dev="vdz"', 'x')
          .replace(/(<driver name="qemu" type=)"raw"/, '$1"qcow2"'),
    ],
  ])('is a difference, and put right: %s', (_what, change) => {
    const fields = { cloudInit: a };
    const changed = change(written(fields));
    expect(read(changed).cloudInit).toContain('(edited)');
    expect(read(written(fields, changed)).cloudInit).toBe(a);
  });

  test('about what Ignition is told is one, too', () => {
    const fields = { ignition: a };
    const changed = written(fields).replace(`${folder('a')}/ignition.json`, '/etc/shadow');
    expect(read(changed).ignition).toBe('/etc/shadow (edited)');
    expect(read(written(fields, changed)).ignition).toBe(a);
  });
});

describe('of somebody else', () => {
  const theirs = (entry: string) =>
    written({}).replace('</domain>', `<sysinfo type="fwcfg">${entry}</sysinfo></domain>`);
  const smbios = '<sysinfo type="smbios"><bios><entry name="vendor">x</entry></bios></sysinfo>';
  const other = '<entry name="opt/org.example/other">text</entry>';

  test('other entries, and other types, stay', () => {
    const before = theirs(other).replace('</domain>', `${smbios}</domain>`);
    const after = written({ ignition: a }, before);
    expect(after).toContain(other);
    expect(after).toContain(smbios);
    const without = written({}, after);
    expect(without).toContain(other);
    expect(without).not.toContain('opt/com.coreos/config');
  });

  test('a configuration is not ours to see, to take away or to replace', () => {
    const xml = theirs('<entry name="opt/com.coreos/config" file="/theirs"/>');
    expect(read(xml).ignition).toBeNull();
    expect(written({}, xml)).toContain('/theirs');
    expect(() => written({ ignition: a }, xml)).toThrow(HostError);
  });
});

test('a text that is no digest leads nowhere', () => {
  expect(() => written({ cloudInit: '/etc/shadow (edited)' })).toThrow('is no seed');
  expect(() => written({ ignition: '../x' })).toThrow('is no seed');
});
