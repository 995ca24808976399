/** The installation's id is nobody's thing, and failing to record it is tried again all the same. */
import { expect, test } from 'vitest';
import { HostError } from '../../../src/host/host-error.ts';
import { onCall, worldOf } from '../../support/simulation.ts';
import { secondaryText, virtualDaemon } from '../../support/virtual-daemon.ts';

test('an id that could not be recorded is recorded soon', async () => {
  let isFull = true;
  const fails = onCall('installation.record', {
    kind: 'error',
    error: new HostError('Refused', 'no space'),
  });
  const daemon = virtualDaemon({
    world: worldOf({ files: ['vmlinuz'], recorded: false }),
    rules: [(call) => (isFull ? fails(call) : null)],
  });
  await daemon.submit(secondaryText('web'));
  await daemon.advance(1000);
  expect(daemon.words('web')).toBe('Pending OutOfSync Progressing');
  isFull = false;
  await daemon.advance(10_000);
  expect(daemon.words('web')).toBe('Running Synced Healthy');
});
