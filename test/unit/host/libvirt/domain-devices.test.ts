/** The disks and the NIC of a domain: to XML, laid over what is there, and back. */
import fc from 'fast-check';
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
import { domainName, macAddress, secondaryUuid, tapName } from '../../../../src/model/identity.ts';
import type { SecondaryName } from '../../../../src/model/names.ts';
import { joinUses, splitUses } from '../../../../src/model/volume.ts';
import { installation, partition, secondary } from '../../../support/passes.ts';

const store = storeLayout('/var/lib/unnest', partition);
const owner = { installation, partition, secondary: 'web' as SecondaryName };

function definition(fields: Partial<DomainFields> = {}): DomainDefinition {
  return {
    uuid: secondaryUuid(owner),
    domainName: domainName(partition, owner.secondary),
    owner,
    fields: { ...fieldsOf(secondary('web')), ...fields },
    platform: { domainType: 'kvm', machine: 'q35' },
  };
}

const noBoot = {
  kernel: null,
  initrd: null,
  commandLine: null,
  disk: null,
  diskFormat: null,
  bootVolume: null,
};

/** Few names, so that the Volume of one definition is another disk in the next. */
const anyName = fc.constantFrom('a', 'b', 'c', 'd-4', 'a-name-that-has-thirty-two-chars');
const anyFormat = fc.constantFrom('raw', 'qcow2');
const anyUse = fc
  .record({
    volume: anyName,
    format: anyFormat,
    backing: fc.option(fc.record({ image: anyName, format: anyFormat })),
  })
  .map(({ volume, format, backing }) =>
    backing === null
      ? `${volume}:${format}`
      : `${volume}:${format}:${backing.image}:${backing.format}`,
  );

const anyDevices = fc
  .record({
    uses: fc.uniqueArray(anyUse, { maxLength: 5, selector: (use) => use.split(':')[0] }),
    boot: fc.constantFrom('kernel', 'disk', 'volume'),
    diskFormat: anyFormat,
    network: fc.constantFrom('None', 'Partition'),
  })
  .map(({ uses, boot, diskFormat, network }): Partial<DomainFields> => {
    const [first = 'a:raw', ...others] = uses;
    if (boot === 'volume') {
      return { ...noBoot, network, bootVolume: first, volumes: others.join(',') };
    }
    const from = boot === 'disk' ? { ...noBoot, disk: 'root.img', diskFormat } : {};
    return { ...from, network, volumes: uses.join(',') };
  });

describe('disks and the NIC', () => {
  test('are read back, new and laid over any others, and again change nothing', () => {
    fc.assert(
      fc.property(anyDevices, anyDevices, (before, after) => {
        const first = writeDomainXml(definition(before), null, store);
        expect(readDomainXml(first, store).fields).toEqual(definition(before).fields);
        const wanted = definition(after);
        const second = writeDomainXml(wanted, first, store);
        expect(readDomainXml(second, store).fields).toEqual(wanted.fields);
        expect(writeDomainXml(wanted, second, store)).toBe(second);
        const targets = [...second.matchAll(/<target dev="(\w+)" bus/g)].map(([, dev]) => dev);
        expect(new Set(targets).size).toBe(targets.length);
        // What a guest boots from goes first: libvirt numbers boot devices by their order.
        expect(targets.indexOf('vda')).toBeLessThan(1);
      }),
    );
  });

  const fields = {
    ...noBoot,
    bootVolume: 'root:qcow2:debian:raw',
    volumes: 'data:raw,a-name-of-more-than-20-letters:qcow2',
    network: 'Partition',
  };
  const made = writeDomainXml(definition(fields), null, store);
  const elements = (xml: string, name: string) =>
    xml.match(new RegExp(`<${name} [^]*?</${name}>`, 'g')) ?? [];

  test('say all that is to be known, so that nothing is probed', () => {
    const dir = '/var/lib/unnest/team-a';
    expect(elements(made, 'disk')).toEqual([
      '<disk type="file" device="disk"><target dev="vda" bus="virtio"/>' +
        '<driver name="qemu" discard="unmap" type="qcow2"/>' +
        `<source file="${dir}/volumes/root/disk.qcow2"/><backingStore type="file">` +
        `<format type="raw"/><source file="${dir}/images/debian/disk.raw">` +
        '<seclabel model="dac" relabel="no"/></source><backingStore/>' +
        '</backingStore><serial>root</serial><alias name="ua-volume-root"/></disk>',
      '<disk type="file" device="disk"><target dev="vdb" bus="virtio"/>' +
        '<driver name="qemu" discard="unmap" type="raw"/>' +
        `<source file="${dir}/volumes/data/disk.raw"/><backingStore/>` +
        '<serial>data</serial><alias name="ua-volume-data"/></disk>',
      expect.stringMatching(/"vdc".*<serial>a-name-of-m-[0-9a-f]{8}<\/serial>/),
    ]);
    expect(elements(made, 'interface')).toEqual([
      '<interface trustGuestRxFilters="no" type="network">' +
        `<mac address="${macAddress(owner)}"/><source network="unnest.team-a"/>` +
        `<target dev="${tapName(owner)}"/>` +
        '<model type="virtio"/><alias name="ua-nic-partition"/></interface>',
    ]);
  });

  test.each([
    ['a path', made.replace('/volumes/data/disk.raw', '/volumes/other/disk.raw')],
    ['a path of its own', made.replace(/file="[^"]*data\/disk.raw"/, 'file="/dev/sda"')],
    ['a format', made.replace('discard="unmap" type="raw"', 'discard="unmap" type="qcow2"')],
    [
      'what would be probed',
      made.replace('disk.raw"/><backingStore/><serial>data', 'disk.raw"/><serial>data'),
    ],
    [
      'something below',
      made.replace(
        'disk.raw"/><backingStore/><serial>data',
        'disk.raw"/><backingStore type="file"><format type="raw"/><source file="/etc/shadow"/><backingStore/></backingStore><serial>data',
      ),
    ],
  ])('that somebody has edited differ from every text, and are mended: %s', (_what, edited) => {
    expect(edited).not.toBe(made);
    const { volumes } = readDomainXml(edited, store).fields;
    expect(volumes).toMatch(/^[^,]*\(edited\),a-name/);
    expect(joinUses(splitUses(volumes))).not.toBe(volumes);
    const mended = readDomainXml(writeDomainXml(definition(fields), edited, store), store);
    expect(mended.fields).toEqual(definition(fields).fields);
  });

  test.each([
    ['another image', made.replace('images/debian', 'images/other')],
    ['an image elsewhere', made.replace(/\/var\/lib\/unnest\/team-a\/images/, '/tmp')],
    ['another file', made.replace('debian/disk.raw', 'debian/record.json')],
    [
      'something below that',
      made.replace(
        '<backingStore/></backingStore>',
        '<backingStore type="file"><format type="raw"/><source file="/etc/shadow"/>' +
          '<backingStore/></backingStore></backingStore>',
      ),
    ],
    ['another format', made.replace('<format type="raw"/>', '<format type="qcow2"/>')],
    ['no end', made.replace('<backingStore/></backingStore>', '</backingStore>')],
  ])('and so does what lies below an overlay: %s', (_what, edited) => {
    expect(edited).not.toBe(made);
    const { bootVolume } = readDomainXml(edited, store).fields;
    expect(bootVolume).not.toBe(fields.bootVolume);
  });

  test.each([
    ['a MAC', made.replace(macAddress(owner), '52:00:00:00:00:01')],
    ['a network', made.replace('network="unnest.team-a"', 'network="default"')],
    ['a kind', made.replace('type="network"', 'type="user"')],
  ])(
    'a NIC with %s of somebody is none that a document asks for, and is mended',
    (_what, edited) => {
      expect(edited).not.toBe(made);
      expect(readDomainXml(edited, store).fields.network).toMatch(/ on /);
      const mended = writeDomainXml(definition(fields), edited, store);
      expect(elements(mended, 'interface')).toHaveLength(1);
      expect(readDomainXml(mended, store).fields.network).toBe('Partition');
    },
  );

  test('what a running one has besides is no difference', () => {
    const live = made
      .replace(
        '<source network="unnest.team-a"/>',
        '<source network="unnest.team-a" portid="x" bridge="un-1"/><target dev="vnet0"/>',
      )
      .replace('<backingStore type="file">', '<backingStore type="file" index="2">');
    expect(readDomainXml(live, store).fields).toEqual(definition(fields).fields);
  });

  describe('the tap', () => {
    const tap = `<target dev="${tapName(owner)}"/>`;
    const networkIn = (xml: string) => readDomainXml(xml, store).fields.network;

    test('of a guest that was defined without a name for it is no difference, until it is redefined', () => {
      const before = made.replace(tap, '');
      expect([before === made, networkIn(before)]).toEqual([false, 'Partition']);
      expect(writeDomainXml(definition(fields), before, store)).toContain(tap);
    });
    test('that somebody has renamed is one: the packet filter would not know it', () => {
      const renamed = made.replace(tap, '<target dev="theirs" managed="no"/>');
      expect(networkIn(renamed)).toBe('Partition, by theirs');
      expect(networkIn(writeDomainXml(definition(fields), renamed, store))).toBe('Partition');
    });
    test('has a name that libvirt leaves alone, and the kernel takes', () => {
      expect(tapName(owner)).toMatch(/^(?!vnet|vif|macv)[a-z0-9]{1,15}$/);
    });
  });

  test('keep their places when others come and go, and what is set on them', () => {
    const placed = made
      .replace(
        '<target dev="vdc" bus="virtio"/>',
        '<target dev="vdc" bus="virtio"/><address slot="0x07"/>',
      )
      .replace('discard="unmap" type="raw"', 'discard="unmap" cache="none" type="raw"')
      .replace('<model type="virtio"/>', '<model type="virtio"/><address slot="0x08"/>');
    const next = { ...fields, volumes: 'more:raw,a-name-of-more-than-20-letters:qcow2' };
    const xml = writeDomainXml(definition(next), placed, store);
    expect(xml).toContain('<target dev="vdc" bus="virtio"/><address slot="0x07"/>');
    expect(xml).toContain('<address slot="0x08"/>');
    expect(elements(xml, 'disk').at(-1)).toMatch(/"vdb".*ua-volume-more/);
    expect(readDomainXml(xml, store).fields.volumes).toBe(next.volumes);
    const back = writeDomainXml(definition({ ...fields, volumes: 'data:raw' }), placed, store);
    expect(back).toContain('cache="none"');
  });

  test('take the place of a root disk, and the other way round', () => {
    const disk = { ...noBoot, disk: 'root.img', diskFormat: 'raw' };
    const placed = writeDomainXml(definition(disk), null, store).replace(
      'bus="virtio"/>',
      'bus="virtio"/><address slot="0x04"/>',
    );
    const volume = writeDomainXml(definition(fields), placed, store);
    expect(elements(volume, 'disk')[0]).toMatch(/"vda".*slot="0x04".*ua-volume-root/);
    expect(volume).not.toContain('root.img');
    const again = writeDomainXml(definition(disk), volume, store);
    expect(elements(again, 'disk')).toHaveLength(1);
    expect(again).toMatch(/slot="0x04"/);
    expect(again).not.toMatch(/ua-volume|<serial>root|debian/);
  });

  test('of somebody else stay, and have their places to themselves', () => {
    const theirs =
      '<disk type="file" device="disk"><source file="/x"/><target dev="vdb" bus="virtio"/></disk>' +
      '<interface type="network"><mac address="52:54:00:00:00:01"/><source network="default"/></interface>';
    const current = writeDomainXml(definition(), null, store).replace(
      '</devices>',
      `${theirs}</devices>`,
    );
    expect(readDomainXml(current, store).fields).toMatchObject({ volumes: '', network: 'None' });
    const xml = writeDomainXml(
      definition({ volumes: 'data:raw', network: 'Partition' }),
      current,
      store,
    );
    expect(xml).toMatch(/"vdc" bus="virtio"\/>.*ua-volume-data/);
    for (const emptied of [xml, writeDomainXml(definition(), xml, store)]) {
      expect(emptied).toContain('file="/x"');
      expect(emptied).toContain('52:54:00:00:00:01');
    }
  });

  test('at the place of the boot disk of somebody else are refused', () => {
    const theirs = '<disk type="file" device="disk"><source file="/x"/><target dev="vda"/></disk>';
    const current = writeDomainXml(definition(), null, store).replace(
      '</devices>',
      `${theirs}</devices>`,
    );
    const { disk, bootVolume, ...rest } = fieldsOf(secondary('web'));
    for (const boot of [
      { disk: 'root.img', bootVolume },
      { disk, bootVolume: 'a:raw' },
    ]) {
      const wanted = definition({ ...rest, ...boot });
      expect(() => writeDomainXml(wanted, current, store)).toThrow('somebody else is at vda');
    }
  });

  test('that nobody can have meant are refused rather than dropped', () => {
    for (const spoilt of [{ volumes: '/dev/sda' }, { bootVolume: 'a' }, { network: 'default' }]) {
      expect(() => writeDomainXml(definition(spoilt), made, store)).toThrow(HostError);
    }
    const both = definition({ ...fields, volumes: fields.bootVolume });
    expect(() => writeDomainXml(both, null, store)).toThrow('already');
    const twice = made.replace('dev="vdc"', 'dev="sdc"').replace('ua-volume-data', 'ua-theirs');
    expect(() => writeDomainXml(definition(fields), twice, store)).toThrow('already');
  });
});
