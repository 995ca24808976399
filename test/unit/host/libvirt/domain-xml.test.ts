import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readDomainXml } from '../../../../src/host/libvirt/read-domain-xml.ts';
import { writeDomainXml, writeStopNote } from '../../../../src/host/libvirt/write-domain-xml.ts';
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

function definition(fields: Partial<DomainFields> = {}): DomainDefinition {
  const owner = { installation, partition, secondary: 'web' as SecondaryName };
  return {
    uuid: secondaryUuid(owner),
    domainName: domainName(partition, owner.secondary),
    owner,
    fields: { ...fieldsOf(secondary('web')), ...fields },
    platform: { domainType: 'kvm', machine: 'q35' },
  };
}

const anyFields: fc.Arbitrary<Partial<DomainFields>> = fc
  .record(
    {
      vcpus: fc.integer({ min: 1, max: 288 }),
      memoryBytes: fc.integer({ min: 16, max: 2 ** 24 }).map((mebibytes) => mebibytes * 2 ** 20),
      commandLine: fc
        .string({ unit: 'grapheme-ascii', maxLength: 200 })
        .filter((text) => text !== ''),
      serialConsole: fc.boolean(),
      guestAgent: fc.boolean(),
      forceStop: fc.boolean(),
      readiness: fc.constantFrom('Running', 'GuestAgent', 'TcpPort', 'Heartbeat'),
      readinessPort: fc.option(fc.integer({ min: 1, max: 65_535 })),
      vsock: fc.constantFrom('None', 'Heartbeat'),
      stopGraceMs: fc.integer({ min: 0, max: 3600 }).map((seconds) => seconds * 1000),
    },
    { requiredKeys: [] },
  )
  .map(({ vcpus, memoryBytes, ...rest }) => ({
    ...rest,
    ...(vcpus === undefined ? {} : { vcpus, vcpusMax: vcpus }),
    ...(memoryBytes === undefined ? {} : { memoryBytes, memoryMaxBytes: memoryBytes }),
  }));

describe('a definition', () => {
  test('is read back as it was written, whatever its strings hold', () => {
    fc.assert(
      fc.property(anyFields, (fields) => {
        const wanted = definition(fields);
        const { owner, fields: read } = readDomainXml(writeDomainXml(wanted, null, store), store);
        expect(owner).toEqual(wanted.owner);
        expect(read).toEqual(wanted.fields);
      }),
    );
  });

  test('laid over another is read back too, and again changes nothing', () => {
    fc.assert(
      fc.property(anyFields, anyFields, (before, after) => {
        const wanted = definition(after);
        const xml = writeDomainXml(wanted, writeDomainXml(definition(before), null, store), store);
        expect(readDomainXml(xml, store).fields).toEqual(wanted.fields);
        expect(writeDomainXml(wanted, xml, store)).toBe(xml);
      }),
    );
  });

  test.each([
    `'><disk type='block'><source dev='/dev/sda'/></disk><x y='`,
    ']]></cmdline><devices/>',
    '&lt;script&gt; &#0; %s %n ${jndi} $(reboot) `id`',
    '<!ENTITY x SYSTEM "file:///etc/shadow">&x;',
  ])('keeps %j a string: no element, attribute or entity comes of it', (hostile) => {
    const plain = parseXml(writeDomainXml(definition({ commandLine: 'quiet' }), null, store));
    const xml = writeDomainXml(definition({ commandLine: hostile }), null, store);
    const shape = (text: string) => text.replace(/>[^<]*</g, '><').replace(/ applied="[^"<]*"/, '');
    expect(shape(xml)).toBe(
      shape(writeDomainXml(definition({ commandLine: 'quiet' }), null, store)),
    );
    expect(readDomainXml(xml, store).fields.commandLine).toBe(hostile);
    expect(parseXml(xml).children).toHaveLength(plain.children.length);
  });
});

describe('an overlay', () => {
  const current = `<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>unnest.team-a.web</name>
  <title>kept</title>
  <metadata><other:thing xmlns:other="urn:other" a="1"><other:b/></other:thing></metadata>
  <memory unit='KiB'>262144</memory>
  <currentMemory unit='KiB'>131072</currentMemory>
  <vcpu placement='static' cpuset='0-3' current='1'>4</vcpu>
  <cputune><shares>100</shares></cputune>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><boot dev='network'/></os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none'/><source file='/elsewhere/x'/><target dev='vda' bus='virtio'/><serial>S1</serial><address type='pci' slot='0x04'/></disk>
    <disk type='file' device='disk'><source file='/data'/><target dev='vdb' bus='virtio'/></disk>
    <interface type='network'><mac address='52:54:00:aa:bb:cc'/></interface>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
  </devices>
</domain>`;
  const wanted = definition({
    kernel: null,
    commandLine: null,
    disk: 'root.img',
    diskFormat: 'raw',
  });
  const xml = writeDomainXml(wanted, current, store);

  test('keeps all that is not managed', () => {
    for (const kept of [
      '<title>kept</title>',
      '<other:thing xmlns:other="urn:other" a="1">',
      'machine="pc-q35-7.2"',
      '<boot dev="network"/>',
      '<shares>100</shares>',
      'cpuset="0-3"',
      'cache="none"',
      '<serial>S1</serial>',
      'slot="0x04"',
      '<source file="/data"/>',
      'address="52:54:00:aa:bb:cc"',
      'name="org.qemu.guest_agent.0"',
    ]) {
      expect(xml.replaceAll("'", '"')).toContain(kept);
    }
  });

  test('sets all that is', () => {
    expect(readDomainXml(xml, store)).toEqual({
      owner: wanted.owner,
      fields: wanted.fields,
      stopAsked: false,
      lastApplied: wanted.fields,
      // Somebody else's channel for one is one.
      agent: 'disconnected',
      foundReady: null,
      foreignCid: null,
      portsFree: 0,
      translationCacheBytes: 0,
    });
    expect(xml).not.toContain('/elsewhere/x');
    expect(xml).toMatch(/<backingStore ?\/>/);
  });

  test('of a path outside the store shows that path, which no document can ask for', () => {
    expect(readDomainXml(current, store).fields).toMatchObject({
      disk: '/elsewhere/x',
      diskFormat: 'qcow2',
      vcpus: 1,
      vcpusMax: 4,
      memoryBytes: 128 * 2 ** 20,
      memoryMaxBytes: 256 * 2 ** 20,
    });
  });
});

describe('a mark', () => {
  const xml = writeDomainXml(definition(), null, store);

  test('that is not exactly ours is none', () => {
    for (const spoilt of [
      xml.replace('unnest.dev/ns/v1', 'unnest.dev/ns/v0'),
      xml.replace(/partition=(.)team-a/, 'partition=$1../../etc'),
      xml.replace(installation, 'nonsense'),
      xml.replace(/ name=(.)web/, ' name=$1WEB'),
    ]) {
      expect(spoilt).not.toBe(xml);
      expect(readDomainXml(spoilt, store).owner).toBeNull();
    }
  });

  test('can carry the note of a stop, and lose it again', () => {
    const noted = writeStopNote(xml, true);
    expect(noted).toMatch(/^<secondary [^<]*stop=["']asked["'][^<]*\/>$/);
    expect(noted).not.toContain('xmlns');
    expect(writeStopNote(xml, false)).not.toContain('stop=');
  });
});

describe('what an operator put into a domain', () => {
  const withDisk = (name: string, disk: string) =>
    definition({ kernel: null, commandLine: null, disk: name, diskFormat: disk });

  test('keeps its place behind the root disk, which the guest boots from', () => {
    const made = writeDomainXml(withDisk('root.img', 'raw'), null, store);
    const theirs =
      '<disk type="file" device="disk"><source file="/x"/><target dev="sda" bus="sata"/></disk>';
    const current = made.replace('</devices>', `${theirs}</devices>`);
    const xml = writeDomainXml(withDisk('other.img', 'raw'), current, store);
    expect(xml.indexOf('dev="vda"')).toBeLessThan(xml.indexOf('dev="sda"'));
    expect(xml).toContain('other.img');
  });

  test('in the place of a root disk that we never gave it is theirs, and so is a serial port', () => {
    const made = writeDomainXml(definition({ serialConsole: false }), null, store);
    const theirs =
      '<disk type="file" device="disk"><source file="/x"/><target dev="vda"/></disk>' +
      '<serial type="file"><source path="/log"/></serial>';
    const current = made.replace('</devices>', `${theirs}</devices>`);
    expect(readDomainXml(current, store).fields).toMatchObject({
      disk: null,
      serialConsole: false,
    });
    const xml = writeDomainXml(
      definition({ serialConsole: false, vcpus: 2, vcpusMax: 2 }),
      current,
      store,
    );
    expect(xml).toContain('file="/x"');
    expect(xml).toContain('path="/log"');
  });

  test('a channel for a guest agent, which is ours only once our mark says so', () => {
    const theirs =
      '<channel type="unix"><target type="virtio" name="org.qemu.guest_agent.0"/></channel>';
    const current = writeDomainXml(definition(), null, store).replace(
      '</devices>',
      `${theirs}</devices>`,
    );
    expect(readDomainXml(current, store)).toMatchObject({
      fields: { guestAgent: false },
      agent: 'disconnected',
    });
    expect(writeDomainXml(definition({ vcpus: 2 }), current, store)).toContain('guest_agent.0');
    const ours = writeDomainXml(definition({ guestAgent: true }), current, store);
    expect(ours.match(/<channel/g)).toHaveLength(1);
    expect(readDomainXml(ours, store).fields.guestAgent).toBe(true);
    expect(writeDomainXml(definition(), ours, store)).not.toContain('<channel');
  });

  test('whether the agent answers, only a running one says', () => {
    const xml = writeDomainXml(definition({ guestAgent: true }), null, store);
    const connected = xml.replace('name="org.qemu.guest_agent.0"', '$& state="connected"');
    expect(readDomainXml(connected, store)).toMatchObject({ agent: 'connected' });
    expect(
      readDomainXml(connected.replace('="connected"', '="disconnected"'), store),
    ).toMatchObject({ agent: 'disconnected' });
    expect(readDomainXml(writeDomainXml(definition(), null, store), store).agent).toBe('none');
  });

  test('an order of boot devices, which libvirt takes only without ours', () => {
    const made = writeDomainXml(definition(), null, store);
    expect(made).toContain('<boot dev="hd"/>');
    const current = made.replace('<boot dev="hd"/>', '');
    expect(writeDomainXml(definition({ vcpus: 2, vcpusMax: 2 }), current, store)).not.toContain(
      '<boot',
    );
  });

  test('an image twice in one guest is refused', () => {
    const made = writeDomainXml(withDisk('root.img', 'raw'), null, store);
    const current = made.replace('dev="vda"', 'dev="sdb"');
    expect(() => writeDomainXml(withDisk('root.img', 'raw'), current, store)).toThrow('has');
  });
});

describe('what a domain is booted with', () => {
  const booted = (kernel: string, initrd: string) =>
    writeDomainXml(
      definition({ kernel: null, initrd: null, kernelImage: kernel, initrdImage: initrd }),
      null,
      store,
    );
  const images = store.imagesDir;

  test('is the file of the Image that is named, and nothing else', () => {
    const xml = booted('linux', 'ramdisk');
    expect(xml).toContain(`<kernel>${images}/linux/bzImage</kernel>`);
    expect(xml).toContain(`<initrd>${images}/ramdisk/initrd</initrd>`);
    for (const name of ['../linux', 'a/b', '', 'Linux', '/etc/passwd']) {
      expect(() => booted(name, 'ramdisk')).toThrow(/is the name of no image/);
      expect(() => booted('linux', name)).toThrow(/is the name of no image/);
    }
  });

  test.each([
    ['another file of an Image', `${images}/linux/disk.raw`],
    ['what is in the place of the other', `${images}/linux/initrd`],
    ['a folder more', `${images}/linux/x/bzImage`],
    ['a way out and in again', `${images}/../images/linux/bzImage`],
    ['an Image of another partition', '/var/lib/unnest/team-b/images/linux/bzImage'],
    ['something of the host', '/boot/vmlinuz'],
  ])('%s is no Image, and told as it stands', (_what, path) => {
    const xml = booted('linux', 'ramdisk').replace(`${images}/linux/bzImage`, path);
    const { fields } = readDomainXml(xml, store);
    expect(fields).toMatchObject({ kernel: path, kernelImage: null, initrdImage: 'ramdisk' });
  });

  test('gives way to a file, and the other way round', () => {
    const file = writeDomainXml(definition(), booted('linux', 'ramdisk'), store);
    expect(readDomainXml(file, store).fields).toMatchObject({
      kernel: 'vmlinuz',
      initrd: null,
      kernelImage: null,
      initrdImage: null,
    });
    expect(file).not.toContain(images);
  });
});
