/** A folder of documents in trouble, put in place as a whole, and one that never rests. */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, type TestContext } from 'vitest';
import type { ConditionStatus } from '../../../src/report/condition.ts';
import type { PartitionStatus } from '../../../src/report/partition-status.ts';
import { idleDocument } from '../../support/cli.ts';
import { daemonPlace, type DaemonPlace, type RealDaemon } from '../../support/daemon.ts';
import { condition, statusOf, synced } from '../../support/daemon-says.ts';
import { domainsOf } from '../../support/partition-domains.ts';
import { until } from '../../support/until.ts';

function setup({ onTestFinished }: TestContext, ...partitions: readonly string[]): DaemonPlace {
  const place = daemonPlace();
  onTestFinished(() => place.dispose());
  for (const partition of partitions) place.describe(partition);
  return place;
}

/** What is put where the folder was. */
const stands: readonly (readonly [string, string, (path: string) => void])[] = [
  ['nothing', 'folder-a', () => undefined],
  ['a file', 'folder-b', (path) => writeFileSync(path, 'not a folder')],
  ['a link that leads nowhere', 'folder-c', (path) => symlinkSync('/nowhere/at/all', path)],
];

/** What git-sync does: another checkout beside the last one, and a link that then leads to it. */
function checkOut(link: string, checkout: string, documents: readonly string[]): void {
  const folder = join(dirname(link), `.${checkout}`);
  mkdirSync(folder, { recursive: true });
  for (const each of documents) writeFileSync(join(folder, `${each}.yaml`), idleDocument(each));
  symlinkSync(`.${checkout}`, `${link}.new`);
  renameSync(`${link}.new`, link);
}

function addDisks(place: DaemonPlace, partition: string, names: readonly string[]): void {
  for (const name of names) {
    writeFileSync(place.at(`state/${partition}/files/${name}.img`), Buffer.alloc(2 ** 20));
  }
}

const documentsAccepted = (daemon: RealDaemon) =>
  daemon.lines('submission-accepted').map(({ documents }) => documents);

describe.concurrent('a folder', () => {
  test.for(stands)(
    'in whose place there is %s: said, and nothing is done',
    async (given, context) => {
      const [, name, stand] = given;
      expect(await standsIn(setup(context, name), name, stand)).toBe('True');
    },
  );

  test('that is a link is taken as a whole when the link is moved', async (context) => {
    const place = setup(context, 'git');
    addDisks(place, 'git', ['a', 'b', 'c']);
    rmSync(place.at('desired/git'), { recursive: true });
    checkOut(place.at('desired/git'), 'first', ['a', 'b']);
    const daemon = await place.start();
    await synced(daemon, 'git', ['a', 'b']);
    const [, b] = await domainsOf('git');
    checkOut(place.at('desired/git'), 'second', ['b', 'c']);
    await synced(daemon, 'git', ['b', 'c']);
    // Of two that were written one after the other, the first may have settled before the second.
    expect(documentsAccepted(daemon).join(' ')).toMatch(/^(1 )?2 2$/);
    expect(await domainsOf('git')).toEqual([b, expect.stringMatching(/^c \d+ running$/)]);
  });

  test('that has a link: also when that is moved, half of it is never taken for all', async (context) => {
    const place = setup(context, 'link');
    addDisks(place, 'link', ['a', 'b', 'c']);
    checkOut(place.at('desired/link/current'), 'first', ['a', 'b']);
    const daemon = await place.start();
    await synced(daemon, 'link', ['a', 'b']);
    const [, b] = await domainsOf('link');
    checkOut(place.at('desired/link/current'), 'second', ['b', 'c']);
    await synced(daemon, 'link', ['b', 'c']);
    // Both together, before they are told apart, or not; never a half of either.
    expect(documentsAccepted(daemon).join(' ')).toMatch(/^(1 )?2 (3 )?2$/);
    expect(await domainsOf('link')).toEqual([b, expect.stringMatching(/^c \d+ running$/)]);
  });
});

/** @returns whether the documents are valid in the end */
async function standsIn(
  place: DaemonPlace,
  name: string,
  stand: (path: string) => void,
): Promise<ConditionStatus | undefined> {
  place.write(name, idleDocument('a'));
  addDisks(place, name, ['b']);
  const daemon = await place.start();
  await synced(daemon, name, ['a']);
  const before = await domainsOf(name);
  const folder = place.at(`desired/${name}`);
  renameSync(folder, place.at('aside'));
  stand(folder);
  const said = (seen: PartitionStatus | null) => condition(seen, 'DocumentsValid')?.status;
  const status = await until(
    'it is said',
    () => statusOf(daemon, name),
    (seen) => said(seen) === 'Unknown',
  );
  expect(status).toMatchObject({ generation: 1, sync: 'Synced' });
  expect(await domainsOf(name)).toEqual(before);
  rmSync(folder, { force: true });
  writeFileSync(place.at('aside/b.yaml'), idleDocument('b'));
  renameSync(place.at('aside'), folder);
  await synced(daemon, name, ['a', 'b']);
  expect(await domainsOf(name)).toContain(before[0]);
  return said(await statusOf(daemon, name));
}

const passesOf = (daemon: RealDaemon, partition: string) =>
  daemon.lines('pass-started').filter((line) => line['partition'] === partition).length;

/** Writes another document many times a second until it is told to end. @returns how many */
async function makeNoise(place: DaemonPlace, signal: AbortSignal): Promise<number> {
  const texts = ['Halted', 'Manual'].map((each) => idleDocument('n', [`runPolicy: ${each}`]));
  const at = (file: string) => place.at(`desired/noisy/${file}`);
  let count = 0;
  for (; !signal.aborted; count += 1) {
    // Without its disk, which is there by now, and a thousand times as much to write.
    writeFileSync(at('.new'), texts[count % 2] ?? '');
    renameSync(at('.new'), at('all.yaml'));
    // With moments in which it can be read.
    await sleep(20);
  }
  return count;
}

test('one whose files change all the time keeps no quiet one waiting', async (context) => {
  const place = setup(context, 'noisy');
  place.write('noisy', idleDocument('n', ['runPolicy: Halted']));
  const daemon = await place.start();
  await synced(daemon, 'noisy', ['n']);
  place.describe('quiet');
  place.write('quiet', idleDocument('q', ['runPolicy: Halted']));
  await synced(daemon, 'quiet', ['q']);
  const writing = new AbortController();
  const noise = makeNoise(place, writing.signal);
  await sleep(5000);
  const passes = () => ['noisy', 'quiet'].map((each) => passesOf(daemon, each));
  const before = passes();
  const startedMs = performance.now();
  place.write('quiet', idleDocument('q') + idleDocument('r'));
  await synced(daemon, 'quiet', ['q', 'r']);
  const during = passes().map((count, index) => count - (before[index] ?? 0));
  const secondsTaken = (performance.now() - startedMs) / 1000;
  await sleep(5000);
  writing.abort();
  expect(await noise).toBeGreaterThan(100);
  // A few at once and then one every two seconds, however much is written.
  expect(during[0]).toBeLessThanOrEqual(10 + 2 * secondsTaken);
  expect(during[1]).toBeLessThanOrEqual(8);
  place.write('noisy', idleDocument('n'));
  await until(
    'it runs',
    () => domainsOf('noisy'),
    ([line]) => line?.endsWith('running') === true,
  );
  // Some hundreds of changes are some tens of bundles.
  expect(daemon.lines('submission-accepted').length).toBeLessThan(100);
  expect(await daemon.metrics()).toMatch(/^unnest_pass_duration_seconds_count \d+$/m);
}, 300_000);
