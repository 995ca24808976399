/** The built `unnest` beside a real `unnestd` and libvirtd: from documents to guests and back. */
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { idleDocument, program, type Ran, run } from '../../support/cli.ts';
import { type DaemonPlace, daemonPlace, type RealDaemon } from '../../support/daemon.ts';
import { synced } from '../../support/daemon-says.ts';
import { domainsOf } from '../../support/partition-domains.ts';

const partition = 'cli-daemon';
let place: DaemonPlace;
let daemon: RealDaemon;
beforeAll(async () => {
  place = daemonPlace();
  place.describe(partition, 'Apply');
  daemon = await place.start();
});
afterAll(() => place.dispose());

function unnest(...args: readonly string[]): Promise<Ran> {
  return run(process.execPath, [program, ...args], {
    ...process.env,
    UNNEST_SOCKET: place.at('run/operator.sock'),
    UNNEST_STATE_DIR: place.at('state'),
    UNNEST_PARTITION: partition,
    NO_COLOR: '1',
  });
}

/** With the disks that they name. */
function documents(...documentsOf: readonly string[]): string {
  const path = place.at('documents.yaml');
  const text = documentsOf.join('');
  for (const [, disk = ''] of text.matchAll(/file: (\S+\.img), format/g)) {
    writeFileSync(place.at(`state/${partition}/files/${disk}`), Buffer.alloc(2 ** 20));
  }
  writeFileSync(path, text);
  return path;
}

test('apply hands documents in, looks on until it is so, and says what was done', async () => {
  const path = documents(idleDocument('web'), idleDocument('tool', ['runPolicy: Manual']));
  const first = await unnest('apply', '-f', path, '--timeout', '60');
  expect(first).toMatchObject({ code: 0, stderr: '' });
  expect(first.stdout).toMatch(/^accepted generation 1 \(sha256:[0-9a-f]{12}\)$/m);
  expect(first.stdout).toMatch(/^ {2}web: start: done, /m);
  expect(first.stdout).toContain('Synced: the host has what generation 1 asks for.\n');
  expect(await domainsOf(partition)).toEqual([
    'tool - shut off',
    expect.stringMatching(/^web \d+ running$/),
  ]);
  const again = await unnest('apply', '-f', path, '--timeout', '60');
  expect(again.code).toBe(0);
  expect(again.stdout).toContain('nothing changed: generation 1');
});

test('what has the daemon’s word: status, get, wait, describe, history, events', async () => {
  expect((await unnest('status')).stdout).toContain(`${partition}: Synced, Healthy\n`);
  expect((await unnest('get', 'web')).stdout).toMatch(/web +Running +Synced +Healthy/);
  expect((await unnest('wait', 'web', '--for', 'running', '--timeout', '30')).code).toBe(0);
  expect((await unnest('describe', 'web')).stdout).toContain('conditions, as unnestd says:');
  expect((await unnest('history')).stdout).toMatch(/^1 .*Apply \(uid 0, pid \d+\).*in force$/m);
  expect((await unnest('events')).stdout).toContain('tool: define: done');
});

test('start and stop by hand; what the documents rule is refused', async () => {
  expect((await unnest('start', 'tool')).code).toBe(0);
  expect((await unnest('wait', 'tool', '--for', 'running', '--timeout', '60')).code).toBe(0);
  expect((await unnest('stop', 'tool')).code).toBe(0);
  expect((await unnest('wait', 'tool', '--for', 'stopped', '--timeout', '60')).code).toBe(0);
  expect((await unnest('stop', 'web')).code).toBe(3);
});

test('nobody goes past the daemon', async () => {
  const { code, stderr } = await unnest('destroy', '--all', '--yes', '--host', 'qemu:///system');
  expect(code).toBe(7);
  expect(stderr).toContain('if unnestd runs here, it has the partition');
});

test('a deletion is asked about, by a plan made here; and rolled back', async () => {
  const path = documents(idleDocument('web'));
  const asked = await unnest('apply', '-f', path);
  expect(asked.code).toBe(64);
  expect(asked.stderr).toContain('this plan deletes 1');
  expect(await domainsOf(partition)).toHaveLength(2);
  expect((await unnest('apply', '-f', path, '--yes', '--timeout', '60')).code).toBe(0);
  expect(await domainsOf(partition)).toHaveLength(1);
  const back = await unnest('rollback', '--yes', '--timeout', '60');
  expect(back).toMatchObject({ code: 0, stderr: '' });
  expect(await domainsOf(partition)).toHaveLength(2);
});

test('drain empties it, and refuses others until it is resumed', async () => {
  expect((await unnest('drain', '--yes')).code).toBe(0);
  expect((await unnest('wait', 'web', 'tool', '--for', 'deleted', '--timeout', '60')).code).toBe(0);
  expect(await domainsOf(partition)).toEqual([]);
  const refused = await unnest('apply', '-f', documents(idleDocument('web')), '--yes');
  expect(refused.code).toBe(7);
  expect(refused.stderr).toContain('being emptied');
  expect((await unnest('resume')).code).toBe(0);
  expect((await unnest('apply', '-f', documents(idleDocument('web')), '--yes')).code).toBe(0);
  await synced(daemon, partition, ['web']);
});

test('without the daemon it says what to do', async () => {
  expect(await daemon.end('SIGTERM')).toBe(0);
  const { code, stderr } = await unnest('status');
  expect(code).toBe(5);
  expect(stderr).toContain('systemctl start unnestd');
});
