/** What goes wrong around a command: the message, the exit code, and nothing half done. */
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  guestDocument,
  idleDocument,
  program,
  run,
  virsh,
  type Workplace,
  workplace,
} from '../../support/cli.ts';
import { until } from '../../support/until.ts';

let at: Workplace;
let count = 0;

beforeEach(() => {
  at = workplace(`trouble-${(count += 1)}`);
});
afterEach(() => at.dispose());

const domains = async () => (await virsh('list', '--all', '--name')).split('\n').filter(Boolean);

describe('the host', () => {
  test('is not there', async () => {
    at.write(idleDocument('web'));
    for (const command of [['plan', '-f', at.documents], ['apply', '-f', at.documents], ['get']]) {
      const ran = await at.unnest(...command, '--host', 'qemu:///system?socket=/nowhere/sock');
      expect(ran).toMatchObject({ code: 5, stdout: '' });
      expect(ran.stderr).toMatch(
        /^error: connecting to qemu:\/\/\/system\?socket=\/nowhere\/sock: /,
      );
    }
    const doctor = await at.unnest('doctor', '--host', 'qemu:///system?socket=/nowhere/sock');
    expect(doctor.code).toBe(5);
    expect(doctor.stdout).toMatch(/failed +libvirt: .*\n +is libvirtd running/);
    const isThere = existsSync('/dev/vhost-vsock');
    expect(doctor.stdout).toMatch(
      isThere ? /ok +vsock/ : /warning +vsock: .*\n +modprobe vhost_vsock/,
    );
  });

  test('is another machine, which is not this one', async () => {
    const ran = await at.unnest('get', '--host', 'qemu+ssh://elsewhere/system');
    expect(ran).toMatchObject({ code: 5, stdout: '' });
    expect(ran.stderr).toContain('ssh');
  });

  test('does not let us in', async () => {
    at.write(idleDocument('web'));
    const args = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, program];
    const apply = ['apply', '-f', at.documents];
    await run('chmod', ['-R', 'a+rX', `${at.stateDir}/..`]);
    const ran = await run('setpriv', [...args, ...apply], at.environment);
    expect(ran).toMatchObject({ code: 5, stdout: '' });
    expect(ran.stderr).toMatch(/EACCES.*\n +permission is missing/s);
    expect(await domains()).toEqual([]);
  });

  describe('accepts and says nothing', () => {
    let server: Server;
    let path: string;
    beforeEach(async () => {
      path = join(at.stateDir, 'silent.sock');
      server = createServer(() => undefined).listen(path);
      await once(server, 'listening');
    });
    afterEach(() => void server.close());

    test('which doctor finds out in time too', async () => {
      const uri = `qemu:///system?socket=${path}`;
      const ran = await at.unnest('doctor', '--host', uri, '--timeout', '1');
      expect(ran).toMatchObject({ code: 6, stdout: '' });
    });

    test('which is found out in time', async () => {
      const ran = await at.unnest(
        'get',
        '--host',
        `qemu:///system?socket=${path}`,
        '--timeout',
        '3',
      );
      expect(ran).toMatchObject({ code: 6, stdout: '' });
    });
  });

  test('answers nonsense', async () => {
    const path = join(at.stateDir, 'nonsense.sock');
    const server = createServer((socket) =>
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'.repeat(9)),
    );
    server.listen(path);
    await once(server, 'listening');
    const ran = await at.unnest('get', '--host', `qemu:///system?socket=${path}`);
    server.close();
    expect(ran).toMatchObject({ code: 5, stdout: '' });
  });
});

describe('the command line', () => {
  test.each([
    [['plan'], 64, 'no documents were given'],
    [['plan', '-f', '/nowhere.yaml'], 64, 'cannot read /nowhere.yaml'],
    [['plan', '--no-such-option'], 64, "unknown option '--no-such-option'"],
    [['pla'], 64, 'Did you mean plan?'],
    [['get', 'nobody'], 64, 'has no Secondary nobody'],
    [['get', '-o', 'xml'], 64, 'Allowed choices are'],
    [['get', '--partition', 'Not A Name'], 64, 'is not the name of a partition'],
    [['destroy'], 64, 'give names, or --all'],
    [['get', '--timeout', '0'], 64, 'expected whole seconds'],
    [['console', 'nobody'], 64, 'has no Secondary nobody'],
  ])('%j', async (args, code, message) => {
    const ran = await at.unnest(...args);
    expect(ran).toMatchObject({ code, stdout: '' });
    expect(ran.stderr).toContain(message);
  });

  test('help and version are no errors', async () => {
    expect((await at.unnest('--help')).code).toBe(0);
    expect(await at.unnest('--version')).toMatchObject({ code: 0, stdout: '0.1.0\n' });
  });
});

describe('the documents', () => {
  test('are wrong: every mistake with its place, and the host is not even asked', async () => {
    at.write(idleDocument('web').replace('vcpus: 1', 'vcpu: 1').replace('128MiB', '128MB'));
    const ran = await at.unnest('apply', '-f', at.documents, '--host', 'qemu:///?socket=/nowhere');
    expect(ran).toMatchObject({ code: 4, stdout: '' });
    expect(ran.stderr).toContain('did you mean vcpus?');
    expect(ran.stderr).toContain('  7 |   memory: 128MB');
    expect(ran.stderr).toMatch(/\n {16}\^/);
    expect(ran.stderr).toContain('3 mistakes in the documents; nothing was done');
  });

  test('are not text', async () => {
    writeFileSync(at.documents, Buffer.from([0xff, 0xfe, 0x00, 0x80]));
    const ran = await at.unnest('validate', '-f', at.documents);
    expect(ran.code).toBe(4);
    expect(ran.stderr).toContain('NotUtf8');
  });

  test('do not come: Ctrl-C and --timeout end the waiting', async () => {
    const pipe = join(at.stateDir, 'pipe');
    await run('mkfifo', [pipe]);
    const child = at.start('plan', '-f', pipe, '-f', '-');
    const closed = once(child, 'close');
    // From then on it hears of Ctrl-C, and soon it waits for standard input.
    closeSync((await until('it reads the pipe', () => writerOf(pipe))) ?? -1);
    await sleep(1000);
    child.kill('SIGINT');
    expect(await closed).toEqual([130, null]);
    const ran = await at.unnest('plan', '-f', pipe, '--timeout', '1');
    expect(ran).toMatchObject({ code: 6, stdout: '' });
    expect(ran.stderr).toMatch(/over while .*pipe was read/);
  });

  test('come by a pipe with a name', async () => {
    at.write(idleDocument('web'));
    const script = '"$0" "$1" validate -f <(sleep 0.3; cat "$2"; sleep 0.3; cat "$3")';
    const more = join(at.stateDir, 'more.yaml');
    writeFileSync(more, idleDocument('more'));
    const args = ['-c', script, process.execPath, program, at.documents, more];
    const ran = await run('bash', args, at.environment);
    expect(ran).toEqual({ code: 0, stdout: 'Valid: 2 Secondaries.\n', stderr: '' });
  });

  test('come by standard input', async () => {
    const child = at.start('validate', '-f', '-');
    child.stdin?.end(idleDocument('web'));
    let out = '';
    child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
    expect((await once(child, 'close'))[0]).toBe(0);
    expect(out).toBe('Valid: 1 Secondary.\n');
  });
});

/** Null: nobody reads it yet. */
function writerOf(pipe: string): number | null {
  try {
    return openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
}

/** A guest that does not stop when it is asked to, for so long. */
const deaf = (seconds: number, more: readonly string[] = []) =>
  guestDocument('web', more)
    .replace('unnest.name=web', 'unnest.name=web unnest.do=ignore-shutdown')
    .replace('PeriodSeconds: 0', `PeriodSeconds: ${seconds}`);

describe('in the middle of it', () => {
  test('another apply is refused while one holds the partition, not in another partition', async () => {
    at.write(deaf(3600, ['updatePolicy: Restart']));
    await at.unnest('apply', '-f', at.documents);
    // The guest does not hear it, so this holds the lock until the test has its power cut.
    const slow = at.start('destroy', '--all', '--yes');
    const closed = once(slow, 'close');
    await once(slow.stdout ?? slow, 'data');
    const second = await at.unnest('apply', '-f', at.documents, '--yes');
    expect(second).toMatchObject({ code: 7, stdout: '' });
    expect(second.stderr).toContain('another process is changing partition');
    expect((await at.unnest('apply', '-f', at.documents, '-p', 'elsewhere')).code).toBe(3);
    await virsh('destroy', `unnest.${at.partition}.web`);
    expect((await closed)[0]).toBe(0);
  });

  test('Ctrl-C: what is under way is finished, the rest is not begun, and both are said', async () => {
    // So many that it is not done with all of them before it hears it.
    const names = Array.from({ length: 200 }, (_, index) => `vm-${index}`);
    at.write(names.map((name) => idleDocument(name, ['runPolicy: Halted'])).join(''));
    const child = at.start('apply', '-f', at.documents);
    let out = '';
    let interrupted = false;
    child.stdout?.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      // Once: a second one would break off what is under way.
      if (!interrupted && /define +done/.test(out)) interrupted = child.kill('SIGINT');
    });
    expect((await once(child, 'close'))[0]).toBe(130);
    expect(out).toContain('not begun, because of the interruption');
    const done = out.match(/define +done/g)?.length ?? 0;
    expect(done).toBeLessThan(names.length);
    expect(await domains()).toHaveLength(done);
    expect(await at.unnest('apply', '-f', at.documents)).toMatchObject({ code: 0 });
    expect(await domains()).toHaveLength(names.length);
  });

  test('Ctrl-C twice: what is under way is broken off, and that is no failure of the work', async () => {
    at.write(deaf(3600));
    await at.unnest('apply', '-f', at.documents);
    const child = at.start('destroy', '--all', '--yes');
    const closed = once(child, 'close');
    let out = '';
    let said = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      // The first line is the plan; what it says is begun a moment later.
      if (out === '') setTimeout(() => child.kill('SIGINT'), 3000);
      out += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('\n')) child.kill('SIGINT');
    });
    expect(await closed).toEqual([130, null]);
    expect(said).toBe('finishing what is under way; Ctrl-C again breaks it off\n');
    expect(out).toMatch(/failed: Cancelled.*\n.*undefine/);
  });

  test('the reader goes away: the work is done all the same', async () => {
    at.write(idleDocument('web', ['runPolicy: Halted']));
    const child = at.start('apply', '-f', at.documents);
    child.stdout?.destroy();
    expect((await once(child, 'close'))[0]).toBe(0);
    expect(await domains()).toHaveLength(1);
  });

  test('a full disk under the output: the work is done all the same, and the loss is said', async () => {
    at.write(idleDocument('web', ['runPolicy: Halted']));
    const full = openSync('/dev/full', 'w');
    const args = [program, 'apply', '-f', at.documents];
    const stdio = ['ignore', full, 'pipe'] as const;
    const child = spawn(process.execPath, args, { env: at.environment, stdio: [...stdio] });
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    expect((await once(child, 'close'))[0]).toBe(74);
    closeSync(full);
    expect(said).toMatch(/^error: standard output: ENOSPC/);
    expect(await domains()).toHaveLength(1);
  });

  test('--timeout: in good order, and with its own exit code', async () => {
    at.write(deaf(20));
    await at.unnest('apply', '-f', at.documents);
    const ran = await at.unnest('destroy', '--all', '--yes', '--timeout', '8');
    expect(ran.code).toBe(6);
    expect(ran.stdout).toMatch(/undefine.*not begun/);
    expect(await domains()).toHaveLength(1);
  });
});

describe('the console', () => {
  test('ends with Ctrl-C and with --timeout, and has one reader at a time', async () => {
    at.write(guestDocument('web'));
    await at.unnest('apply', '-f', at.documents);
    const reader = at.start('console', 'web');
    const closed = once(reader, 'close');
    let said = '';
    reader.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await once(reader.stdout ?? reader, 'data');
    const second = await at.unnest('console', 'web');
    expect(second.code).toBe(3);
    expect(second.stderr).toMatch(
      /Active console session exists.*\n {2}libvirt gives a console to one/,
    );
    reader.kill('SIGINT');
    expect(await closed).toEqual([130, null]);
    expect(said).toBe('');
    expect(await at.unnest('console', 'web', '--timeout', '10')).toMatchObject({
      code: 6,
      stderr: '',
    });
  });
});

describe('output', () => {
  test('has no colour unless a terminal or FORCE_COLOR asks for it, and never against NO_COLOR', async () => {
    at.write(idleDocument('web'));
    const plan = ['plan', '-f', at.documents];
    const colourOf = async (variables: NodeJS.ProcessEnv) => {
      const { NO_COLOR: _, ...environment } = at.environment;
      const ran = await run(process.execPath, [program, ...plan], { ...environment, ...variables });
      return ran.stdout.includes('\u001b[');
    };
    expect(await colourOf({})).toBe(false);
    expect(await colourOf({ FORCE_COLOR: '1' })).toBe(true);
    expect(await colourOf({ FORCE_COLOR: '1', NO_COLOR: '1' })).toBe(false);
  });

  test('for programs is JSON, whatever becomes of the work', async () => {
    at.write(idleDocument('web'));
    const planned = JSON.parse((await at.unnest('plan', '-f', at.documents, '-o', 'json')).stdout);
    expect(planned).toMatchObject({
      apiVersion: 'unnest.dev/plan/v1',
      summary: { create: 1 },
      changes: [
        { name: 'web', action: 'create', operations: ['domain.define/web', 'domain.start/web'] },
      ],
    });
    const applied = JSON.parse((await at.unnest('apply', '-f', at.documents, '-o', 'json')).stdout);
    expect(applied.report.outcomes.map(({ status }: { status: string }) => status)).toEqual([
      'applied',
      'applied',
      'applied',
    ]);
    const got = JSON.parse((await at.unnest('get', '-o', 'json')).stdout);
    expect(got.items).toMatchObject([{ name: 'web', status: 'Running', live: { vcpus: 1 } }]);
    expect((await at.unnest('get', '-o', 'name')).stdout).toBe('web\n');
    expect((await at.unnest('get', '-o', 'yaml')).stdout).toContain('name: web');
  });
});
