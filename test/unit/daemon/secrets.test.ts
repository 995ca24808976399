/** What a guest is told at its first boot is kept with the documents, and told to nobody else. */
import { expect, test } from 'vitest';
import { HostError } from '../../../src/host/host-error.ts';
import type { FaultRule } from '../../../src/host/simulated/faults.ts';
import { logLineOf } from '../../../src/daemon/watching/log-lines.ts';
import { onCall } from '../../support/simulation.ts';
import { secondaryText, virtualDaemon } from '../../support/virtual-daemon.ts';

const secret = 'hunter2';
const told = (userData: string) =>
  secondaryText('web', { spec: { updatePolicy: 'Restart', cloudInit: { userData } } });

test('no status, event or line of the log has it, whatever fails', async () => {
  let isBroken = true;
  const error = new HostError('Unreachable', 'the disk is full');
  const rule = onCall('seeds.create', { kind: 'error', error });
  const rules: readonly FaultRule[] = [(call) => (isBroken ? rule(call) : null)];
  const daemon = virtualDaemon({ rules });
  expect(await daemon.submit(told(secret))).toMatchObject({ status: 'accepted' });
  await daemon.advance(10_000);
  expect(JSON.stringify(daemon.status())).toContain('the disk is full');
  isBroken = false;
  await daemon.advance(600_000);
  expect(daemon.words('web')).toBe('Running Synced Healthy');
  await daemon.submit(told(`${secret} and more`));
  await daemon.advance(60_000);
  expect(await daemon.submit(told(secret).replace('userData', 'userdata'))).toMatchObject({
    status: 'refused',
  });
  expect(await daemon.submit(told(`${secret}${'x'.repeat(70_000)}`))).toMatchObject({
    status: 'refused',
  });
  await daemon.advance(60_000);
  const said = [
    daemon.statuses,
    daemon.events,
    daemon.events.map((event) => logLineOf(event)),
    [...daemon.world.seeds.values()].flatMap((seeds) => [...seeds]),
    daemon.writes,
  ];
  expect(JSON.stringify(said)).not.toContain(secret);
  // Of two, the first went with its last user.
  expect([...daemon.world.seeds.values()].flatMap((seeds) => [...seeds.keys()])).toHaveLength(1);
});
