/** What only a real machine can show of its runtime: durability's calls, limits, sockets, signs. */
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { machineRuntime } from '../../../src/daemon/machine/machine-runtime.ts';
import type { FileSign, Listening, PeerCredentials } from '../../../src/daemon/runtime.ts';

const runtime = machineRuntime();
const { files, sockets } = runtime;
let root: string;
const at = (path: string) => join(root, path);
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'unnest-machine-')));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('files', () => {
  test('have the mode that was asked for, whatever the umask', async () => {
    const umask = process.umask(0o077);
    try {
      await files.replace(at('a'), 'x', 0o644);
      await files.swap(at('b'), 'x', 0o664);
    } finally {
      process.umask(umask);
    }
    expect(statSync(at('a')).mode & 0o777).toBe(0o644);
    expect(statSync(at('b')).mode & 0o777).toBe(0o664);
  });

  test('devices and sockets are not read', async () => {
    await expect(files.read('/dev/zero', 10)).rejects.toMatchObject({ code: 'NotAFile' });
    await expect(files.read('/dev/null', 10)).rejects.toMatchObject({ code: 'NotAFile' });
    const server = createServer().listen(at('s'));
    await expect(files.read(at('s'), 10)).rejects.toMatchObject({ code: 'NotAFile' });
    server.close();
  });

  test('a file that says it is empty is read to its end, and no further than may be', async () => {
    expect((await files.read('/proc/self/status', 100_000)).length).toBeGreaterThan(500);
    await expect(files.read('/proc/self/status', 100)).rejects.toMatchObject({ code: 'TooLarge' });
  });

  test('a name that is used again is another file', async () => {
    writeFileSync(at('a'), 'x');
    const before = await files.facts(at('a'));
    rmSync(at('a'));
    await runtime.timers.sleep(20, new AbortController().signal);
    writeFileSync(at('a'), 'x');
    expect((await files.facts(at('a'))).identity).not.toBe(before.identity);
  });

  const isRoot = process.getuid?.() === 0;
  test.skipIf(!isRoot)('what may not be read or written says so (as another user)', async () => {
    writeFileSync(at('secret'), 'x');
    chmodSync(at('secret'), 0o600);
    chmodSync(root, 0o755);
    process.seteuid?.(65_534);
    try {
      const denied = { code: 'PermissionDenied' };
      await expect(files.read(at('secret'), 10)).rejects.toMatchObject(denied);
      await expect(files.replace(at('new'), 'x', 0o600)).rejects.toMatchObject(denied);
      await expect(files.remove(at('secret'))).rejects.toMatchObject(denied);
    } finally {
      process.seteuid?.(0);
    }
  });

  const canMount = isRoot && mounts();
  test.skipIf(!canMount)('a full file system leaves what was there (needs to mount)', async () => {
    mkdirSync(at('small'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', at('small')]);
    try {
      await files.replace(at('small/a'), 'one', 0o600);
      const large = files.replace(at('small/a'), 'x'.repeat(200_000), 0o600);
      await expect(large).rejects.toMatchObject({ code: 'NoSpace' });
      expect(Buffer.from(await files.read(at('small/a'), 10)).toString()).toBe('one');
      expect(readdirSync(at('small'))).toEqual(['a']);
      execFileSync('mount', ['-o', 'remount,ro', at('small')]);
      const readOnly = files.replace(at('small/a'), 'two', 0o600);
      await expect(readOnly).rejects.toMatchObject({ code: 'ReadOnly' });
    } finally {
      execFileSync('umount', ['-l', at('small')]);
    }
  });

  function mounts(): boolean {
    const probe = mkdtempSync(join(tmpdir(), 'unnest-mount-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', probe], { stdio: 'ignore' });
      execFileSync('umount', [probe]);
      return true;
    } catch {
      return false;
    } finally {
      rmSync(probe, { recursive: true, force: true });
    }
  }
});

describe('timers', () => {
  test('one beyond what Node can wait does not fire at once', async () => {
    let fired = false;
    const stop = runtime.timers.after(2 ** 31 + 1000, () => (fired = true));
    await runtime.timers.sleep(30, new AbortController().signal);
    stop();
    expect(fired).toBe(false);
  });
});

describe('signs', () => {
  let signs: FileSign[];
  beforeEach(() => {
    signs = [];
  });
  const watch = (path: string) => files.watch(at(path), (sign) => signs.push(sign));
  /** Those there are when it has come, or has not for too long. */
  const signsUntil = async (sign: FileSign) => {
    const has = () => signs.includes(sign) || Promise.reject(new Error(`no ${sign}`));
    await vi.waitFor(has, { timeout: 5_000, interval: 5 }).catch(() => {});
    return [...signs];
  };

  test('a folder made anew at once is not taken for one put in place whole', async () => {
    mkdirSync(at('f'));
    writeFileSync(at('f/a.yaml'), 'x');
    const watched = await watch('f');
    rmSync(at('f'), { recursive: true });
    mkdirSync(at('f'));
    await expect.poll(() => signs, { timeout: 5_000 }).not.toEqual([]);
    await runtime.timers.sleep(200, new AbortController().signal);
    expect(signs).not.toContain('swapped');
    signs.length = 0;
    writeFileSync(at('f/b.yaml'), 'x');
    expect(await signsUntil('changed')).toContain('changed');
    await watched.close();
  });

  test('a folder that was made later than the old one, and swapped in whole', async () => {
    mkdirSync(at('f'));
    const watched = await watch('f');
    mkdirSync(at('f.new'));
    writeFileSync(at('f.new/a.yaml'), 'x');
    await runtime.timers.sleep(20, new AbortController().signal);
    renameSync(at('f'), at('f.old'));
    renameSync(at('f.new'), at('f'));
    expect(await signsUntil('swapped')).toContain('swapped');
    expect(signs).not.toContain('lost');
    await watched.close();
  });

  test('a folder whose place is empty for a moment before the next one comes', async () => {
    mkdirSync(at('f'));
    mkdirSync(at('f.new'));
    const watched = await watch('f');
    await runtime.timers.sleep(20, new AbortController().signal);
    renameSync(at('f'), at('f.old'));
    await runtime.timers.sleep(30, new AbortController().signal);
    renameSync(at('f.new'), at('f'));
    expect(await signsUntil('swapped')).toContain('swapped');
    expect(signs).not.toContain('lost');
    await watched.close();
  });

  test('a link made anew by removing it first is a swap, not a loss', async () => {
    mkdirSync(at('one'));
    mkdirSync(at('two'));
    symlinkSync('one', at('f'));
    const watched = await watch('f');
    execFileSync('ln', ['-sfn', 'two', at('f')]);
    expect(await signsUntil('swapped')).toContain('swapped');
    rmSync(at('f'));
    symlinkSync('one', at('f'));
    signs.length = 0;
    expect(await signsUntil('swapped')).toContain('swapped');
    expect(signs).not.toContain('lost');
    await watched.close();
  });

  test('the mode of a file, and a folder moved away with the one above it', async () => {
    mkdirSync(at('up/f'), { recursive: true });
    writeFileSync(at('up/f/a.yaml'), 'x');
    const watched = await watch('up/f');
    chmodSync(at('up/f/a.yaml'), 0o600);
    expect(await signsUntil('changed')).toContain('changed');
    renameSync(at('up'), at('down'));
    expect(await signsUntil('lost')).toContain('lost');
    await watched.close();
  });

  test('two watches of one folder both follow it', async () => {
    mkdirSync(at('f'));
    mkdirSync(at('g'));
    await runtime.timers.sleep(20, new AbortController().signal);
    const others: FileSign[] = [];
    const watched = await watch('f');
    const other = await files.watch(at('f'), (sign) => others.push(sign));
    renameSync(at('f'), at('f.old'));
    renameSync(at('g'), at('f'));
    expect(await signsUntil('swapped')).toContain('swapped');
    await expect.poll(() => others).toContain('swapped');
    signs.length = 0;
    others.length = 0;
    writeFileSync(at('f/a.yaml'), 'x');
    expect(await signsUntil('changed')).toContain('changed');
    await expect.poll(() => others).toContain('changed');
    await watched.close();
    await other.close();
  });

  describe('of a folder that is too large', () => {
    const folders = (count: number, below = 'f') => {
      for (let i = 0; i < count; i++) mkdirSync(at(`${below}/${i % 30}/${i}`), { recursive: true });
    };
    const watchesMax = 20;

    test('come after a while, and it takes hardly any watch of the host', async () => {
      folders(1100);
      const before = watchesHeld();
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      try {
        const watched = await watch('f');
        expect(watchesHeld()).toBeLessThan(before + watchesMax);
        vi.advanceTimersByTime(29_000);
        expect(signs).toEqual([]);
        vi.advanceTimersByTime(2_000);
        expect(signs).toEqual(['lost']);
        await watched.close();
      } finally {
        vi.useRealTimers();
      }
    });

    test('end when it grows so', async () => {
      folders(10);
      const before = watchesHeld();
      const watched = await watch('f');
      expect(watchesHeld()).toBeGreaterThan(before + 10);
      folders(1100);
      expect(await signsUntil('lost')).toContain('lost');
      await expect.poll(watchesHeld).toBeLessThan(before + watchesMax);
      await watched.close();
    });

    test('are as ever while it is as large as may be, or has been larger', async () => {
      mkdirSync(at('f'));
      const watched = await watch('f');
      for (let round = 0; round < 12; round++) {
        folders(100, 'f/x');
        await runtime.timers.sleep(100, new AbortController().signal);
        rmSync(at('f/x'), { recursive: true });
        await runtime.timers.sleep(100, new AbortController().signal);
      }
      signs.length = 0;
      writeFileSync(at('f/a.yaml'), 'x');
      expect(await signsUntil('changed')).toContain('changed');
      expect(signs).not.toContain('lost');
      await watched.close();
    });
  });

  test('where the host has no watches left there are none, and no failure', async () => {
    mkdirSync(at('f/a/b/c/d'), { recursive: true });
    const script = at('watch.mjs');
    await build({
      stdin: {
        resolveDir: fileURLToPath(new URL('../../..', import.meta.url)),
        contents: `
          import { watchFolder } from './src/daemon/machine/watch-folder.ts';
          const watched = await watchFolder(process.argv[2], () => undefined);
          await watched.close();
          console.log('watched');`,
      },
      outfile: script,
      bundle: true,
      platform: 'node',
      format: 'esm',
    });
    // In a user namespace of its own, where the limit can be set.
    const run = 'echo "$1" >/proc/sys/user/max_inotify_watches && exec "$2" "$3" "$4"';
    const words = (watches: string) => ['-Ur', 'sh', '-c', run, 'sh', watches, process.execPath, script, at('f')];
    for (const watches of ['0', '4', '1000']) {
      expect(execFileSync('unshare', words(watches), { encoding: 'utf8' })).toBe('watched\n');
    }
  }); // prettier-ignore

  test('every folder that is watched is let go again', async () => {
    mkdirSync(at('f/sub'), { recursive: true });
    const before = openFiles();
    for (let round = 0; round < 5; round++) {
      const watched = await watch('f');
      await watched.close();
    }
    expect(openFiles()).toBeLessThanOrEqual(before + 1);
  });
});

describe('sockets', () => {
  let listening: Listening[];
  beforeEach(() => {
    listening = [];
  });
  afterEach(async () => {
    for (const each of listening) await each.close();
  });
  const unix = (path: string, mode = 0o660) =>
    ({ kind: 'unix', path: at(path), mode, group: null }) as const;

  test('tell who is at the other end', async () => {
    const peers: (PeerCredentials | null)[] = [];
    listening.push(
      await sockets.listen(unix('s'), (stream, peer) => {
        peers.push(peer);
        stream.end('hello');
      }),
    );
    expect(await ask({ path: at('s') })).toBe('hello');
    const { pid } = process;
    expect(peers).toEqual([{ uid: process.getuid?.(), gid: process.getgid?.(), pid }]);
    const script = `require('net').connect(${JSON.stringify(at('s'))}).resume()`;
    const child = spawn(process.execPath, ['-e', script]);
    await new Promise((done) => child.once('exit', done));
    expect(peers[1]?.pid).toBe(child.pid);
  });

  test('have the mode and group that were asked for, and leave nothing beside them', async () => {
    const address = { kind: 'unix', path: at('s'), mode: 0o620, group: 'daemon' } as const;
    listening.push(await sockets.listen(address, () => {}));
    const stats = statSync(at('s'));
    expect(stats.mode & 0o777).toBe(0o620);
    const daemon = /^daemon:[^:]*:(\d+):/m.exec(readFileSync('/etc/group', 'utf8'));
    expect(stats.gid).toBe(Number(daemon?.[1]));
    expect(readdirSync(root)).toEqual(['s']);
  });

  test('a group that is not there is an error, and nothing is left', async () => {
    const address = { kind: 'unix', path: at('s'), mode: 0o620, group: 'no-such' } as const;
    await expect(sockets.listen(address, () => {})).rejects.toMatchObject({ code: 'Failed' });
    expect(readdirSync(root)).toEqual([]);
  });

  test('take the place of one that a crash has left, and of no other', async () => {
    const script = `require('net').createServer().listen(${JSON.stringify(at('s'))}, () => process.kill(process.pid, 'SIGKILL'))`;
    const child = spawn(process.execPath, ['-e', script]);
    await new Promise((done) => child.once('exit', done));
    expect(readdirSync(root)).toEqual(['s']);
    listening.push(await sockets.listen(unix('s'), (stream) => void stream.end('mine')));
    await expect(sockets.listen(unix('s'), () => {})).rejects.toMatchObject({ code: 'Failed' });
    expect(await ask({ path: at('s') })).toBe('mine');
    writeFileSync(at('file'), 'x');
    await expect(sockets.listen(unix('file'), () => {})).rejects.toMatchObject({
      code: 'NotAFile',
    });
  });

  test('closing takes no more connections, keeps those there are, and removes the socket', async () => {
    const accepted = new Promise<NodeJS.WritableStream>((done) => {
      void sockets.listen(unix('s'), done).then((each) => listening.push(each));
    });
    await expect.poll(() => readdirSync(root)).toEqual(['s']);
    const client = connect({ path: at('s') });
    let text = '';
    client.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const server = await accepted;
    await listening.pop()?.close();
    expect(readdirSync(root)).toEqual([]);
    server.end('still here');
    await expect.poll(() => text).toBe('still here');
    client.destroy();
  });

  test('a client may end its side before it is answered', async () => {
    listening.push(
      await sockets.listen(unix('s'), (stream) => {
        stream.resume().once('end', () => stream.end('answer'));
      }),
    );
    const client = connect({ path: at('s'), allowHalfOpen: true });
    client.end('question');
    let text = '';
    client.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await expect.poll(() => text).toBe('answer');
  });

  test('closing leaves a socket that another process has put there', async () => {
    const first = await sockets.listen(unix('s'), () => {});
    rmSync(at('s'));
    listening.push(await sockets.listen(unix('s'), (stream) => void stream.end('second')));
    await first.close();
    expect(await ask({ path: at('s') })).toBe('second');
  });

  test('listen on the loopback only, and know nobody there', async () => {
    const port = await freePort();
    const peers: unknown[] = [];
    listening.push(
      await sockets.listen({ kind: 'loopback', port }, (stream, peer) => {
        peers.push(peer);
        stream.end('hello');
      }),
    );
    expect(await ask({ host: '127.0.0.1', port })).toBe('hello');
    expect(peers).toEqual([null]);
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    const sockets4 = execFileSync('cat', ['/proc/net/tcp', '/proc/net/tcp6'], { encoding: 'utf8' });
    const bound = sockets4
      .split('\n')
      .filter((line) => line.includes(`:${hex} `) && / 0A /.test(line));
    expect(bound).toHaveLength(1);
    expect(bound[0]).toContain(`0100007F:${hex}`);
    await expect(sockets.listen({ kind: 'loopback', port }, () => {})).rejects.toMatchObject({
      code: 'Failed',
    });
  });
});

function ask(where: { path: string } | { host: string; port: number }): Promise<string> {
  return new Promise((done, fail) => {
    let text = '';
    connect(where)
      .on('data', (chunk: Buffer) => (text += chunk.toString()))
      .on('end', () => done(text))
      .on('error', fail);
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Of inotify, which this process has. */
function watchesHeld(): number {
  const texts = readdirSync('/proc/self/fdinfo').map((fd) => {
    try {
      return readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
    } catch {
      // It was of the listing itself.
      return '';
    }
  });
  return texts
    .join('\n')
    .split('\n')
    .filter((line) => line.startsWith('inotify ')).length;
}

function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}
