/** Where commands find the host that go there by themselves, beside a daemon, and after one. */
import type { PartitionName } from '../../../src/model/names.ts';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type InstallationId, slicePath } from '../../../src/model/identity.ts';
import { simulatedPrimary } from '../../support/simulation.ts';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { daemonClient } from '../../../src/channel/client.ts';
import { unixTransport } from '../../../src/channel/client-transport.ts';
import { type ApiPlace, apiPlace } from '../channel/api-place.ts';
import { partitionStatus, teamA } from '../channel/fake-control.ts';
import { secondaryDocument } from '../documents/parsing.ts';
import { run, type Surroundings } from './run.ts';

let place: ApiPlace;
let folder: string;
let onHost: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'unnest-place-'));
  onHost = `sim:${join(folder, 'host.json')}`;
  place = await apiPlace();
  place.place = { host: onHost, stateDir: join(folder, 'state') };
});
afterEach(async () => {
  await place.dispose();
  rmSync(folder, { recursive: true });
});

const documents = secondaryDocument('web');
const run_ = (argv: readonly string[], surroundings: Surroundings = {}) =>
  run([...argv, '-p', teamA], { stdin: documents, ...surroundings });
/** As where the daemon has the default socket. */
const beside = (argv: readonly string[], surroundings: Surroundings = {}) =>
  run_(argv, {
    findDaemon: async () => daemonClient(unixTransport(place.socket)),
    ...surroundings,
  });
const alone = (argv: readonly string[], surroundings: Surroundings = {}) =>
  run_(argv, { findDaemon: async () => null, ...surroundings });

describe('beside a daemon that answers', () => {
  beforeEach(async () => {
    expect((await run_(['apply', '-f', '-', '--host', onHost])).code).toBe(0);
  });

  test.each([
    ['plan', '-f', '-'],
    ['diff', '-f', '-'],
    ['describe', 'web'],
    ['explain', 'web'],
    ['export', 'web'],
    ['wait', '--for', 'synced', '-f', '-'],
    ['get', '--kind', 'volumes'],
    ['get', '--kind', 'networks'],
    ['get', '--kind', 'filters'],
    ['get', '--kind', 'slices'],
    ['get', '--kind', 'primaries'],
    ['doctor'],
  ])('%s looks at the host that it has', async (...argv) => {
    expect(await beside(argv)).toMatchObject({ code: 0 });
  });

  test('its thin pool is where Volumes are looked for', async () => {
    const pools: unknown[] = [];
    const onView: Surroundings['onView'] = ({ thinPool }) => void pools.push(thinPool);
    await beside(['plan', '-f', '-'], { onView });
    place.thinPool = { group: 'vg0', pool: 'thin' };
    await beside(['plan', '-f', '-'], { onView });
    expect(pools).toEqual([null, { group: 'vg0', pool: 'thin' }]);
  });

  const limits = { vcpus: 1, memory: '1GiB', storage: '1GiB', secondaries: 5 };

  test('get shows the slice, and the Primary by the name that the operator gave it', async () => {
    const path = onHost.slice('sim:'.length);
    const world = JSON.parse(readFileSync(path, 'utf8'));
    const id: string = world.installation;
    const slice = slicePath({ installation: id as InstallationId, partition: teamA });
    const none = { memoryMaxBytes: null, swapMaxBytes: 0, cpus: 2, pidsMax: 514 };
    const fields = { ...none, diskBytesPerSecond: null, diskOperationsPerSecond: null };
    world.slices = { [slice]: fields };
    world.primaries = { 'vm-of-a': simulatedPrimary() };
    writeFileSync(path, JSON.stringify(world));
    const primary = { domain: 'vm-of-a', reserved: { vcpus: 1, memory: '256MiB' }, grants: [] };
    place.spec = { limits: { ...limits, enforcement: 'Admission' }, primary };
    const slices = await beside(['get', '--kind', 'slices']);
    expect(slices.stdout).toMatch(/^team-a +Active .* 2 +0 of 514 +\/unnest\/p[0-9a-f]{12}$/m);
    const primaries = await beside(['get', '--kind', 'primaries']);
    expect(primaries.stdout).toMatch(/^team-a +Active +vm-of-a +2 +768MiB +2 and 768MiB$/m);
    expect((await alone(['get', '--kind', 'primaries', '--host', onHost])).stderr).toContain(
      'No primaries in partition team-a.',
    );
  });

  test('apply shows the plan for the host that it has', async () => {
    const { stdout } = await beside(['apply', '-f', '-', '--no-wait'], {
      stdin: documents + secondaryDocument('db'),
    });
    expect(stdout).toContain('1 to create');
    expect(place.calls).toHaveLength(1);
  });

  test.each([
    ['plan', ['plan', '-f', '-']],
    ['what is shown before an apply', ['apply', '-f', '-', '--no-wait']],
  ])('%s keeps to the limits that the operator has set there', async (_, argv) => {
    place.spec = { limits: { ...limits, enforcement: 'Admission' } };
    const { stdout } = await beside(argv, { stdin: documents + secondaryDocument('db') });
    expect(stdout).toContain('db: blocked');
    expect(stdout).toContain('limits.vcpus is 1');
  });

  test.each([
    ['plan', 3, ['plan', '-f', '-']],
    ['plan as JSON', 3, ['plan', '-f', '-', '-o', 'json']],
    ['apply before it asks', 0, ['apply', '-f', '-', '--no-wait']],
  ])('%s says that nothing is done where the host has no room', async (_, exitCode, argv) => {
    const message = 'team-a asks for 9 vCPUs';
    const since = '2026-01-01T00:00:00.000Z';
    const said = { reason: 'HostOvercommitted', message, since, generation: 7 } as const;
    place.set(partitionStatus({ conditions: [{ type: 'FitsHost', status: 'False', ...said }] }));
    const { code, stdout, stderr } = await beside(argv, {
      stdin: documents + secondaryDocument('db'),
    });
    expect(code).toBe(exitCode);
    expect(stderr).toContain(
      `warning: unnestd does none of it for now: HostOvercommitted: ${message}`,
    );
    expect(stdout).not.toContain(message);
  });

  test('documents that would set limits of their own are refused before they are sent', async () => {
    const own =
      '---\napiVersion: unnest.dev/v1\nkind: Partition\nmetadata: { name: team-a }\nspec: {}\n';
    const { code, stderr } = await beside(['plan', '-f', '-'], { stdin: documents + own });
    expect(code).toBe(4);
    expect(stderr).toContain('OperatorsOnly');
  });

  test('what somebody says goes before what it says', async () => {
    const elsewhere = `sim:${join(folder, 'other.json')}`;
    expect((await beside(['export', 'web', '--host', elsewhere])).code).toBe(64);
    const variables = { UNNEST_HOST: elsewhere };
    expect((await beside(['export', 'web'], { variables })).code).toBe(64);
  });

  test('its state directory is the one where a partition is locked', async () => {
    place.place = { host: 'qemu:///system?socket=/nowhere', stateDir: join(folder, 'state') };
    const { lockPartition } = await import('../../../src/host/local/lock.ts');
    const lock = await lockPartition(join(folder, 'state'), teamA);
    const held = await beside(['destroy', 'web', '--yes']);
    const elsewhere = await beside(['destroy', 'web', '--yes', '--state-dir', folder]);
    await lock.release();
    expect(held.code).toBe(7);
    expect(elsewhere.code).toBe(5);
  });
});

describe('a partition that a daemon has kept, which is not there', () => {
  const variables = () => ({ UNNEST_STATE_DIR: folder });
  beforeEach(() => mkdirSync(join(folder, teamA, 'accepted'), { recursive: true }));

  test.each([
    ['apply', '-f', '-', '--yes'],
    ['destroy', 'web', '--yes'],
  ])('is not changed behind its back by %s', async (...argv) => {
    const { code, stderr } = await alone(argv, { variables: variables() });
    expect({ code, stderr }).toEqual({
      code: 7,
      stderr: `error: unnestd keeps partition team-a and does not answer
  start it (\`systemctl start unnestd\`), or say --host qemu:///system if it is meant
`,
    });
  });

  test('is changed where somebody says that it is meant', async () => {
    const stateDir = { variables: variables() };
    expect((await alone(['apply', '-f', '-', '--host', onHost], stateDir)).code).toBe(0);
    const both = { variables: { ...variables(), UNNEST_HOST: onHost } };
    expect((await alone(['destroy', 'web', '--yes'], both)).code).toBe(0);
  });

  test('also counts where the socket of a daemon that died is left', async () => {
    await place.close();
    expect((await beside(['destroy', 'web'], { variables: variables() })).code).toBe(7);
  });
});

describe('doctor', () => {
  test('says whether unnestd answers, and takes its absence for no failure', async () => {
    const there = await beside(['doctor']);
    expect(there.code).toBe(0);
    expect(there.stdout).toContain('unnestd: version 1.2.3 answers on /run/unnest/operator.sock\n');
    expect(there.stdout).toContain('partitions: vCPUs promised: 4 of 24 (16, times 1.5); memory');
    place.sum = { ...place.sum, waiting: ['team-b' as PartitionName] };
    const warned = await beside(['doctor']);
    expect(warned.code).toBe(0);
    expect(warned.stdout).toMatch(/warning {2}partitions: .*the host has no room: team-b\n/);
    const none = await alone(['doctor', '-o', 'json']);
    const { checks } = JSON.parse(none.stdout) as { checks: { name: string }[] };
    expect(checks.at(-1)).toMatchObject({
      name: 'unnestd',
      status: 'warning',
      finding: 'unnestd does not run here: there is no /run/unnest/operator.sock',
    });
    await place.close();
    expect((await beside(['doctor'])).stdout).toContain('unnestd does not answer on');
    expect((await alone(['doctor', '--host', onHost])).stdout).not.toContain('unnestd');
  });
});
