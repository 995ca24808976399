/** All of a folder's documents at one moment, or none. */
import { beforeEach, expect, test } from 'vitest';
import { type ReadBefore, readFolder } from '../../../../src/daemon/sources/read-folder.ts';
import { documentLimits } from '../../../../src/documents/limits.ts';
import { callFails } from '../../../support/virtual-files.ts';
import { type VirtualRuntime, virtualRuntime } from '../../../support/virtual-runtime.ts';

let runtime: VirtualRuntime;
beforeEach(() => {
  runtime = virtualRuntime();
});
const read = () => readFolder(runtime, '/f');
const pathsOf = (result: Awaited<ReturnType<typeof read>>) =>
  result.status === 'read' ? result.files.map(({ path, text }) => `${path}=${text}`) : result;

test('reads documents at every depth, by path, and nothing else', async () => {
  const { disk } = runtime;
  disk.write('/f/b.yaml', '1');
  disk.write('/f/a/c.yml', '2');
  disk.write('/f/a/d/e.json', '3');
  disk.write('/f/README.md', 'no');
  disk.write('/f/.hidden.yaml', 'no');
  disk.write('/f/.git/x.yaml', 'no');
  disk.write('/f/b.yaml~', 'no');
  expect(pathsOf(await read())).toEqual(['a/c.yml=2', 'a/d/e.json=3', 'b.yaml=1']);
});

test('follows links, also to hidden folders, as git-sync and the kubelet make them', async () => {
  const { disk } = runtime;
  disk.write('/f/.worktrees/abc/web.yaml', 'git');
  disk.link('/f/current', '.worktrees/abc');
  disk.write('/f/..2024_1/db.yaml', 'map');
  disk.link('/f/..data', '..2024_1');
  disk.link('/f/db.yaml', '..data/db.yaml');
  expect(pathsOf(await read())).toEqual(['current/web.yaml=git', 'db.yaml=map']);
});

test('follows a link to the folder itself', async () => {
  runtime.disk.write('/.worktrees/abc/web.yaml', 'x');
  runtime.disk.link('/f', '.worktrees/abc');
  expect(pathsOf(await read())).toEqual(['web.yaml=x']);
});

test('an empty folder is read, and one that is not there is missing', async () => {
  expect(await read()).toEqual({ status: 'missing' });
  runtime.disk.folder('/f');
  expect(await read()).toMatchObject({ status: 'read', files: [] });
});

test.each([
  ['out of the folder', '../secret.yaml', 'BadLink'],
  ['to nothing', 'nothing.yaml', 'BadLink'],
])('a link %s is refused', async (_, target, code) => {
  runtime.disk.write('/secret.yaml', 'key');
  runtime.disk.write('/f/a.yaml', '');
  runtime.disk.link('/f/b.yaml', target);
  expect(await read()).toMatchObject({ status: 'failed', code });
});

test('a link that leads into itself is refused', async () => {
  runtime.disk.write('/f/sub/a.yaml', '');
  runtime.disk.link('/f/sub/again', '..');
  expect(await read()).toMatchObject({ status: 'failed', code: 'BadLink' });
});

test('a link put in the place of a file while it is read does not lead out', async () => {
  runtime.disk.write('/secret.yaml', 'key');
  runtime.disk.write('/f/a.yaml', '');
  runtime.files.faults.push(({ call }) => {
    if (call === 'read') runtime.disk.link('/f/a.yaml', '/secret.yaml');
    return null;
  });
  expect(await read()).toMatchObject({ status: 'failed', code: 'PermissionDenied' });
});

test.each([
  ['is written to', () => runtime.disk.write('/f/b.yaml', 'three')],
  ['is as long as before', () => runtime.disk.write('/f/b.yaml', '3')],
  ['goes', () => runtime.disk.remove('/f/b.yaml')],
  ['comes', () => runtime.disk.write('/f/c.yaml', '')],
  ['is swapped', () => runtime.disk.rename('/f/other', '/f/b.yaml')],
])('is moving if a file %s while it is read', async (_, act) => {
  runtime.disk.write('/f/a.yaml', '1');
  runtime.disk.write('/f/b.yaml', '2');
  runtime.disk.write('/f/other', '2');
  await runtime.advance(1000);
  let acted = false;
  runtime.files.faults.push(({ call }) => {
    if (call === 'read' && !acted) {
      acted = true;
      act();
    }
    return null;
  });
  expect(await read()).toEqual({ status: 'moving' });
  expect(await read()).toMatchObject({ status: 'read' });
});

test('is moving if the folder leads elsewhere while it is read', async () => {
  runtime.disk.write('/one/a.yaml', '1');
  runtime.disk.write('/two/a.yaml', '1');
  runtime.disk.link('/f', 'one');
  runtime.files.faults.push(({ call }) => {
    if (call === 'read') runtime.disk.link('/f', 'two');
    return null;
  });
  expect(await read()).toEqual({ status: 'moving' });
});

test('the folder that goes while it is read is not an empty one', async () => {
  runtime.disk.write('/f/a.yaml', '1');
  runtime.files.faults.push(({ call }) => {
    if (call === 'read') runtime.disk.remove('/f');
    return null;
  });
  expect(await read()).toEqual({ status: 'missing' });
});

test('one file that cannot be read makes all of it fail', async () => {
  runtime.disk.write('/f/a.yaml', '1');
  runtime.disk.write('/f/b.yaml', '2');
  runtime.files.faults.push(callFails('read', 'PermissionDenied', '/f/b.yaml'));
  expect(await read()).toMatchObject({ status: 'failed', code: 'PermissionDenied' });
});

test('a pipe with the name of a document is no document', async () => {
  runtime.disk.other('/f/a.yaml');
  expect(await read()).toMatchObject({ status: 'failed', code: 'NotAFile' });
});

test('says which files are not text', async () => {
  runtime.disk.write('/f/a.yaml', new Uint8Array([0xff, 0xfe]));
  runtime.disk.write('/f/b.yaml', 'x');
  expect(await read()).toMatchObject({
    status: 'failed',
    code: 'NotUtf8',
    diagnostics: [{ code: 'NotUtf8', file: 'a.yaml' }],
  });
});

test('does not read more than documents may have', async () => {
  const half = new Uint8Array(documentLimits.bundleBytesMax / 2 + 1);
  runtime.disk.write('/f/a.yaml', half);
  runtime.disk.write('/f/b.yaml', half);
  expect(await read()).toMatchObject({
    status: 'failed',
    code: 'TooLarge',
    diagnostics: [{ code: 'TooLarge', file: 'b.yaml' }],
  });
  expect(runtime.files.uses.filter(({ call }) => call === 'read')).toEqual([]);
});

test('goes only so deep', async () => {
  runtime.disk.write('/f/1/2/3/4/5/6/7/8/a.yaml', 'x');
  expect(pathsOf(await read())).toEqual(['1/2/3/4/5/6/7/8/a.yaml=x']);
  runtime.disk.write('/f/1/2/3/4/5/6/7/8/9/a.yaml', 'x');
  expect(await read()).toMatchObject({ status: 'failed', code: 'TooLarge' });
});

test('another fingerprint for other bytes, the same for the same', async () => {
  runtime.disk.write('/f/a.yaml', '1');
  const fingerprint = async () => {
    const result = await read();
    return result.status === 'read' ? result.fingerprint : null;
  };
  const first = await fingerprint();
  expect(await fingerprint()).toBe(first);
  await runtime.advance(10);
  runtime.disk.write('/f/a.yaml', '2');
  expect(await fingerprint()).not.toBe(first);
});

test('a file that has not changed is not read again', async () => {
  const before: ReadBefore = new Map();
  const again = () => readFolder(runtime, '/f', before);
  const reads = () => runtime.files.uses.filter(({ call }) => call === 'read').length;
  runtime.disk.write('/f/a.yaml', '1');
  runtime.disk.write('/f/b.yaml', '1');
  await runtime.advance(1000);
  await again();
  expect(reads()).toBe(2);
  runtime.disk.write('/f/b.yaml', '2');
  expect(pathsOf(await again())).toEqual(['a.yaml=1', 'b.yaml=2']);
  expect(reads()).toBe(3);
  // Just written: it could be written again without its times being other ones.
  await again();
  expect(reads()).toBe(4);
  runtime.disk.remove('/f/a.yaml');
  runtime.disk.link('/f/a.yaml', 'b.yaml');
  expect(pathsOf(await again())).toEqual(['a.yaml=2', 'b.yaml=2']);
});
