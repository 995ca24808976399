/** A partition whose documents are files on the host: invariant 6, seen from the outside. */
import { describe, expect, test } from 'vitest';
import { desiredStateDir, secondaryText, virtualDaemon } from '../../support/virtual-daemon.ts';
import { partition } from '../../support/passes.ts';

const folder = `${desiredStateDir}/${partition}`;
const web = `${folder}/web.yaml`;
const db = `${folder}/db.yaml`;

async function daemonWithTwo() {
  const daemon = virtualDaemon({ source: 'Directory' });
  daemon.runtime.disk.write(web, secondaryText('web'));
  daemon.runtime.disk.write(db, secondaryText('db'));
  await daemon.advance(5000);
  expect([daemon.words('web'), daemon.words('db')]).toEqual([
    'Running Synced Healthy',
    'Running Synced Healthy',
  ]);
  return daemon;
}

describe('files of a partition', () => {
  test('that come are made real at once', async () => {
    const daemon = await daemonWithTwo();
    daemon.runtime.disk.replace(`${folder}/new.yaml`, secondaryText('new'));
    await daemon.advance(500);
    expect(daemon.words('new')).toBe('Running Synced Healthy');
  });

  test('that are half-written and valid are not acted on', async () => {
    const daemon = await daemonWithTwo();
    const web = secondaryText('web', { spec: { updatePolicy: 'Restart', vcpus: 2 } });
    const idle = secondaryText('idle', { spec: { runPolicy: 'Halted' } });
    daemon.runtime.disk.write(`${folder}/web.yaml`, web);
    daemon.runtime.disk.write(`${folder}/idle.yaml`, idle);
    await daemon.advance(10_000);
    const { length } = daemon.writes;
    daemon.runtime.disk.write(
      `${folder}/web.yaml`,
      secondaryText('web', { spec: { updatePolicy: 'Restart' } }),
    );
    daemon.runtime.disk.write(`${folder}/idle.yaml`, secondaryText('idle'));
    await daemon.advance(1000);
    daemon.runtime.disk.write(`${folder}/web.yaml`, web);
    daemon.runtime.disk.write(`${folder}/idle.yaml`, idle);
    await daemon.advance(60_000);
    expect(daemon.writes.slice(length)).toEqual([]);
  });

  test('that are half-written while a link beside them is swapped delete nothing', async () => {
    const daemon = await daemonWithTwo();
    const whole = `${secondaryText('one')}---\n${secondaryText('two')}`;
    daemon.runtime.disk.write(`${folder}/many.yaml`, whole);
    daemon.runtime.disk.folder(`${folder}/.v1`);
    daemon.runtime.disk.folder(`${folder}/.v2`);
    daemon.runtime.disk.link(`${folder}/sub`, '.v1');
    await daemon.advance(10_000);
    expect(daemon.words('two')).toBe('Running Synced Healthy');
    const { length } = daemon.writes;
    daemon.runtime.disk.link(`${folder}/sub`, '.v2');
    daemon.runtime.disk.write(`${folder}/many.yaml`, secondaryText('one'));
    await daemon.advance(1000);
    daemon.runtime.disk.write(`${folder}/many.yaml`, whole);
    await daemon.advance(60_000);
    expect(daemon.writes.slice(length)).toEqual([]);
  });

  test('that go are missed only when nothing has changed for two seconds', async () => {
    const daemon = await daemonWithTwo();
    daemon.runtime.disk.remove(db);
    await daemon.advance(1900);
    expect(daemon.words('db')).toBe('Running Synced Healthy');
    await daemon.advance(60_000);
    expect(daemon.words('db')).toBe('absent');
    expect(daemon.words('web')).toBe('Running Synced Healthy');
  });

  test('that come back within two seconds were never gone', async () => {
    const daemon = await daemonWithTwo();
    const { generation } = daemon.status();
    daemon.runtime.disk.remove(db);
    await daemon.advance(1500);
    daemon.runtime.disk.write(db, secondaryText('db'));
    await daemon.advance(60_000);
    expect(daemon.status().generation).toBe(generation);
    expect(daemon.words('db')).toBe('Running Synced Healthy');
  });

  test('that are truncated for a moment change nothing and are not complained of', async () => {
    const daemon = await daemonWithTwo();
    daemon.runtime.disk.write(db, secondaryText('db').slice(0, 40));
    await daemon.advance(1000);
    expect(daemon.condition('DocumentsValid')).toBe('True Valid');
    daemon.runtime.disk.write(db, secondaryText('db'));
    await daemon.advance(60_000);
    expect(daemon.words('db')).toBe('Running Synced Healthy');
    expect(daemon.events.some(({ kind }) => kind === 'submission-refused')).toBe(false);
  });

  test('that stay broken leave everything as it is, and it is said where', async () => {
    const daemon = await daemonWithTwo();
    daemon.runtime.disk.write(db, 'kind: [');
    await daemon.advance(60_000);
    expect(daemon.condition('DocumentsValid')).toMatch(
      /^False Invalid db\.yaml:1:\d+: InvalidYaml/,
    );
    expect(daemon.words('db')).toBe('Running Synced Healthy');
    daemon.runtime.disk.write(db, secondaryText('db'));
    await daemon.advance(60_000);
    expect(daemon.condition('DocumentsValid')).toBe('True Valid');
  });

  test('of which none is left delete nothing', async () => {
    const daemon = await daemonWithTwo();
    daemon.runtime.disk.remove(db);
    daemon.runtime.disk.remove(web);
    await daemon.advance(600_000);
    expect(daemon.words('db')).toBe('Running Blocked Healthy');
    expect(daemon.condition('Blocked', 'db')).toMatch(/^True DeletesEverything/);
  });

  test('that are others than all there is make nothing and delete nothing', async () => {
    const daemon = await daemonWithTwo();
    daemon.runtime.disk.remove(db);
    daemon.runtime.disk.remove(web);
    daemon.runtime.disk.write(`${folder}/other.yaml`, secondaryText('other'));
    await daemon.advance(3_600_000);
    expect(daemon.words('web')).toBe('Running Blocked Healthy');
    expect(daemon.words('other')).toBe('Blocked Blocked Degraded');
    daemon.runtime.disk.write(web, secondaryText('web'));
    await daemon.advance(60_000);
    expect(daemon.words('other')).toBe('Running Synced Healthy');
    expect(daemon.words('db')).toBe('absent');
  });

  test('whose folder is gone delete nothing, and it is said', async () => {
    const daemon = await daemonWithTwo();
    daemon.runtime.disk.remove(folder);
    await daemon.advance(600_000);
    expect(daemon.condition('DocumentsValid')).toMatch(/^Unknown Missing/);
    expect(daemon.words('db')).toBe('Running Synced Healthy');
    daemon.runtime.disk.write(web, secondaryText('web'));
    await daemon.advance(60_000);
    expect(daemon.words('db')).toBe('absent');
  });

  test('are not asked once another source rules', async () => {
    const daemon = await daemonWithTwo();
    daemon.describe('Apply');
    await daemon.advance(5000);
    daemon.runtime.disk.remove(db);
    await daemon.advance(600_000);
    expect(daemon.words('db')).toBe('Running Synced Healthy');
    expect(await daemon.submit(secondaryText('web'))).toMatchObject({ status: 'accepted' });
  });

  test('that change all the time leave a quiet partition in peace', async () => {
    const daemon = virtualDaemon({ source: 'Directory', partitions: [partition, 'quiet'] });
    daemon.runtime.disk.write(web, secondaryText('web'));
    daemon.runtime.disk.write(`${desiredStateDir}/quiet/one.yaml`, secondaryText('one'));
    await daemon.advance(5000);
    const passesOf = (name: string) =>
      daemon.events.filter((each) => each.kind === 'pass-started' && each.partition === name)
        .length;
    const before = passesOf('quiet');
    for (let count = 0; count < 2000; count += 1) {
      daemon.runtime.disk.write(
        web,
        secondaryText('web', { spec: { labels: undefined, vcpus: 1 + (count % 3) } }),
      );
      await daemon.runtime.time.advance(1);
    }
    expect(passesOf('quiet')).toBe(before);
    await daemon.advance(10_000);
    expect(daemon.status().sync).toBe('OutOfSync');
    expect(daemon.condition('RestartRequired', 'web')).toMatch(/^True/);
    expect(passesOf(partition)).toBeLessThan(100);
  });
});
