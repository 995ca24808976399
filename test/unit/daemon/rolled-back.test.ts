/** A rollback of a partition that a folder rules holds until somebody changes the folder. */
import { describe, expect, test } from 'vitest';
import { partition } from '../../support/passes.ts';
import { folder } from '../../support/daemon-orders.ts';
import { secondaryText, virtualDaemon, type VirtualDaemon } from '../../support/virtual-daemon.ts';

const db = `${folder}/db.yaml`;

/** The folder holds `web` alone, and `web` with `db` is in force again. */
async function rolledBack(): Promise<VirtualDaemon> {
  const daemon = virtualDaemon({ source: 'Directory' });
  daemon.runtime.disk.write(`${folder}/web.yaml`, secondaryText('web'));
  daemon.runtime.disk.write(db, secondaryText('db'));
  await daemon.advance(5000);
  const { generation } = daemon.status();
  daemon.runtime.disk.remove(db);
  await daemon.advance(60_000);
  expect(daemon.words('db')).toBe('absent');
  const result = await daemon.control.rollback(
    partition,
    { generation, ifGeneration: null },
    'uid 0',
  );
  expect(result).toMatchObject({ status: 'accepted', bundle: { rollbackOf: generation } });
  await daemon.advance(5000);
  expect(daemon.words('db')).toBe('Running Synced Healthy');
  return daemon;
}

describe('what was rolled back', () => {
  test('does not come back with the next look at the folder', async () => {
    const daemon = await rolledBack();
    await daemon.advance(3_600_000);
    expect(daemon.words('db')).toBe('Running Synced Healthy');
    expect(daemon.condition('DocumentsValid')).toMatch(/^False RolledBack the folder still holds/);
  });

  test('does not come back with the next start of the daemon', async () => {
    const first = await rolledBack();
    const runtime = first.crash();
    const second = virtualDaemon({ source: 'Directory', runtime, world: first.world });
    await second.advance(600_000);
    expect(second.words('db')).toBe('Running Synced Healthy');
    expect(second.writes).toEqual([]);
  });

  test('gives way to a change of the folder', async () => {
    const daemon = await rolledBack();
    daemon.runtime.disk.write(`${folder}/app.yaml`, secondaryText('app'));
    await daemon.advance(60_000);
    expect(daemon.words('app')).toBe('Running Synced Healthy');
    expect(daemon.words('db')).toBe('absent');
    expect(daemon.condition('DocumentsValid')).toBe('True Valid');
  });

  test('is forgotten when the folder is as what is in force', async () => {
    const daemon = await rolledBack();
    daemon.runtime.disk.write(db, secondaryText('db'));
    await daemon.advance(10_000);
    expect(daemon.condition('DocumentsValid')).toBe('True Valid');
    daemon.runtime.disk.remove(db);
    await daemon.advance(600_000);
    expect(daemon.words('db')).toBe('absent');
  });
});
