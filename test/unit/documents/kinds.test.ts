/** Kinds that are understood and cannot be acted on yet. */
import { describe, expect, test } from 'vitest';
import { parseDocuments } from '../../../src/documents/desired-state.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import { bundleOf, diagnosticsOf, documentOf, placesOf, secondaryDocument } from './parsing.ts';

const digest = `sha256:${'0a'.repeat(32)}`;
const image = documentOf('Image', 'debian', [
  `digest: ${digest}`,
  'format: qcow2',
  'source: { file: debian.qcow2 }',
]);
const volume = documentOf('Volume', 'data', ['size: 10GiB', 'format: qcow2', 'image: debian']);
const partition = documentOf('Partition', 'team-a', [
  'source: Channel',
  'primary: { domain: team-a, reserved: { vcpus: 2, memory: 2GiB }, grants: [vcpus, memory] }',
  'limits: { vcpus: 16, memory: 32GiB, storage: 1TiB, secondaries: 50 }',
  'guarantees: { cpuset: "4-7,12", memory: 8GiB }',
  'network: { cidr: 10.20.0.0/24, mode: nat, uplink: eth0 }',
  'policy: { images: [debian], devices: [rng], confidential: [tdx] }',
]);

describe('documents of every kind', () => {
  test('are valid together, and say what cannot be done about them', () => {
    const bundle = bundleOf([secondaryDocument('web'), image, volume + partition]);
    expect(bundle.documents.map(({ document }) => document.kind)).toEqual([
      'Secondary',
      'Image',
      'Volume',
      'Partition',
    ]);
    expect(bundle.notYet.map(({ code, file, path }) => `${code} ${file} ${path}`)).toEqual([
      'NotYetSupported 2.yaml spec.policy.devices',
      'NotYetSupported 2.yaml spec.policy.confidential',
    ]);
  });

  test('nothing is done by halves', () => {
    const files = [{ path: 'a.yaml', text: secondaryDocument('web') + partition }];
    const parsed = parseDocuments(files, 'team-a' as PartitionName);
    expect(parsed.ok ? [] : parsed.diagnostics.map(({ code }) => code)).toContain(
      'NotYetSupported',
    );
  });

  test('may have the same name, but not two of one kind', () => {
    const all = [secondaryDocument('x'), image.replace('debian\n', 'x\n')];
    expect(placesOf(all)).toEqual([]);
    expect(placesOf([image, image])).toEqual(['DuplicateName 5:9 metadata.name']);
    expect(diagnosticsOf([image, image])[0]?.message).toContain('at 0.yaml:5');
  });

  test('name Images that are there', () => {
    expect(diagnosticsOf([image, volume.replace('image: debian', 'image: debain')])).toMatchObject([
      { code: 'UnknownReference', path: 'spec.image', remedy: 'did you mean debian?' },
    ]);
  });
});

describe('the partition', () => {
  const web = secondaryDocument('web');
  test('is the one that is asked for, else the one that is described, else `default`', () => {
    expect(bundleOf([web]).partition).toBe('default');
    expect(bundleOf([web], 'team-b').partition).toBe('team-b');
    expect(bundleOf([web + partition]).partition).toBe('team-a');
    expect(bundleOf([web + partition], 'team-a').partition).toBe('team-a');
  });

  test('is not another', () => {
    expect(diagnosticsOf([web + partition], 'team-b')).toMatchObject([
      {
        code: 'WrongPartition',
        path: 'metadata.name',
        remedy: 'say -p team-a if that one is meant',
      },
    ]);
    const other = partition.replace('name: team-a', 'name: team-b');
    expect(diagnosticsOf([partition, other]).map(({ code, file }) => `${code} ${file}`)).toEqual([
      'WrongPartition 1.yaml',
    ]);
  });
});

test('nothing is guaranteed where the kernel enforces nothing', () => {
  const limits = (more: string) =>
    `limits: { vcpus: 4, memory: 8GiB, storage: 1GiB, secondaries: 9${more} }`;
  const guarantees = 'guarantees: { cpuset: "2" }';
  const places = (lines: string[]) => placesOf([documentOf('Partition', 'team-a', lines)]);
  expect(places([limits(''), guarantees])).toEqual([]);
  expect(places([limits(', enforcement: Admission'), guarantees])).toHaveLength(1);
  expect(places([guarantees])).toHaveLength(1);
});

test('a network that does not leave the host needs no uplink, and one that does needs none said', () => {
  const withNetwork = (network: string) =>
    documentOf('Partition', 'team-a', [`network: ${network}`]);
  for (const network of ['{ cidr: 10.20.0.0/24, mode: isolated }', '{ cidr: 10.20.0.0/24 }']) {
    expect(placesOf([withNetwork(network)])).toEqual([]);
  }
  const text = withNetwork('{ cidr: 10.20.0.0/24, mode: isolated, uplink: eth0 }');
  expect(diagnosticsOf([text])).toMatchObject([
    { message: '"eth0" is not valid: expected no uplink where mode is isolated' },
  ]);
});

describe('what is wrong in a', () => {
  const lead = (text: string, from: string, to: string) => {
    const changed = text.replace(from, to);
    if (changed === text) throw new Error(`${from} is not there`);
    return changed;
  };
  test.each([
    ['16,', '0,', 'spec.limits.vcpus'],
    ['storage: 1TiB', 'storage: 1TB', 'spec.limits.storage'],
    ['memory: 32GiB', 'memory: 17TiB', 'spec.limits.memory'],
    ['10.20.0.0/24', '10.20.0.7/24', 'spec.network.cidr'],
    ['10.20.0.0/24', '10.20.0.0/30', 'spec.network.cidr'],
    ['10.20.0.0/24', '10.20.0.0/8', 'spec.network.cidr'],
    ['10.20.0.0/24', '10.20.0.256/24', 'spec.network.cidr'],
    ['10.20.0.0/24', '127.0.0.0/24', 'spec.network.cidr'],
    ['10.20.0.0/24', '10.20.0.0', 'spec.network.cidr'],
    ['mode: nat', 'mode: bridge', 'spec.network.mode'],
    ['uplink: eth0', 'uplink: ../eth0', 'spec.network.uplink'],
    ['mode: nat', 'mode: isolated', 'spec.network.uplink'],
    ['"4-7,12"', '"7-4"', 'spec.guarantees.cpuset'],
    ['"4-7,12"', '"4-7,7"', 'spec.guarantees.cpuset'],
    ['"4-7,12"', '4', 'spec.guarantees.cpuset'],
    ['memory: 8GiB', 'memory: 64GiB', 'spec.guarantees.memory'],
    ['vcpus: 2', 'vcpus: 17', 'spec.primary.reserved.vcpus'],
    ['memory: 2GiB', 'memory: 33GiB', 'spec.primary.reserved.memory'],
    ['grants: [vcpus', 'grants: [everything', 'spec.primary.grants[0]'],
    ['grants: [vcpus, memory]', 'grants: [vcpus, vcpus]', 'spec.primary.grants'],
    ['domain: team-a', 'domain: "a/b"', 'spec.primary.domain'],
    ['devices: [rng]', 'devices: [vga]', 'spec.policy.devices[0]'],
    ['source: Channel', 'source: channel', 'spec.source'],
    ['confidential: [tdx]', 'confidential: tdx', 'spec.policy.confidential'],
  ])('Partition: %s as %s', (from, to, path) => {
    expect(diagnosticsOf([lead(partition, from, to)]).map((each) => each.path)).toEqual([path]);
  });

  test.each([
    [digest, 'sha256:abc', 'spec.digest'],
    [digest, digest.toUpperCase(), 'spec.digest'],
    [digest, digest.replace('sha256', 'md5'), 'spec.digest'],
    ['qcow2\n', 'vmdk\n', 'spec.format'],
    ['file: debian.qcow2', 'file: ../x', 'spec.source.file'],
    ['file: debian.qcow2', 'file: a, catalogue: b', 'spec.source'],
    ['{ file: debian.qcow2 }', '{}', 'spec.source'],
  ])('Image: %s as %s', (from, to, path) => {
    expect(diagnosticsOf([lead(image, from, to)]).map((each) => each.path)).toEqual([path]);
  });

  test.each([
    ['size: 10GiB', 'size: 10G', 'spec.size'],
    ['size: 10GiB', 'size: 1KiB', 'spec.size'],
    ['size: 10GiB', 'size: 10GiB\n  deletionPolicy: Keep', 'spec.deletionPolicy'],
    ['image: debian', 'image: Debian', 'spec.image'],
  ])('Volume: %s as %s', (from, to, path) => {
    expect(diagnosticsOf([image, lead(volume, from, to)]).map((each) => each.path)).toEqual([path]);
  });
});
