/** When a folder's documents are told, and when they are told as complete. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  folderSource,
  type FolderSource,
  settleMs,
} from '../../../../src/daemon/sources/folder-source.ts';
import { callFails } from '../../../support/virtual-files.ts';
import { type VirtualRuntime, virtualRuntime } from '../../../support/virtual-runtime.ts';

let runtime: VirtualRuntime;
let told: string[];
let sources: FolderSource[];
beforeEach(() => {
  runtime = virtualRuntime();
  told = [];
  sources = [];
});
afterEach(async () => {
  for (const source of sources) await source.close();
});

/** As people would say it: `a.yaml=1 b.yaml=2, complete`. */
function start(onFiles: () => Promise<void> = async () => {}): FolderSource {
  const source = folderSource(runtime, '/f', {
    onFiles: (files, { complete }) => {
      const list = files.map(({ path, text }) => `${path}=${text}`).join(' ');
      told.push(`${list}${complete ? ', complete' : ''}`);
      return onFiles();
    },
    onProblem: (code) => told.push(`! ${code}`),
  });
  sources.push(source);
  return source;
}
const jump = (ms: number) => runtime.time.setWall(runtime.clock.wall() + ms);
const since = () => told.splice(0);
const scans = () => runtime.files.uses.filter(({ call }) => call === 'resolve').length;

test('tells what is there at once, and as complete when it has settled', async () => {
  runtime.disk.write('/f/a.yaml', '1');
  await runtime.advance(settleMs);
  start();
  await runtime.advance(50);
  expect(since()).toEqual(['a.yaml=1']);
  await runtime.advance(settleMs - 100);
  expect(since()).toEqual([]);
  await runtime.advance(150);
  expect(since()).toEqual(['a.yaml=1, complete']);
  await runtime.advance(60_000);
  expect(since()).toEqual([]);
});

test('a file renamed into place is told within 50 ms, and settles anew', async () => {
  runtime.disk.write('/f/a.yaml', '1');
  start();
  await runtime.advance(10_000);
  since();
  runtime.disk.replace('/f/b.yaml', '2');
  await runtime.advance(50);
  expect(since()).toEqual(['a.yaml=1 b.yaml=2']);
  await runtime.advance(settleMs - 500);
  runtime.disk.remove('/f/a.yaml');
  await runtime.advance(500);
  expect(since()).toEqual([]);
  await runtime.advance(settleMs);
  expect(since()).toEqual(['b.yaml=2, complete']);
});

test('what does not concern documents neither settles anew nor is told', async () => {
  runtime.disk.write('/f/a.yaml', '1');
  start();
  await runtime.advance(50);
  since();
  for (let second = 0; second < 3; second++) {
    runtime.disk.write('/f/app.log', `${second}`);
    await runtime.advance(900);
  }
  expect(since()).toEqual(['a.yaml=1, complete']);
});

/** Two links that may be swapped: the folder itself, and one in it as the kubelet makes it. */
async function startLinked(): Promise<void> {
  runtime.disk.write('/one/a.yaml', '1');
  runtime.disk.write('/one/..1/c.yaml', '1');
  runtime.disk.link('/one/..data', '..1');
  runtime.disk.link('/one/c.yaml', '..data/c.yaml');
  runtime.disk.link('/f', 'one');
  start();
  await runtime.advance(10_000);
  since();
}

test('a swap of a link to it is complete at once', async () => {
  await startLinked();
  runtime.disk.write('/two/b.yaml', '2');
  runtime.disk.link('/f', 'two');
  await runtime.advance(50);
  expect(since()).toEqual(['b.yaml=2, complete']);
  await runtime.advance(10_000);
  expect(since()).toEqual([]);
});

test.each([
  ['written to', () => runtime.disk.write('/f/b.yaml', 'half'), 'b.yaml=half c.yaml=2'],
  ['taken away', () => runtime.disk.remove('/f/b.yaml'), 'c.yaml=2'],
])('a swap of a link to it is not complete if a file is %s after it', async (_, act, all) => {
  await startLinked();
  runtime.disk.write('/two/b.yaml', '2');
  runtime.disk.write('/two/c.yaml', '2');
  await runtime.advance(10_000);
  runtime.disk.link('/f', 'two');
  await Promise.resolve();
  act();
  await runtime.advance(1000);
  expect(since().filter((line) => line.endsWith('complete'))).toEqual([]);
  await runtime.advance(10_000);
  expect(since()).toEqual([`${all}, complete`]);
});

test('what a swap of a link in it has brought is told at once, and is complete when it has settled', async () => {
  await startLinked();
  for (const number of [2, 3]) {
    runtime.disk.write(`/one/..${number}/c.yaml`, `${number}`);
    runtime.disk.link('/f/..data', `..${number}`);
    await runtime.advance(50);
    expect(since()).toEqual([`a.yaml=1 c.yaml=${number}`]);
    await runtime.advance(10_000);
    expect(since()).toEqual([`a.yaml=1 c.yaml=${number}, complete`]);
  }
});

test('a swap of a link in it makes nothing whole that is written beside it or behind it', async () => {
  runtime.disk.write('/f/.v1/x.yaml', '1');
  runtime.disk.write('/f/.v2/x.yaml', '2');
  runtime.disk.write('/f/a.yaml', '1');
  runtime.disk.write('/f/many.yaml', 'whole');
  runtime.disk.link('/f/sub', '.v1');
  start();
  await runtime.advance(10_000);
  since();
  runtime.disk.link('/f/sub', '.v2');
  runtime.disk.write('/f/many.yaml', 'ha');
  runtime.disk.remove('/f/a.yaml');
  await runtime.advance(500);
  runtime.disk.write('/f/many.yaml', 'whole again');
  runtime.disk.replace('/f/a.yaml', '2');
  runtime.disk.link('/f/sub', '.v1');
  runtime.disk.write('/f/sub/x.yaml', 'ha');
  await runtime.advance(1000);
  runtime.disk.write('/f/sub/x.yaml', '3');
  await runtime.advance(10_000);
  expect(since()).toEqual([
    'sub/x.yaml=2',
    'a.yaml=2',
    'a.yaml=2 many.yaml=whole again sub/x.yaml=3, complete',
  ]);
});

test('a swap that is still moving is not complete', async () => {
  runtime.disk.write('/one/a.yaml', '1');
  runtime.disk.write('/two/a.yaml', '2');
  runtime.disk.link('/f', 'one');
  start();
  await runtime.advance(10_000);
  since();
  let writes = 0;
  runtime.files.faults.push(({ call, path }) => {
    if (call === 'read' && path === '/two/a.yaml' && writes++ === 0) {
      runtime.disk.write('/two/b.yaml', 'late');
    }
    return null;
  });
  runtime.disk.link('/f', 'two');
  await runtime.advance(500);
  expect(since()).toEqual([]);
  await runtime.advance(settleMs);
  expect(since()).toEqual(['a.yaml=2 b.yaml=late, complete']);
});

test('a thousand changes a second cost a read now and then, and the last one is told', async () => {
  runtime.disk.write('/f/a.yaml', '0');
  start();
  await runtime.advance(10_000);
  since();
  const before = scans();
  for (let change = 1; change <= 5000; change++) {
    runtime.disk.replace('/f/a.yaml', `${change}`);
    await runtime.time.advance(1);
  }
  const reads = scans() - before;
  expect(reads).toBeGreaterThan(3);
  expect(reads).toBeLessThan(2 * 20);
  expect(told.every((line) => !line.endsWith('complete'))).toBe(true);
  await runtime.advance(1000 + settleMs + 50);
  expect(told.slice(-2)).toEqual(['a.yaml=5000', 'a.yaml=5000, complete']);
  since();
  runtime.disk.replace('/f/a.yaml', 'alone');
  await runtime.advance(50);
  expect(since()).toEqual(['a.yaml=alone']);
}, 60_000);

test('a folder that is never at rest is a problem, until it is', async () => {
  runtime.disk.write('/f/a.yaml', '0');
  let moves = true;
  runtime.files.faults.push(({ call }) => {
    if (call === 'read' && moves) runtime.disk.write('/f/a.yaml', `${runtime.clock.now()}`);
    return null;
  });
  start();
  await runtime.advance(60_000);
  expect(since()).toEqual(['! Moving']);
  moves = false;
  await runtime.advance(5000);
  expect(since()).toEqual([expect.stringMatching(/, complete$/)]);
});

test('a folder that is not there is said once, and read when it comes', async () => {
  start();
  await runtime.advance(10_000);
  expect(since()).toEqual(['! Missing']);
  runtime.disk.write('/f/a.yaml', '1');
  await runtime.advance(1100);
  expect(since()).toEqual([]);
  await runtime.advance(settleMs);
  expect(since()).toEqual(['a.yaml=1, complete']);
});

test('a folder that vanishes is a problem and never empty, and is told anew when it is back', async () => {
  runtime.disk.write('/f/a.yaml', '1');
  start();
  await runtime.advance(10_000);
  since();
  runtime.disk.rename('/f', '/g');
  await runtime.advance(10_000);
  expect(since()).toEqual(['! Missing']);
  runtime.disk.rename('/g', '/f');
  await runtime.advance(10_000);
  expect(since()).toEqual(['a.yaml=1', 'a.yaml=1, complete']);
});

test('a folder that comes back empty is not complete before it has settled', async () => {
  runtime.disk.write('/f/a.yaml', '1');
  start();
  await runtime.advance(10_000);
  since();
  runtime.disk.remove('/f');
  runtime.disk.folder('/f');
  await runtime.advance(1500);
  expect(since()).not.toContain(', complete');
});

test('what cannot be read is said once, and told when it can', async () => {
  runtime.disk.write('/f/a.yaml', '1');
  start();
  await runtime.advance(10_000);
  since();
  runtime.disk.chmod('/f/a.yaml', 0);
  await runtime.advance(10_000);
  runtime.disk.write('/f/unrelated', '');
  await runtime.advance(10_000);
  expect(since()).toEqual(['! PermissionDenied']);
  runtime.disk.chmod('/f/a.yaml', 0o644);
  await runtime.advance(10_000);
  expect(since()).toEqual(['a.yaml=1, complete']);
});

test('that a problem is over is told, though all is as it was before', async () => {
  runtime.disk.write('/f/a.yaml', '1');
  await runtime.advance(settleMs);
  start();
  await runtime.advance(50);
  runtime.disk.link('/f/b.yaml', 'nothing');
  await runtime.advance(50);
  runtime.disk.remove('/f/b.yaml');
  await runtime.advance(50);
  expect(since()).toEqual(['a.yaml=1', '! BadLink', 'a.yaml=1']);
});

test('a folder that cannot be watched is read now and then', async () => {
  runtime.disk.write('/f/a.yaml', '1');
  runtime.files.faults.push(callFails('watch', 'Failed'));
  start();
  await runtime.advance(10_000);
  expect(since()).toEqual(['! Failed', 'a.yaml=1, complete']);
  runtime.disk.replace('/f/a.yaml', '2');
  await runtime.advance(1100);
  // Nothing tells how it came there.
  expect(since()).toEqual([]);
  await runtime.advance(3100);
  expect(since()).toEqual(['a.yaml=2, complete']);
});

test('a refresh tells what is there, changed or not', async () => {
  runtime.disk.write('/f/a.yaml', '1');
  const source = start();
  await runtime.advance(10_000);
  since();
  source.refresh();
  await runtime.advance(50);
  expect(since()).toEqual(['a.yaml=1, complete']);
});

test('the next is told only when the last is done with', async () => {
  runtime.disk.write('/f/a.yaml', '1');
  let release = () => {};
  await runtime.advance(settleMs);
  start(() => new Promise((done) => (release = done)));
  await runtime.advance(50);
  for (const change of ['2', '3']) {
    runtime.disk.write('/f/a.yaml', change);
    await runtime.advance(5000);
  }
  expect(since()).toEqual(['a.yaml=1']);
  release();
  await runtime.advance(20_000);
  expect(since()).toEqual(['a.yaml=3, complete']);
});

test('nothing is told and nothing waits once it is closed', async () => {
  runtime.disk.write('/f/a.yaml', '1');
  const source = start();
  await runtime.advance(50);
  since();
  runtime.disk.write('/f/a.yaml', '2');
  await source.close();
  runtime.disk.write('/f/a.yaml', '3');
  await runtime.advance(60_000);
  expect(since()).toEqual([]);
  expect(runtime.time.waiting).toBe(0);
});

test.each([
  ['in place', () => runtime.disk.write('/f/b.yaml', 'half')],
  ['anew', () => runtime.disk.write('/f/c.yaml', 'half')],
  [
    'anew, after the old one was taken away',
    () => {
      runtime.disk.remove('/f/b.yaml');
      runtime.disk.write('/f/b.yaml', 'half');
    },
  ],
  [
    'in place, after it was renamed there',
    () => {
      runtime.disk.replace('/f/b.yaml', 'whole');
      runtime.disk.write('/f/b.yaml', 'half');
    },
  ],
])('a file that is written %s is left out until it has settled', async (_, act) => {
  runtime.disk.write('/f/a.yaml', '1');
  runtime.disk.write('/f/b.yaml', '1');
  start();
  await runtime.advance(10_000);
  since();
  act();
  await runtime.advance(500);
  expect(since()).toEqual([]);
  runtime.disk.replace('/f/a.yaml', '2');
  await runtime.advance(50);
  expect(since()).toEqual([expect.stringMatching(/^a\.yaml=2( b\.yaml=1)?$/)]);
  await runtime.advance(10_000);
  expect(since()).toEqual([expect.stringMatching(/=half, complete$/)]);
});

test('a file that has settled is told though others go on changing', async () => {
  runtime.disk.write('/f/a.yaml', '1');
  start();
  await runtime.advance(10_000);
  since();
  runtime.disk.write('/f/b.yaml', '2');
  for (let count = 1; count <= 3; count += 1) {
    await runtime.advance(900);
    runtime.disk.replace('/f/a.yaml', `${count}`);
  }
  await runtime.advance(50);
  expect(since()).toEqual(['a.yaml=1', 'a.yaml=2', 'a.yaml=3 b.yaml=2']);
});

test('a file renamed into place among a thousand is told within 50 ms', async () => {
  for (let file = 0; file < 999; file += 1) runtime.disk.write(`/f/${file}.yaml`, '1');
  start();
  await runtime.advance(10_000);
  since();
  runtime.disk.write('/f/.new', '2');
  runtime.disk.rename('/f/.new', '/f/new.yaml');
  await runtime.advance(50);
  expect(since()).toEqual([expect.stringContaining('new.yaml=2')]);
});

test.each([3_600_000, -3_600_000])(
  'a file settles whatever the clock says (%i ms off)',
  async (ms) => {
    runtime.disk.write('/f/a.yaml', '1');
    start();
    await runtime.advance(10_000);
    since();
    runtime.disk.write('/f/a.yaml', '2');
    jump(ms);
    await runtime.advance(settleMs - 100);
    expect(since()).toEqual([]);
    await runtime.advance(200);
    expect(since()).toEqual(['a.yaml=2, complete']);
  },
);

test('a file from the future settles at the start as any other', async () => {
  jump(3_600_000);
  runtime.disk.write('/f/a.yaml', '1');
  jump(-3_600_000);
  start();
  await runtime.advance(settleMs - 100);
  expect(since()).toEqual([]);
  await runtime.advance(200);
  expect(since()).toEqual(['a.yaml=1, complete']);
});
