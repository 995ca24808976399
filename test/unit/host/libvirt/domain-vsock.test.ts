/** The vsock device of a domain, and the note that a run of it was found ready. */
import { describe, expect, test } from 'vitest';
import { HostError } from '../../../../src/host/host-error.ts';
import { readDomainXml } from '../../../../src/host/libvirt/read-domain-xml.ts';
import { writeReadyNote } from '../../../../src/host/libvirt/ready-note.ts';
import { writeDomainXml } from '../../../../src/host/libvirt/write-domain-xml.ts';
import { storeLayout } from '../../../../src/host/local/layout.ts';
import { type DomainDefinition, fieldsOf } from '../../../../src/model/domain.ts';
import { domainName, secondaryUuid } from '../../../../src/model/identity.ts';
import type { SecondaryName } from '../../../../src/model/names.ts';
import type { Secondary } from '../../../../src/model/secondary.ts';
import { cidOf } from '../../../../src/model/vsock.ts';
import { installation, partition, secondary } from '../../../support/passes.ts';

const store = storeLayout('/var/lib/unnest', partition);
const owner = { installation, partition, secondary: 'db' as SecondaryName };
const uuid = secondaryUuid(owner);
const heartbeat = { readiness: 'Heartbeat' } as const;

function definition(more: Partial<Secondary> = {}): DomainDefinition {
  return {
    uuid,
    domainName: domainName(partition, owner.secondary),
    owner,
    fields: fieldsOf(secondary('db', more)),
    platform: { domainType: 'kvm', machine: 'q35' },
  };
}
const write = (more: Partial<Secondary>, current: string | null = null) =>
  writeDomainXml(definition(more), current, store);
const read = (xml: string) => readDomainXml(xml, store);

describe('a vsock device', () => {
  test('is there for a heartbeat only, with an address that stays', () => {
    const xml = write(heartbeat);
    expect(xml).toContain(
      `<vsock model="virtio"><cid auto="no" address="${cidOf(uuid)}"/></vsock>`,
    );
    expect(read(xml)).toMatchObject({ fields: { vsock: 'Heartbeat' }, foreignCid: null });
    expect(write({})).not.toContain('<vsock');
    expect(write({}, xml)).not.toContain('<vsock');
  });

  test('keeps its place on the bus when it is written again', () => {
    const placed = write(heartbeat).replace('/></vsock>', '/><address type="pci"/></vsock>');
    expect(write({ ...heartbeat, vcpus: 2 }, placed)).toContain('/><address type="pci"/></vsock>');
  });

  test('with another address than its own is a difference, and gets its own back', () => {
    const moved = write(heartbeat).replace(`${cidOf(uuid)}`, '77');
    expect(read(moved).fields.vsock).toBe('CID 77');
    expect(read(write(heartbeat, moved)).fields.vsock).toBe('Heartbeat');
  });

  test("that is somebody else's stays, and none is put beside it", () => {
    const theirs = write({}).replace(
      '</devices>',
      '<vsock><cid auto="no" address="77"/></vsock></devices>',
    );
    expect(read(theirs)).toMatchObject({ fields: { vsock: 'None' }, foreignCid: 77 });
    expect(write({ vcpus: 2 }, theirs)).toContain('address="77"');
    expect(() => write(heartbeat, theirs)).toThrow(HostError);
  });
});

describe('a note that a run was found ready', () => {
  const namespace = 'https://unnest.dev/ns/ready/v1';
  const note = (xml: string, runId: number, uri = namespace) => {
    const [name, attributes] = /^<(\w+) (.*)\/>$/.exec(xml)?.slice(1) ?? [];
    return write({})
      .replace('<domain ', `<domain id="${runId}" `)
      .replace(
        '</metadata>',
        `<unnest-ready:${name} xmlns:unnest-ready="${uri}" ${attributes}/></metadata>`,
      );
  };
  const written = writeReadyNote({ runId: 7, check: 'TcpPort:5432' });

  test('is read of that run', () => {
    expect(read(note(written, 7)).foundReady).toBe('TcpPort:5432');
  });

  test('is none of another run, of a definition, or in another namespace', () => {
    expect(read(note(written, 8)).foundReady).toBeNull();
    expect(read(note(written, 7).replace(' id="7" type', ' type')).foundReady).toBeNull();
    expect(read(note(written, 7, 'https://example.org')).foundReady).toBeNull();
  });
});
