/**
 * The daemon killed at some moment of an apply, and told to end: what ran goes on, and the next one
 * brings the rest about (invariant 5).
 */
import { existsSync } from 'node:fs';
import { describe, expect, test, type TestContext } from 'vitest';
import { idleDocument } from '../../support/cli.ts';
import { daemonPlace, type RealDaemon } from '../../support/daemon.ts';
import { statusOf, synced } from '../../support/daemon-says.ts';
import { domainsOf } from '../../support/partition-domains.ts';
import { until } from '../../support/until.ts';
import { descendantsOf, isAlive } from '../../support/processes.ts';

function setup({ onTestFinished }: TestContext, partition: string) {
  const place = daemonPlace();
  onTestFinished(() => place.dispose());
  place.describe(partition);
  const write = (names: readonly string[]) =>
    place.write(partition, names.map((name) => idleDocument(name)).join(''));
  return {
    place,
    write,
    running: async () => (await domainsOf(partition)).filter((line) => line.endsWith(' running')),
  };
}

const lines = (event: string) => (daemon: RealDaemon) => daemon.lines(event).length;
const operations = lines('operation-finished');

/** Of an apply of three more guests, which is six operations. */
const moments: readonly (readonly [string, string, (daemon: RealDaemon) => number, number])[] = [
  ['when documents are accepted', 'ended-a', lines('submission-accepted'), 1],
  ['when the pass begins', 'ended-b', lines('pass-started'), 1],
  ['after an operation', 'ended-c', operations, 1],
  ['after three operations', 'ended-d', operations, 3],
  ['after five operations', 'ended-e', operations, 5],
];

describe.concurrent('a daemon', { timeout: 300_000 }, () => {
  test.for(moments)('killed %s: the next one converges', async (moment, context) => {
    const [, partition, count, more] = moment;
    const { place, write, running } = setup(context, partition);
    write(['a']);
    const killed = await place.start();
    await synced(killed, partition, ['a']);
    const before = count(killed);
    write(['a', 'b', 'c', 'd']);
    await until('it is the moment', () => count(killed) >= before + more);
    const workers = descendantsOf(killed.pid);
    expect(await killed.end('SIGKILL')).toBeNull();
    await until('its workers have ended', () => !workers.some(isAlive));
    const survivors = await running();
    expect(survivors.length).toBeGreaterThan(0);
    await synced(await place.start(), partition, ['a', 'b', 'c', 'd']);
    const after = await running();
    expect(after.map((line) => line.split(' ')[0])).toEqual(['a', 'b', 'c', 'd']);
    expect(after).toEqual(expect.arrayContaining([...survivors]));
    expect(await domainsOf(partition)).toEqual(after);
  });

  test('told to end: in order; the next one leaves guests alone', async (context) => {
    const { place, write } = setup(context, 'ended-f');
    write(['a', 'b']);
    const daemon = await place.start();
    await synced(daemon, 'ended-f', ['a', 'b']);
    const before = await domainsOf('ended-f');
    expect(await daemon.end('SIGTERM')).toBe(0);
    const events = daemon.lines().map(({ event }) => event);
    const stopping = events.indexOf('daemon-stopping');
    expect(events.filter((event) => event === 'daemon-stopping')).toHaveLength(1);
    expect(events.slice(stopping)).not.toContain('operation-finished');
    const sockets = ['operator.sock', 'metrics.sock'].map((name) => place.at(`run/${name}`));
    expect(sockets.filter((path) => existsSync(path))).toEqual([]);
    expect(await domainsOf('ended-f')).toEqual(before);
    const next = await place.start();
    await synced(next, 'ended-f', ['a', 'b']);
    expect(operations(next)).toBe(0);
    expect(await domainsOf('ended-f')).toEqual(before);
    expect(await statusOf(next, 'ended-f')).toMatchObject({ generation: 1 });
  });

  test('told to end in the middle of an apply: what is under way is finished', async (context) => {
    const names = 'abcdefghijklmnop'.split('');
    const { place, write, running } = setup(context, 'ended-g');
    write(names);
    const daemon = await place.start();
    await until('guests are being started', () => operations(daemon) > names.length);
    expect(await daemon.end('SIGTERM')).toBe(0);
    const before = await running();
    expect(before.map((line) => line.split(' ')[0])).toEqual(startedBy(daemon));
    expect(before.length).toBeLessThan(names.length);
    await synced(await place.start(), 'ended-g', names);
    expect(await running()).toEqual(expect.arrayContaining([...before]));
    expect(await running()).toHaveLength(names.length);
  });
});

function startedBy(daemon: RealDaemon): readonly string[] {
  return daemon
    .lines('operation-finished')
    .filter(({ operation, outcome }) => operation === 'domain.start' && outcome === 'applied')
    .map(({ resource }) => (resource as { readonly name: string }).name)
    .sort();
}
