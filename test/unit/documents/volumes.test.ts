/** Volumes, Images and NICs in documents: what they mean, and what is wrong beside others. */
import { describe, expect, test } from 'vitest';
import { bundleOf, diagnosticsOf, documentOf, placesOf, secondaryDocument } from './parsing.ts';

const digest = `sha256:${'0a'.repeat(32)}`;
const image = (format: string) =>
  documentOf('Image', 'debian', [
    `digest: ${digest}`,
    `format: ${format}`,
    'source: { file: debian.img }',
  ]);
const volume = (name: string, ...more: readonly string[]) =>
  documentOf('Volume', name, ['size: 1GiB', ...more]);
const partition = (...spec: readonly string[]) => documentOf('Partition', 'team-a', spec);

describe('a Volume', () => {
  test('is what its document says, defaults filled in', () => {
    const { volumes, images } = bundleOf([
      volume('data') +
        volume('root', 'format: qcow2', 'image: debian', 'provision: Overlay') +
        image('raw'),
    ]);
    expect([...volumes.values()]).toEqual([
      {
        name: 'data',
        sizeBytes: 2 ** 30,
        format: 'raw',
        origin: null,
        copyOf: null,
        deletionPolicy: 'Retain',
      },
      {
        name: 'root',
        sizeBytes: 2 ** 30,
        format: 'qcow2',
        origin: { image: 'debian', digest, format: 'raw', provision: 'Overlay' },
        copyOf: null,
        deletionPolicy: 'Retain',
      },
    ]);
    expect([...images.values()]).toEqual([
      {
        name: 'debian',
        digest,
        format: 'raw',
        source: { kind: 'file', file: 'debian.img' },
        virtualBytesMax: null,
      },
    ]);
  });

  test.each([
    ['a copy in another format', ['image: debian'], 'spec.format', 'say format: qcow2'],
    [
      'an overlay that is raw',
      ['image: debian', 'provision: Overlay'],
      'spec.format',
      'say format: qcow2',
    ],
    ['an overlay on nothing', ['provision: Overlay'], 'spec.provision', null],
  ])('is not %s', (_what, more, path, remedy) => {
    expect(diagnosticsOf([image('qcow2') + volume('data', ...more)])).toMatchObject([
      { code: 'InvalidValue', path, remedy },
    ]);
  });
});

test('a Volume is judged by the format of its Image, which is meant where its name is nearly said', () => {
  expect(diagnosticsOf([image('qcow2'), volume('root', 'image: debian')])).toMatchObject([
    { code: 'InvalidValue', remedy: 'say format: qcow2' },
  ]);
  expect(diagnosticsOf([image('qcow2'), volume('root', 'image: debain')])).toMatchObject([
    { code: 'UnknownReference', remedy: 'did you mean debian?' },
  ]);
});

describe('a Volume that begins with the data of another', () => {
  const overlay = ['format: qcow2', 'image: debian', 'provision: Overlay'];
  const root = image('raw') + volume('root', ...overlay);

  test('says of whom, and may outlive its document', () => {
    const { volumes } = bundleOf([
      root + volume('monday', ...overlay, 'copyOf: root') + volume('old', 'copyOf: gone'),
    ]);
    expect([...volumes.values()].map(({ name, copyOf }) => [name, copyOf])).toEqual([
      ['root', null],
      ['monday', 'root'],
      ['old', 'gone'],
    ]);
  });

  test.each([
    ['of another format', ['copyOf: root'], 'spec.format', 'say format: qcow2'],
    [
      'on no Image, where that one lies on one',
      ['format: qcow2', 'copyOf: root'],
      'spec.copyOf',
      'say image: debian and provision: Overlay',
    ],
    [
      'on an Image, where that one lies on none',
      [...overlay, 'copyOf: plain'],
      'spec.copyOf',
      'take image and provision out',
    ],
    ['of an Image too', ['image: debian', 'copyOf: plain'], 'spec.copyOf', 'say one of the two'],
    ['of itself', ['copyOf: data'], 'spec.copyOf', null],
  ])('is none %s', (_what, more, path, remedy) => {
    const plain =
      more.includes('copyOf: plain') && more.includes('format: qcow2') ? 'qcow2' : 'raw';
    expect(
      diagnosticsOf([root + volume('plain', `format: ${plain}`) + volume('data', ...more)]),
    ).toMatchObject([{ code: 'InvalidValue', path, remedy }]);
  });

  test('is not so deep a copy of copies that each look takes for ever', () => {
    const chain = (length: number) =>
      Array.from({ length }, (_, at) =>
        volume(`v${at}`, ...(at === 0 ? [] : [`copyOf: v${at - 1}`])),
      );
    expect([...bundleOf([chain(65).join('')]).volumes]).toHaveLength(65);
    expect(diagnosticsOf([chain(200).join('')])).toMatchObject([
      { code: 'TooLarge', path: 'spec.copyOf' },
    ]);
  });

  test('cannot be of one that is to begin with its own', () => {
    const circle = volume('a', 'copyOf: b') + volume('b', 'copyOf: c') + volume('c', 'copyOf: a');
    expect(diagnosticsOf([circle])).toMatchObject([
      {
        code: 'InvalidValue',
        path: 'spec.copyOf',
        message: 'none of them could ever begin: a is a copy of b is a copy of c is a copy of a',
      },
    ]);
  });
});

describe('where an Image comes from', () => {
  const from = (source: string, format = 'raw', ...more: readonly string[]) =>
    documentOf('Image', 'debian', [
      `digest: ${digest}`,
      `format: ${format}`,
      `source: { ${source} }`,
      ...more,
    ]);
  const sourceIn = (...files: readonly string[]) => [...bundleOf(files).images.values()][0]?.source;

  test.each([
    ['upload: { bytes: 7 }', { kind: 'upload', sizeBytes: 7 }],
    ['handOver: { bytes: 7 }', { kind: 'handOver', sizeBytes: 7, isWritten: false }],
    ['handOver: { bytes: 7, written: true }', { kind: 'handOver', sizeBytes: 7, isWritten: true }],
    [
      'imageDisk: { path: images/debian.img, bytes: 7 }',
      {
        kind: 'imageDisk',
        path: 'images/debian.img',
        sizeBytes: 7,
        taking: 'copy',
        isWritten: false,
      },
    ],
    [
      'imageDisk: { path: a, bytes: 7, mode: move, written: true }',
      { kind: 'imageDisk', path: 'a', sizeBytes: 7, taking: 'move', isWritten: true },
    ],
    ['catalogue: debian.img', { kind: 'catalogue', file: 'debian.img', isAllowed: true }],
  ])('%s', (source, means) => {
    expect(sourceIn(from(source))).toEqual(means);
  });

  test('of the catalogue is what the policy of the partition names, and nothing else', () => {
    const isAllowed = (policy: string) =>
      sourceIn(from('catalogue: debian.img'), partition(policy));
    expect(isAllowed('policy: { images: [debian.img] }')).toMatchObject({ isAllowed: true });
    expect(isAllowed('policy: { images: [other.img] }')).toMatchObject({ isAllowed: false });
    expect(isAllowed('policy: {}')).toMatchObject({ isAllowed: false });
  });

  test.each([
    ['', 'MissingField|InvalidValue'],
    ['file: a.img, upload: { bytes: 7 }', 'InvalidValue'],
    ['upload: { bytes: 0 }', 'InvalidValue'],
    ['upload: { bytes: 1.5 }', 'InvalidValue'],
    ['upload: { bytes: 9007199254740993 }', 'InvalidValue'],
    ['handOver: { bytes: -1 }', 'InvalidValue'],
    ['handOver: { bytes: 7, written: perhaps }', 'InvalidValue'],
    ['imageDisk: { bytes: 7 }', 'MissingField'],
    ['imageDisk: { path: a }', 'MissingField'],
    ['imageDisk: { path: a, bytes: 7, mode: steal }', 'InvalidValue'],
    ['imageDisk: { path: /a, bytes: 7 }', 'InvalidValue'],
    ['imageDisk: { path: a//b, bytes: 7 }', 'InvalidValue'],
    ['imageDisk: { path: a/, bytes: 7 }', 'InvalidValue'],
    ['imageDisk: { path: ../a, bytes: 7 }', 'InvalidValue'],
    ['imageDisk: { path: a/../b, bytes: 7 }', 'InvalidValue'],
    ['imageDisk: { path: -p, bytes: 7 }', 'InvalidValue'],
    ['imageDisk: { path: "<2>", bytes: 7 }', 'InvalidValue'],
    ['imageDisk: { path: "a b", bytes: 7 }', 'InvalidValue'],
    ['imageDisk: { path: "a\\" b", bytes: 7 }', 'InvalidValue'],
    ['imageDisk: { path: "a\\nrm b", bytes: 7 }', 'InvalidValue'],
    [`imageDisk: { path: ${'a'.repeat(256)}, bytes: 7 }`, 'InvalidValue'],
    ['catalogue: ../debian.img', 'InvalidValue'],
  ])('is not { %s }', (source, code) => {
    expect(diagnosticsOf([from(source)])[0]?.code).toMatch(new RegExp(code));
  });

  test('a qcow2 of a Primary’s says how large a disk it is, as it counts from the start', () => {
    expect(placesOf([from('upload: { bytes: 7 }', 'qcow2')])).toEqual([
      expect.stringContaining('spec.virtualSize'),
    ]);
    expect(placesOf([from('upload: { bytes: 7 }', 'qcow2', 'virtualSize: 1GiB')])).toEqual([]);
    expect(placesOf([from('file: a.img', 'qcow2')])).toEqual([]);
  });
});

describe('a disk of a Secondary', () => {
  const web = (...more: readonly string[]) => secondaryDocument('web', ...more);

  test('is a Volume, for each replica its own', () => {
    const text =
      web('replicas: 2', 'disks: [{ volume: $(name)-data }]') +
      volume('web-0-data') +
      volume('web-1-data', 'format: qcow2');
    const { secondaries } = bundleOf([text]);
    expect([...secondaries.values()].map(({ disks }) => disks)).toEqual([
      [{ volume: 'web-0-data', format: 'raw', backing: null }],
      [{ volume: 'web-1-data', format: 'qcow2', backing: null }],
    ]);
  });

  test('knows what it lies on', () => {
    const root = volume('root', 'format: qcow2', 'image: debian', 'provision: Overlay');
    const boots = documentOf('Secondary', 'db', [
      'vcpus: 1',
      'memory: 1GiB',
      'boot: { volume: root }',
    ]);
    const [db] = bundleOf([boots + root + image('raw')]).secondaries.values();
    const backing = { image: 'debian', format: 'raw' };
    expect(db?.boot).toEqual({ kind: 'volume', use: { volume: 'root', format: 'qcow2', backing } });
  });

  test.each([
    ['that is not there', 'disks: [{ volume: dtaa }]', 'UnknownReference', 'did you mean data?'],
    ['that it has twice', 'disks: [{ volume: data }, { volume: data }]', 'DiskInUse', null],
    ['whose name is none', 'disks: [{ volume: -data }]', 'InvalidValue', null],
  ])('is none %s', (_what, disks, code, remedy) => {
    expect(diagnosticsOf([web(disks) + volume('data')])).toMatchObject([{ code, remedy }]);
  });

  test('is nobody else’s', () => {
    const both = web('disks: [{ volume: data }]') + volume('data');
    const other = secondaryDocument('db', 'disks: [{ volume: data }]');
    expect(diagnosticsOf([both, other])).toMatchObject([
      { code: 'DiskInUse', file: '1.yaml', path: 'spec.disks[0].volume' },
    ]);
    expect(
      diagnosticsOf([web('replicas: 2', 'disks: [{ volume: data }]') + volume('data')]),
    ).toMatchObject([{ code: 'DiskInUse', remedy: 'name one for each, such as $(name)-data' }]);
  });

  test('that has mistakes is not said to be missing', () => {
    const broken = volume('data').replace('1GiB', '1GB');
    expect(placesOf([web('disks: [{ volume: data }]') + broken])).toEqual([
      'InvalidValue 17:9 spec.size',
    ]);
  });
});

describe('a NIC', () => {
  const web = secondaryDocument('web', 'network: Partition');
  test('needs no Partition beside it: the network may be there already', () => {
    expect(bundleOf([web]).network).toBe('unspoken');
  });
  test('is on the network that a Partition describes, and on no other', () => {
    const given = partition('network: { cidr: 10.20.0.0/24 }');
    expect(bundleOf([web + given]).network).toEqual({
      cidr: '10.20.0.0/24',
      mode: 'nat',
      uplink: null,
      portIsolation: false,
      egress: null,
      networkBytesPerSecond: null,
    });
    expect(diagnosticsOf([web + partition('source: Apply')])).toMatchObject([
      { code: 'UnknownReference', path: 'spec.network' },
    ]);
  });
});

describe('an Image that is fetched', () => {
  const from = 'https://images.example.org/debian.img';
  const fetched = (url = from, more: readonly string[] = []) =>
    documentOf('Image', 'debian', [
      `digest: ${digest}`,
      'format: raw',
      `source: { url: { from: "${url}", bytes: 1000 } }`,
      ...more,
    ]);
  const allowing = (hosts: string) => partition(`policy: { imageHosts: [${hosts}] }`);
  const sourceOf = (...files: readonly string[]) => [...bundleOf(files).images.values()][0]?.source;

  test('is allowed from the hosts that the operator names, and from no other', () => {
    const source = { kind: 'url', url: from, sizeBytes: 1000, isAllowed: true };
    expect(sourceOf(fetched(), allowing('{ host: images.example.org }'))).toEqual(source);
    for (const other of ['example.org', 'x.images.example.org', 'images.example.org:8443']) {
      expect(sourceOf(fetched(), allowing(`{ host: ${other} }`))).toMatchObject({
        isAllowed: false,
      });
    }
    expect(sourceOf(fetched(), partition('source: Apply'))).toMatchObject({ isAllowed: false });
    // Whoever applies documents where nobody describes the partition is the operator.
    expect(sourceOf(fetched())).toMatchObject({ isAllowed: true });
  });

  test('the hosts are what redirects are held to', () => {
    const hosts = '{ host: a.test }, { host: "b.test:8443", privateAddresses: true }';
    expect(bundleOf([allowing(hosts)]).imageHosts).toEqual([
      { host: 'a.test', port: 443, privateAddresses: false },
      { host: 'b.test', port: 8443, privateAddresses: true },
    ]);
    expect(bundleOf([fetched()]).imageHosts).toEqual([]);
  });

  test.each([
    ['http', 'http://images.example.org/x'],
    ['somebody’s name and password', 'https://user:word@images.example.org/x'],
    ['a fragment', 'https://images.example.org/x#y'],
    ['an address', 'https://127.0.0.1/x'],
    ['an address, spelt otherwise', 'https://0x7f000001/x'],
    ['a port that is none', 'https://images.example.org:65536/x'],
    ['no path', 'https://images.example.org'],
    ['a file', 'file:///etc/shadow'],
    ['capitals', 'https://Images.example.org/x'],
  ])('not by %s', (_what, url) => {
    expect(diagnosticsOf([fetched(url)])).toMatchObject([
      { code: 'InvalidValue', path: 'spec.source.url.from' },
    ]);
  });

  test('a qcow2 has to say how large a disk it is', () => {
    const qcow2 = fetched().replace('format: raw', 'format: qcow2');
    expect(diagnosticsOf([qcow2])).toMatchObject([{ path: 'spec.virtualSize' }]);
  });

  test.each([
    ['an address', '{ host: 10.0.0.1 }'],
    ['a pattern', '{ host: "*.example.org" }'],
    ['a URL', '{ host: "https://images.example.org" }'],
    ['the same twice', '{ host: a.test }, { host: "a.test:443" }'],
  ])('from no %s', (_what, hosts) => {
    expect(diagnosticsOf([allowing(hosts)])).toHaveLength(1);
  });
});
