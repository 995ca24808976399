/** What fails about a Volume or the network keeps those waiting that need it, and only those. */
import { expect, test } from 'vitest';
import { HostError } from '../../../src/host/host-error.ts';
import { partition } from '../../support/passes.ts';
import { onCall } from '../../support/simulation.ts';
import { secondaryText, virtualDaemon } from '../../support/virtual-daemon.ts';

const volume = `---\n${JSON.stringify({
  apiVersion: 'unnest.dev/v1',
  kind: 'Volume',
  metadata: { name: 'data' },
  spec: { size: '64MiB', format: 'raw' },
})}\n`;

test('a Volume that cannot be made is tried ever more seldom, then given up', async () => {
  const full = { kind: 'error', error: new HostError('Refused', 'no space') } as const;
  let isFull = true;
  const fails = onCall('volumes.create', full);
  const daemon = virtualDaemon({ rules: [(call) => (isFull ? fails(call) : null)] });
  const documents =
    secondaryText('db', { spec: { disks: [{ volume: 'data' }] } }) + secondaryText('web') + volume;
  await daemon.submit(documents);
  await daemon.advance(1000);
  expect(daemon.words('web')).toBe('Running Synced Healthy');
  await daemon.advance(3_600_000);
  const tries = daemon.writes.filter((each) => each.startsWith('volumes.create'));
  expect(tries).toHaveLength(5);
  expect(daemon.condition('GaveUp')).toMatch(/^True Failed volume\/data/);
  expect(daemon.condition('Blocked', 'db')).toMatch(
    /^True PartBlocked Volume data is blocked: GaveUp/,
  );
  expect(daemon.writes).not.toContain('start unnest.team-a.db');
  isFull = false;
  await daemon.control.retry(partition, 'uid 0');
  await daemon.advance(1000);
  expect(daemon.words('db')).toBe('Running Synced Healthy');
});
