/** The real worker, in its real sandbox: what it can do, and what one that was taken over cannot. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workerSpawner } from '../../../src/daemon/machine/spawn-worker.ts';
import { systemFolders } from '../../../src/host/sandbox/programs.ts';
import { machineClock, machineTimers } from '../../../src/daemon/machine/time.ts';
import type { DocumentParser } from '../../../src/daemon/parser.ts';
import { openDocumentParser } from '../../../src/daemon/worker/document-parser.ts';
import { noWorkerPlaces } from '../../../src/host/worker-places.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import { secondaryDocument } from '../../unit/documents/parsing.ts';
import { refusedCalls } from '../../support/refused-calls.ts';
import { isAlive, runSandboxed, sandboxedBelow, temporaryFolder } from './sandboxed.ts';

const never = new AbortController().signal;
const root = fileURLToPath(new URL('../../..', import.meta.url));
const built = join(root, 'dist/bin/unnest-worker.js');
const folder = temporaryFolder();
afterAll(() => folder.remove());

function opened(program = built, places = noWorkerPlaces): DocumentParser {
  const runtime = { clock: machineClock, timers: machineTimers, random: () => 0 };
  return openDocumentParser(workerSpawner({ program, folders: systemFolders }), places, runtime);
}

const parse = (parser: DocumentParser, text: string, partition = 'team-a') =>
  parser.parse(partition as PartitionName, [{ path: 'a.yaml', text }], never);

const secondaries = (count: number) =>
  Array.from({ length: count }, (_, i) => secondaryDocument(`w-${i}`)).join('');

/** See `codeBytesMax` of the sandbox. */
const dataBytesMax = (Number.parseInt(process.versions.node, 10) > 22 ? 1024 : 512) * 2 ** 20;

/** Until what somebody else does has come about. */
async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(20);
}

test('this is a root that could do it all, so that what follows means something', () => {
  expect(process.getuid?.()).toBe(0);
  expect(existsSync('/run')).toBe(true);
  expect(readFileSync('/etc/shadow', 'utf8')).not.toBe('');
});

describe('the worker', () => {
  test('reads documents, well-formed and other, one after the other', async () => {
    const parser = opened();
    const first = await parse(parser, secondaryDocument('web'));
    expect(first).toMatchObject({ status: 'parsed', documents: [{ file: 'a.yaml' }] });
    expect(await parse(parser, 'a: [')).toMatchObject({
      status: 'invalid',
      diagnostics: [{ code: 'InvalidYaml' }],
    });
    expect(await parse(parser, secondaryDocument('web'))).toEqual(first);
    expect(sandboxedBelow(process.pid)).toHaveLength(1);
    await parser.close();
    await eventually(() => sandboxedBelow(process.pid).length === 0);
  });

  test('reads as much as there may be', async () => {
    const parser = opened();
    const label = `\n  annotations: { note: "${'y'.repeat(250)}" }`;
    const text = secondaries(20_000).replaceAll(/(?<=name: w-\d+)$/gm, label);
    expect(text.length).toBeGreaterThan(8_000_000);
    const { status, ...answer } = await parse(parser, text);
    expect([status, 'message' in answer ? answer.message : '']).toEqual(['parsed', '']);
    await parser.close();
  });

  test('is small while it waits', async () => {
    const parser = opened();
    for (let i = 0; i < 20; i++) await parse(parser, secondaries(1500));
    const [worker] = sandboxedBelow(process.pid);
    const residentKilobytes = Number.parseInt(worker?.status.get('VmRSS') ?? '', 10);
    expect(residentKilobytes).toBeGreaterThan(10_000);
    expect(residentKilobytes).toBeLessThan(80_000);
    await parser.close();
  });

  test('is replaced when somebody kills it', async () => {
    const parser = opened();
    await parse(parser, secondaryDocument('web'));
    const [worker] = sandboxedBelow(process.pid);
    process.kill(worker?.pid ?? 0, 'SIGKILL');
    await eventually(() => sandboxedBelow(process.pid).length === 0);
    // Whether its end is known by now, the kernel decides; the next one is another in any case.
    const next = await parse(parser, secondaryDocument('web'));
    expect(next.status === 'failed' ? next.code : 'Died').toBe('Died');
    expect(await parse(parser, secondaryDocument('web'))).toMatchObject({ status: 'parsed' });
    await parser.close();
  });

  test('is not there without bubblewrap, and says what to do', async () => {
    const { ended } = runSandboxed(folder.path, '', [folder.path]);
    expect(await ended).toEqual({
      kind: 'not-started',
      message: 'there is no bwrap on this machine: apt-get install bubblewrap',
    });
  });

  test('is not there without its program, or where no sandbox can be made', async () => {
    expect(await parse(opened('/nonexistent/worker.js'), '')).toMatchObject({
      status: 'failed',
      code: 'Unavailable',
    });
    const broken = join(folder.path, 'broken');
    mkdirSync(broken);
    for (const name of ['bwrap', 'choom', 'prlimit', 'setpriv']) {
      const script = `#!/bin/sh\necho "${name}: No permissions to create new namespace" >&2; exit 1\n`;
      writeFileSync(join(broken, name), script);
      chmodSync(join(broken, name), 0o755);
    }
    expect(await runSandboxed(folder.path, '', [broken]).ended).toMatchObject({
      kind: 'not-started',
      message: expect.stringContaining('No permissions to create new namespace'),
    });
  });
});

describe('one that was taken over', () => {
  /** @param code says what it has found with `say` */
  const find = async (code: string): Promise<unknown> => {
    const program = `
      import fs from 'node:fs';
      import net from 'node:net';
      import { spawnSync } from 'node:child_process';
      import dgram from 'node:dgram';
      const attempt = async (act) => { try { return await act(); } catch (error) { return error.code ?? error.message; } };
      const connect = (to) => new Promise((done) => {
        net.connect(to, () => done('connected')).on('error', (error) => done(error.code));
      });
      const found = await (async () => { ${code} })();
      fs.writeSync(1, JSON.stringify(found) + 'DONE');`;
    const { said, process } = runSandboxed(folder.path, program);
    const text = await said;
    process.kill();
    return JSON.parse(text);
  };

  const servers: Server[] = [];
  const listening = async (to: object): Promise<Server> => {
    const server = createServer((socket) => socket.destroy()).listen(to);
    servers.push(server);
    await once(server, 'listening');
    return server;
  };
  afterAll(() => servers.forEach((server) => server.close()));

  test('sees nothing but itself and libraries', async () => {
    const found = await find(`return fs.readdirSync('/').filter((name) => !name.startsWith('lib'));`);
    expect(found).toEqual(['node', 'prlimit', 'usr', 'worker.mjs']);
    expect(await find(`return fs.readdirSync('/usr').filter((name) => !name.startsWith('lib'));`)).toEqual([]);
  }); // prettier-ignore

  test('reads no file of the host', async () => {
    const state = join(folder.path, 'state');
    writeFileSync(state, 'secret', { mode: 0o666 });
    chmodSync(folder.path, 0o755);
    const paths = ['/etc/shadow', '/etc/passwd', '/proc/1/environ', '/dev/kvm', '/run/libvirt', '/var/lib', '/root', root, state];
    const found = await find(`
      const read = (path) => attempt(() => fs.statSync(path).size);
      return Promise.all(${JSON.stringify(paths)}.map(read));`);
    expect(found).toEqual(paths.map(() => 'ENOENT'));
  }); // prettier-ignore

  test('connects to nothing', async () => {
    const path = join(folder.path, 'libvirt-sock');
    const abstract = `\0unnest-test-${process.pid}`;
    await listening({ path });
    await listening({ path: abstract });
    const tcp = await listening({ host: '127.0.0.1', port: 0 });
    const { port } = tcp.address() as { port: number };
    const targets = [{ path }, { path: abstract }, { host: '127.0.0.1', port }, { path: '/run/libvirt/libvirt-sock' }];
    const found = await find(`return Promise.all(${JSON.stringify(targets)}.map(connect));`);
    expect(found).toEqual(targets.map(() => 'ENOSYS'));
    const udp = await find(`return attempt(() => {
      return new Promise((done) => dgram.createSocket('udp4').on('error', done).send('x', 53, '192.0.2.1', done));
    }).then(({ code }) => code);`);
    expect(udp).toBe('ENOSYS');
  }); // prettier-ignore

  test('writes to nothing', async () => {
    const paths = ['/x', '/tmp/x', '/worker.mjs', '/node', '/usr/x', '/usr/lib/x', '/lib/x', '/dev/shm/x'];
    const found = (await find(`
      const write = (path) => attempt(() => { fs.writeFileSync(path, 'x'); return 'written'; });
      return Promise.all(${JSON.stringify(paths)}.map(write));`)) as string[];
    expect(found.filter((each) => !['EROFS', 'ENOENT', 'EACCES', 'ETXTBSY'].includes(each))).toEqual([]);
    expect(found).toHaveLength(paths.length);
  }); // prettier-ignore

  test('is nobody, can become nobody else, and runs no program', async () => {
    const found = await find(`return [
      process.getuid(), process.geteuid(), process.getgroups(),
      await attempt(() => process.setuid(0)),
      await attempt(() => { throw spawnSync('/bin/sh', ['-c', 'id']).error; }),
      Object.keys(process.env),
    ];`);
    expect(found).toEqual([65_534, 65_534, [65_534], 'ENOSYS', 'ENOSYS', ['PWD']]);
  });

  test('is what it is to the kernel, too', async () => {
    const { process: worker, said } = runSandboxed(
      folder.path,
      `process.stdout.write('DONE'); setInterval(() => undefined, 1000);`,
    );
    await said;
    const [found] = sandboxedBelow(process.pid);
    const limits = readFileSync(`/proc/${found?.pid}/limits`, 'utf8').replaceAll(/ +/g, ' ');
    const oomScore = readFileSync(`/proc/${found?.pid}/oom_score_adj`, 'utf8');
    const namespaces = ['net', 'pid', 'ipc', 'user', 'mnt', 'uts'];
    const shared = namespaces.filter((each) => {
      return (
        readlinkSync(`/proc/${found?.pid}/ns/${each}`) === readlinkSync(`/proc/self/ns/${each}`)
      );
    });
    worker.kill();
    expect(shared).toEqual([]);
    expect([found?.status.get('Seccomp'), found?.status.get('Seccomp_filters')]).toEqual([
      '2',
      '1',
    ]);
    expect(oomScore).toBe('1000\n');
    for (const name of ['Uid', 'Gid']) {
      expect(found?.status.get(name)?.split('\t')).toEqual(Array(4).fill('65534'));
    }
    for (const name of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
      expect([name, found?.status.get(name)]).toEqual([name, '0'.repeat(16)]);
    }
    expect(found?.status.get('NoNewPrivs')).toBe('1');
    expect(limits).toContain('Max cpu time 120 121');
    expect(limits).toContain('Max file size 0 0');
    expect(limits).toContain(`Max data size ${dataBytesMax} ${dataBytesMax}`);
    expect(limits).toContain('Max processes 16 16');
    expect(limits).toContain('Max open files 64 64');
    expect(limits).toContain('Max core file size 0 0');
  });

  test.each([
    ['objects', `const all = []; for (;;) all.push({ a: all.length, b: [all.length] });`],
    ['bytes', `const all = []; for (;;) all.push(Buffer.alloc(2 ** 20, 1));`],
    ['one large piece', `new Uint8Array(2 ** 30).fill(1);`],
    [
      'threads',
      `import { Worker } from 'node:worker_threads';
       for (let i = 0; i < 17; i++) new Worker('setInterval(() => undefined, 1000)', { eval: true });
       setInterval(() => undefined, 1000);`,
    ],
  ])('eats %s until it dies, and nothing else does', async (_what, code) => {
    const { ended } = runSandboxed(folder.path, code);
    const end = await ended;
    expect(end.kind === 'ended' && end.how).toMatch(/^by SIG|^with exit code [1-9]/);
  });

  test('starts no process', async () => {
    const found = await find(`
      const { spawn } = await import('node:child_process');
      const started = await attempt(() => spawn('/node', ['-e', '0'], { stdio: 'inherit' }));
      started.on?.('error', () => undefined);
      return started.pid ?? 'none';`);
    expect(found).toBe('none');
  });

  describe('makes system calls', () => {
    /** bubblewrap with koffi in the sandbox, by which any call can be made. @param edit of its words */
    const withKoffi = (name: string, edit: string): string => {
      const programs = join(folder.path, name);
      const modules = join(programs, 'node_modules');
      mkdirSync(modules, { recursive: true });
      chmodSync(folder.path, 0o755);
      for (const each of ['koffi', '@koromix']) {
        cpSync(join(root, 'node_modules', each), join(modules, each), { recursive: true });
      }
      for (const each of ['choom', 'prlimit', 'setpriv']) {
        symlinkSync(join('/usr/bin', each), join(programs, each));
      }
      const script = `#!/bin/bash\n${edit}\nexec /usr/bin/bwrap --ro-bind ${modules} /node_modules "$@"\n`;
      writeFileSync(join(programs, 'bwrap'), script, { mode: 0o755 });
      return programs;
    };
    const column = process.arch === 'arm64' ? 2 : 1;
    const numbers = refusedCalls.map((each) => [each[0], each[column]] as const);
    const made = async (programs: string, calls: readonly (readonly [string, number])[]) => {
      const { said, ended } = runSandboxed(
        folder.path,
        `import koffi from 'koffi';
         const syscall = koffi.load(null).func('long syscall(long, long, long, long, long, long, long)');
         const answers = ${JSON.stringify(calls)}.map(([name, number]) => {
           // Of AF_VSOCK and a stream, for a socket; nothing for anything else.
           const words = name === 'socket' ? [40, 1] : [0, 0];
           const result = Number(syscall(number, ...words, 0, 0, 0, 0));
           return [name, result < 0 ? koffi.errno() : 'done'];
         });
         process.stdout.write(JSON.stringify(answers) + 'DONE');`,
        [programs],
      );
      const text = await said;
      return text === '' ? await ended : (JSON.parse(text) as unknown);
    };

    test('none but those that it needs', async () => {
      const found = await made(withKoffi('filtered', ''), numbers);
      const ENOSYS = 38;
      expect(found).toEqual(refusedCalls.map(([name]) => [name, ENOSYS]));
    });

    test('many more where there is no filter, so that what it refuses means something', async () => {
      const without = 'set -- "${@/--seccomp/--sync-fd}"';
      const some = numbers.filter(([name]) => ['socket', 'keyctl', 'memfd_create', 'inotify_init1', 'unshare'].includes(name));
      const found = await made(withKoffi('unfiltered', without), some);
      const text = JSON.stringify(found);
      expect(text).toContain('"inotify_init1","done"');
      expect(text).not.toContain('38');
    }); // prettier-ignore
  });

  test('that floods standard error is ended', async () => {
    const { ended } = runSandboxed(
      folder.path,
      `import fs from 'node:fs';
       for (;;) fs.writeSync(2, 'x'.repeat(1000));`,
    );
    const end = await ended;
    expect(end).toMatchObject({ kind: 'ended', how: 'by SIGKILL' });
    expect(end.kind === 'ended' && end.complaint).toBe('x'.repeat(2000));
  });

  test('ends with the daemon, however that ends', async () => {
    const script = join(folder.path, 'daemon.mjs');
    await build({
      stdin: {
        resolveDir: root,
        contents: `
          import { workerSpawner } from './src/daemon/machine/spawn-worker.ts';
          import { systemFolders } from './src/host/sandbox/programs.ts';
          const [program] = process.argv.slice(2);
          workerSpawner({ program, folders: systemFolders })('a', null, {
            onData: (chunk) => process.stdout.write(chunk), onEnd: () => undefined,
          });`,
      },
      outfile: script,
      bundle: true,
      platform: 'node',
      format: 'esm',
    });
    const program = join(folder.path, 'waits.mjs');
    writeFileSync(program, `process.stdout.write('DONE'); setInterval(() => undefined, 1000);`);
    const daemon = spawn(process.execPath, [script, program], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(daemon.stdout, 'data');
    const workers = sandboxedBelow(daemon.pid ?? 0);
    expect(workers).toHaveLength(1);
    daemon.kill('SIGKILL');
    await eventually(() => workers.every(({ pid }) => !isAlive(pid)));
  }); // prettier-ignore
});

beforeAll(() => {
  if (!existsSync(built)) throw new Error('dist/ is not built: npm run build');
});
