/** Which partitions there are, as the operator's folder changes. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { settleMs } from '../../../../src/daemon/sources/folder-source.ts';
import {
  type Partitions,
  partitionsSource,
  type PartitionsSource,
} from '../../../../src/daemon/sources/partitions-source.ts';
import type { PartitionName } from '../../../../src/model/names.ts';
import { type VirtualRuntime, virtualRuntime } from '../../../support/virtual-runtime.ts';

let runtime: VirtualRuntime;
let told: Partitions[];
let source: PartitionsSource;
beforeEach(() => {
  runtime = virtualRuntime();
  told = [];
});
afterEach(() => source.close());

const start = async () => {
  source = partitionsSource(runtime, '/p', (partitions) => void told.push(partitions));
  await runtime.advance(100);
};
/** Told apart by a number. */
const textOf = (name: string, number = 3) => `
apiVersion: unnest.dev/v1
kind: Partition
metadata: {name: ${name}}
spec: {source: Directory, network: {cidr: 10.${number}.0.0/24}}
`;
const describe = (file: string, text: string) => runtime.disk.write(`/p/${file}`, text);
const names = () => [...(told.at(-1)?.partitions.keys() ?? [])];
const problems = () => told.at(-1)?.problems.map(({ file, code }) => `${file}: ${code}`);
const numberOf = (name: string) => {
  const described = told.at(-1)?.partitions.get(name as PartitionName);
  return Number(described?.document.spec.network?.cidr.split('.')[1]);
};

test('tells all there are, with what was written and what it means', async () => {
  describe('team-a.yaml', textOf('team-a'));
  describe('team-b.yml', textOf('team-b'));
  describe('notes.txt', 'no');
  describe('.team-c.yaml', textOf('team-c'));
  await start();
  expect(told).toHaveLength(1);
  expect(names()).toEqual(['team-a', 'team-b']);
  expect(problems()).toEqual([]);
  expect(told[0]?.partitions.get('team-a' as PartitionName)).toMatchObject({
    file: 'team-a.yaml',
    value: { spec: { source: 'Directory' } },
    document: { spec: { source: 'Directory', policy: { images: [] } } },
  });
});

test('an empty folder is told too', async () => {
  runtime.disk.folder('/p');
  await start();
  expect(told).toHaveLength(1);
  expect(names()).toEqual([]);
});

test('a new partition is told at once', async () => {
  runtime.disk.folder('/p');
  await start();
  await runtime.advance(10_000);
  describe('team-a.yaml', textOf('team-a'));
  await runtime.advance(50);
  expect(names()).toEqual(['team-a']);
});

test('a file put in place by a rename is taken at once', async () => {
  describe('team-a.yaml', textOf('team-a', 3));
  await start();
  describe('.new', textOf('team-a', 4));
  runtime.disk.rename('/p/.new', '/p/team-a.yaml');
  await runtime.advance(50);
  expect(numberOf('team-a')).toBe(4);
});

test('a file written in place is taken when it has settled', async () => {
  describe('team-a.yaml', textOf('team-a', 3));
  await start();
  for (const number of [4, 5]) {
    describe('team-a.yaml', textOf('team-a', number));
    await runtime.advance(settleMs - 100);
    expect(numberOf('team-a')).toBe(3);
  }
  await runtime.advance(150);
  expect(numberOf('team-a')).toBe(5);
});

test.each([
  ['not YAML', 'a: [', 'Invalid'],
  ['empty', '', 'Invalid'],
  ['of another name', textOf('team-b'), 'WrongName'],
  ['two documents', `${textOf('team-a')}---${textOf('team-b')}`, 'Invalid'],
  [
    'a tenant’s document',
    'apiVersion: unnest.dev/v1\nkind: Volume\nmetadata: {name: a}\nspec: {size: 1GiB}\n',
    'Invalid',
  ],
  ['not text', new Uint8Array([0xff]), 'Invalid'],
  ['too large', new Uint8Array(2 ** 20 + 1), 'TooLarge'],
])('a file that is %s leaves the last good one in force', async (_, content, code) => {
  describe('team-a.yaml', textOf('team-a', 3));
  describe('team-z.yaml', textOf('team-z'));
  await start();
  runtime.disk.write('/p/team-a.yaml', content);
  await runtime.advance(10_000);
  expect(names()).toEqual(['team-a', 'team-z']);
  expect(numberOf('team-a')).toBe(3);
  expect(problems()).toEqual([`team-a.yaml: ${code}`]);
  describe('team-a.yaml', textOf('team-a', 6));
  await runtime.advance(10_000);
  expect(numberOf('team-a')).toBe(6);
  expect(problems()).toEqual([]);
});

test('a file that is broken from the beginning is a problem and no partition', async () => {
  describe('team-a.yaml', 'kind: Partition');
  await start();
  expect(names()).toEqual([]);
  expect(problems()).toEqual(['team-a.yaml: Invalid']);
  expect(told[0]?.problems[0]?.diagnostics.length).toBeGreaterThan(0);
});

test('a file that may not be read leaves the last good one in force', async () => {
  describe('team-a.yaml', textOf('team-a'));
  await start();
  runtime.disk.chmod('/p/team-a.yaml', 0);
  await runtime.advance(10_000);
  expect(names()).toEqual(['team-a']);
  expect(problems()).toEqual(['team-a.yaml: PermissionDenied']);
});

test('a file that vanishes takes its partition away only when it stays away', async () => {
  describe('team-a.yaml', textOf('team-a'));
  describe('team-b.yaml', textOf('team-b'));
  await start();
  runtime.disk.remove('/p/team-a.yaml');
  await runtime.advance(settleMs - 100);
  describe('team-a.yaml', textOf('team-a', 4));
  await runtime.advance(10_000);
  expect(names()).toEqual(['team-a', 'team-b']);
  expect(numberOf('team-a')).toBe(4);
  runtime.disk.remove('/p/team-a.yaml');
  await runtime.advance(settleMs - 100);
  expect(names()).toEqual(['team-a', 'team-b']);
  await runtime.advance(200);
  expect(names()).toEqual(['team-b']);
});

test('a broken file that vanishes is no problem any more', async () => {
  describe('team-a.yaml', 'x');
  await start();
  runtime.disk.remove('/p/team-a.yaml');
  await runtime.advance(10_000);
  expect(problems()).toEqual([]);
});

test('a folder that vanishes takes nothing away', async () => {
  describe('team-a.yaml', textOf('team-a'));
  await start();
  runtime.disk.rename('/p', '/q');
  await runtime.advance(60_000);
  expect(names()).toEqual(['team-a']);
  expect(problems()).toEqual([': Missing']);
  runtime.disk.rename('/q', '/p');
  await runtime.advance(10_000);
  expect(names()).toEqual(['team-a']);
  expect(problems()).toEqual([]);
});

test('a folder that was never there is a problem', async () => {
  await start();
  expect(names()).toEqual([]);
  expect(problems()).toEqual([': Missing']);
});

test('one name in two files is a problem of the second', async () => {
  describe('team-a.yaml', textOf('team-a', 3));
  describe('team-a.yml', textOf('team-a', 4));
  await start();
  expect(numberOf('team-a')).toBe(3);
  expect(problems()).toEqual(['team-a.yml: DuplicateName']);
});

test('nothing is told again unless something is different, or it is asked for', async () => {
  describe('team-a.yaml', textOf('team-a'));
  await start();
  describe('notes.txt', 'x');
  await runtime.advance(10_000);
  expect(told).toHaveLength(1);
  source.refresh();
  await runtime.advance(50);
  expect(told).toHaveLength(2);
});
