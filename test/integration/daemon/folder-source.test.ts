/** A partition's folder on a real disk, changed the ways that people and programs change files. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, type TestContext, vi } from 'vitest';
import { machineRuntime } from '../../../src/daemon/machine/machine-runtime.ts';
import { folderSource, settleMs } from '../../../src/daemon/sources/folder-source.ts';
import { partitionsSource } from '../../../src/daemon/sources/partitions-source.ts';

const runtime = machineRuntime();

function setup({ onTestFinished }: TestContext) {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'unnest-source-')));
  const at = (path: string) => join(root, path);
  const told: string[] = [];
  const write = (path: string, content: string) => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), content);
  };
  const start = () => {
    const source = folderSource(runtime, at('f'), {
      onFiles: (files, { complete }) => {
        const list = files.map(({ path, text }) => `${path}=${text}`).join(' ');
        told.push(`${list}${complete ? ', complete' : ''}`);
      },
      onProblem: (code) => told.push(`! ${code}`),
    });
    onTestFinished(async () => {
      await source.close();
      rmSync(root, { recursive: true, force: true });
    });
    return source;
  };
  const comes = (line: string) =>
    becomes(
      () => told.includes(line),
      () => `${line} in ${told.join(' | ')}`,
    );
  /** Begins with `a.yaml` of 1, and has settled. */
  const settled = async () => {
    write('f/a.yaml', '1');
    start();
    await comes('a.yaml=1, complete');
    told.length = 0;
  };
  return { root, at, told, write, start, comes, settled };
}

/** Not `expect.poll`, which does not know its test where several run at once. */
async function becomes(isSo: () => boolean, what: () => string): Promise<void> {
  const wait = { timeout: 60_000, interval: 10 };
  await vi.waitFor(() => {
    if (!isSo()) throw new Error(`waited for ${what()}`);
  }, wait);
}

function swapLink(target: string, path: string): void {
  symlinkSync(target, `${path}.tmp`);
  renameSync(`${path}.tmp`, path);
}

describe.concurrent('a folder', () => {
  test('written by a rename, as a careful program does', async (context) => {
    const { at, told, write, comes, settled } = setup(context);
    await settled();
    write('f/.a.yaml.tmp', '2');
    renameSync(at('f/.a.yaml.tmp'), at('f/a.yaml'));
    await comes('a.yaml=2');
    await comes('a.yaml=2, complete');
    expect(told).toEqual(['a.yaml=2', 'a.yaml=2, complete']);
  });

  test('written as vim does: the old one is kept aside, a new one is written', async (context) => {
    const { at, told, write, comes, settled } = setup(context);
    await settled();
    write('f/4913', '');
    rmSync(at('f/4913'));
    renameSync(at('f/a.yaml'), at('f/a.yaml~'));
    write('f/a.yaml', '2');
    rmSync(at('f/a.yaml~'));
    await comes('a.yaml=2, complete');
    expect(told.filter((line) => line.endsWith('complete'))).toEqual(['a.yaml=2, complete']);
  });

  test('written by truncation, slowly, is not complete before its end', async (context) => {
    const { at, told, comes, settled } = setup(context);
    await settled();
    const file = openSync(at('f/a.yaml'), 'w');
    for (let part = 0; part < 6; part++) {
      writeSync(file, `${part}`);
      await sleep(settleMs / 4);
    }
    closeSync(file);
    await comes('a.yaml=012345, complete');
    expect(told.filter((line) => line.endsWith('complete'))).toEqual(['a.yaml=012345, complete']);
  });

  test('in which a file is written slowly tells it when it is done, and others at once', async (context) => {
    const { at, told, write, comes, settled } = setup(context);
    await settled();
    const files = ['f/a.yaml', 'f/b.yaml'].map((path) => openSync(at(path), 'w'));
    let written = '';
    const writeMore = (part: string) => {
      for (const file of files) writeSync(file, part);
      written += part;
    };
    for (const part of ['x', 'y', 'z']) {
      writeMore(part);
      await sleep(settleMs / 4);
    }
    // However long the other one takes.
    const writing = setInterval(() => writeMore('+'), settleMs / 10);
    context.onTestFinished(() => clearInterval(writing));
    write('f/.c', '1');
    renameSync(at('f/.c'), at('f/c.yaml'));
    await comes('c.yaml=1');
    clearInterval(writing);
    writeMore('.');
    files.forEach((file) => closeSync(file));
    const all = `a.yaml=${written} b.yaml=${written} c.yaml=1, complete`;
    await comes(all);
    expect(told).toEqual(['c.yaml=1', all]);
  });

  test('in which a link is swapped while a file is written is not complete', async (context) => {
    const { at, told, write, start, comes } = setup(context);
    write('f/.v1/x.yaml', '1');
    write('f/.v2/x.yaml', '2');
    write('f/many.yaml', 'all');
    symlinkSync('.v1', at('f/sub'));
    start();
    await comes('many.yaml=all sub/x.yaml=1, complete');
    told.length = 0;
    swapLink('.v2', at('f/sub'));
    write('f/many.yaml', 'part');
    await comes('sub/x.yaml=2');
    await sleep(settleMs / 2);
    write('f/many.yaml', 'everything');
    await comes('many.yaml=everything sub/x.yaml=2, complete');
    expect(told).toEqual(['sub/x.yaml=2', 'many.yaml=everything sub/x.yaml=2, complete']);
  });

  test('emptied and filled again is not complete in between', async (context) => {
    const { at, told, write, comes, settled } = setup(context);
    await settled();
    rmSync(at('f/a.yaml'));
    await sleep(settleMs / 2);
    write('f/b.yaml', '2');
    await comes('b.yaml=2, complete');
    expect(told).not.toContain(', complete');
  });

  test('deleted and made again', async (context) => {
    const { at, told, write, comes, settled } = setup(context);
    await settled();
    rmSync(at('f'), { recursive: true });
    await comes('! Missing');
    await sleep(1500);
    expect(told).toEqual(['! Missing']);
    write('f/b.yaml', '2');
    await comes('b.yaml=2, complete');
    expect(told).not.toContain(', complete');
  });

  test('that is a link, swapped as git-sync does', async (context) => {
    const { at, told, write, start, comes } = setup(context);
    write('.worktrees/abc/a.yaml', '1');
    swapLink('.worktrees/abc', at('f'));
    start();
    await comes('a.yaml=1, complete');
    for (const [tree, text] of [
      ['def', '2'],
      ['123', '3'],
    ] as const) {
      told.length = 0;
      write(`.worktrees/${tree}/b.yaml`, text);
      swapLink(`.worktrees/${tree}`, at('f'));
      await comes(`b.yaml=${text}, complete`);
      expect(told).toEqual([`b.yaml=${text}, complete`]);
      execFileSync('find', [
        at('.worktrees'),
        '-mindepth',
        '1',
        '-maxdepth',
        '1',
        '!',
        '-name',
        tree,
        '-exec',
        'rm',
        '-r',
        '{}',
        '+',
      ]);
    }
  });

  test('that holds a link, swapped as the kubelet does', async (context) => {
    const { at, told, write, start, comes } = setup(context);
    write('f/..2024_1/a.yaml', '1');
    write('f/..2024_1/b.yaml', '1');
    symlinkSync('..2024_1', at('f/..data'));
    symlinkSync('..data/a.yaml', at('f/a.yaml'));
    symlinkSync('..data/b.yaml', at('f/b.yaml'));
    start();
    await comes('a.yaml=1 b.yaml=1, complete');
    told.length = 0;
    write('f/..2024_2/a.yaml', '2');
    write('f/..2024_2/b.yaml', '2');
    symlinkSync('..2024_2', at('f/..data_tmp'));
    renameSync(at('f/..data_tmp'), at('f/..data'));
    rmSync(at('f/..2024_1'), { recursive: true });
    await comes('a.yaml=2 b.yaml=2, complete');
    expect(told).toEqual(['a.yaml=2 b.yaml=2', 'a.yaml=2 b.yaml=2, complete']);
  });

  test('in whose place another one is put', async (context) => {
    const { at, told, write, comes, settled } = setup(context);
    await settled();
    write('f.new/b.yaml', '2');
    await sleep(20);
    renameSync(at('f'), at('f.old'));
    renameSync(at('f.new'), at('f'));
    await comes('b.yaml=2, complete');
    expect(told).toEqual(['b.yaml=2, complete']);
  });

  test('that is written to all the time is read now and then', async (context) => {
    const { at, told, settled } = setup(context);
    await settled();
    const startedMs = performance.now();
    const secondsTaken = () => (performance.now() - startedMs) / 1000;
    let longestRest = 0;
    // As long as it takes, on a slow machine.
    while (secondsTaken() < 3 || (told.length <= 2 && secondsTaken() < 60)) {
      const before = secondsTaken();
      for (let burst = 0; burst < 10; burst++) {
        writeFileSync(at('f/.new'), `${burst}`);
        renameSync(at('f/.new'), at('f/a.yaml'));
      }
      // Reads need moments in which nothing is written.
      await sleep(50);
      longestRest = Math.max(longestRest, secondsTaken() - before);
    }
    expect(told.length).toBeGreaterThan(2);
    expect(told.length).toBeLessThan(20 + secondsTaken());
    const complete = told.filter((line) => line.endsWith('complete'));
    // Unless this process itself was kept from writing for so long.
    expect(longestRest * 1000 < settleMs ? complete : []).toEqual([]);
    appendFileSync(at('f/a.yaml'), 'end');
    await becomes(
      () => told.at(-1)?.endsWith('end, complete') === true,
      () => 'the end',
    );
  });

  test('in which new folders are filled', async (context) => {
    const { at, told, write, comes, settled } = setup(context);
    await settled();
    for (let folder = 0; folder < 20; folder++) write(`f/new/${folder}/deep/x.yaml`, `${folder}`);
    const all = Array.from({ length: 20 }, (_, folder) => folder)
      .sort((a, b) => (`new/${a}/` < `new/${b}/` ? -1 : 1))
      .map((folder) => `new/${folder}/deep/x.yaml=${folder}`)
      .join(' ');
    await comes(`a.yaml=1 ${all}, complete`);
    write('f/new/.x', 'again');
    renameSync(at('f/new/.x'), at('f/new/7/deep/x.yaml'));
    const changed = `a.yaml=1 ${all.replace('x.yaml=7', 'x.yaml=again')}`;
    await comes(`${changed}, complete`);
    expect(told.slice(-2)).toEqual([changed, `${changed}, complete`]);
  });

  test('of partitions: written, renamed over, broken and gone', async (context) => {
    const { root, at, write } = setup(context);
    const textOf = (number: number) =>
      `apiVersion: unnest.dev/v1\nkind: Partition\nmetadata: {name: team-a}\nspec: {network: {cidr: 10.${number}.0.0/24}}\n`;
    write('p/team-a.yaml', textOf(1));
    let last = '';
    const source = partitionsSource(runtime, at('p'), ({ partitions, problems }) => {
      const cidrs = [...partitions.values()].map(({ document }) => document.spec.network?.cidr);
      last = `${cidrs.join()} ${problems.map(({ code }) => code).join()}`;
    });
    context.onTestFinished(async () => {
      await source.close();
      rmSync(root, { recursive: true, force: true });
    });
    const is = (line: string) =>
      becomes(
        () => last === line,
        () => `${line}, not ${last}`,
      );
    await is('10.1.0.0/24 ');
    write('p/.new', textOf(2));
    renameSync(at('p/.new'), at('p/team-a.yaml'));
    await is('10.2.0.0/24 ');
    write('p/team-a.yaml', 'broken: [');
    await is('10.2.0.0/24 Invalid');
    write('p/team-a.yaml', textOf(3));
    await is('10.3.0.0/24 ');
    rmSync(at('p/team-a.yaml'));
    await is(' ');
    expect(last).toBe(' ');
  });
});

describe('a folder of another user', () => {
  const isRoot = process.getuid?.() === 0;
  test.skipIf(!isRoot)('that may not be read any more (needs to be root)', async (context) => {
    const { root, at, told, write, start, comes } = setup(context);
    chmodSync(root, 0o755);
    write('f/a.yaml', '1');
    process.seteuid?.(65_534);
    const chmodAsRoot = (path: string, mode: number) => {
      process.seteuid?.(0);
      chmodSync(at(path), mode);
      process.seteuid?.(65_534);
    };
    start();
    context.onTestFinished(() => process.seteuid?.(0));
    await comes('a.yaml=1, complete');
    for (const [path, mode] of [
      ['f/a.yaml', 0o644],
      ['f', 0o755],
    ] as const) {
      told.length = 0;
      chmodAsRoot(path, 0);
      await comes('! PermissionDenied');
      await sleep(500);
      expect(told).toEqual(['! PermissionDenied']);
      chmodAsRoot(path, mode);
      await comes('a.yaml=1, complete');
    }
  });
});
