/** Orders that come again with their key, in a whole daemon: answered again, and not done again. */
import { describe, expect, test } from 'vitest';
import type { OrderKey, PowerAction } from '../../../src/channel/control.ts';
import { answersMax } from '../../../src/daemon/accepted/wish-schema.ts';
import { partition } from '../../support/passes.ts';
import { runIdIn, writesOf } from '../../support/daemon-orders.ts';
import {
  secondaryNamed,
  secondaryText,
  virtualDaemon,
  type VirtualDaemon,
} from '../../support/virtual-daemon.ts';

const party = 'the Primary of team-a';
const keyed = (key: string, of = party): OrderKey => ({ key, party: of });

function order(daemon: VirtualDaemon, action: PowerAction, key: OrderKey | null, name = 'web') {
  return daemon.control.power(partition, secondaryNamed(name), action, 'uid 0', key);
}

async function running() {
  const daemon = virtualDaemon();
  await daemon.submit(secondaryText('web') + secondaryText('db'));
  await daemon.advance(10_000);
  return daemon;
}

const starts = (daemon: VirtualDaemon) => writesOf(daemon, 'start unnest.team-a.web').length;

describe('an order with a key', () => {
  test('is done once, and answered each time', async () => {
    const daemon = await running();
    const answer = await order(daemon, 'restart', keyed('a'));
    expect(answer).toEqual({ status: 'ok', message: 'web is to restart' });
    await daemon.advance(60_000);
    const run = runIdIn(daemon, 'web');
    expect(await order(daemon, 'restart', keyed('a'))).toEqual(answer);
    await daemon.advance(60_000);
    expect(runIdIn(daemon, 'web')).toBe(run);
    expect(starts(daemon)).toBe(2);
    // Without one, or with another, it is another order.
    await order(daemon, 'restart', null);
    await daemon.advance(60_000);
    await order(daemon, 'restart', keyed('b'));
    await daemon.advance(60_000);
    expect(starts(daemon)).toBe(4);
  });

  test('is known again by the next daemon, whatever became of the first', async () => {
    const daemon = await running();
    const answer = await order(daemon, 'restart', keyed('a'));
    await daemon.advance(60_000);
    const next = virtualDaemon({ runtime: daemon.crash({ losePower: true }), world: daemon.world });
    await next.advance(10_000);
    expect(await order(next, 'restart', keyed('a'))).toEqual(answer);
    await next.advance(60_000);
    expect(starts(next)).toBe(0);
  });

  test('that is still under way is waited for', async () => {
    const daemon = await running();
    const all = [1, 2, 3].map(() => order(daemon, 'restart', keyed('a')));
    const other = order(daemon, 'stop', keyed('a'));
    const [first, ...rest] = await Promise.all(all);
    expect(rest).toEqual([first, first]);
    expect(await other).toMatchObject({ code: 'KeyReused' });
    const { writes } = daemon.runtime.files;
    await daemon.advance(60_000);
    expect(starts(daemon)).toBe(2);
    expect(daemon.runtime.files.writes).toBeGreaterThan(writes);
  });

  test.each([
    ['another action', 'start', 'web'],
    ['another Secondary', 'restart', 'db'],
  ] as const)('is refused for %s, and nothing is done', async (_, action, name) => {
    const daemon = await running();
    await order(daemon, 'restart', keyed('a'));
    await daemon.advance(60_000);
    const { length } = daemon.writes;
    expect(await order(daemon, action, keyed('a'), name)).toMatchObject({
      status: 'refused',
      code: 'KeyReused',
    });
    await daemon.advance(60_000);
    expect(daemon.writes).toHaveLength(length);
  });

  test('is that of who gives it: of another it is another order', async () => {
    const daemon = await running();
    await order(daemon, 'restart', keyed('a'));
    await daemon.advance(60_000);
    await order(daemon, 'restart', keyed('a', 'uid 1000'));
    await daemon.advance(60_000);
    expect(starts(daemon)).toBe(3);
  });

  test('that was refused has done nothing, and is judged anew', async () => {
    const daemon = await running();
    expect(await order(daemon, 'stop', keyed('a'))).toMatchObject({ code: 'RunPolicy' });
    await daemon.submit(secondaryText('web', { spec: { runPolicy: 'Manual' } }));
    await daemon.advance(60_000);
    expect(await order(daemon, 'stop', keyed('a'))).toMatchObject({ status: 'ok' });
  });

  test('is forgotten after an hour', async () => {
    const daemon = await running();
    await order(daemon, 'restart', keyed('a'));
    await daemon.advance(3_601_000);
    await order(daemon, 'restart', keyed('a'));
    await daemon.advance(60_000);
    expect(starts(daemon)).toBe(3);
  });

  test('is forgotten after many others of the same, and never for those of another', async () => {
    const daemon = await running();
    await order(daemon, 'restart', keyed('mine'));
    await order(daemon, 'restart', keyed('first', 'uid 1000'));
    for (let n = 0; n < answersMax.ofParty; n += 1) {
      await order(daemon, 'restart', keyed(`${n}`, 'uid 1000'));
    }
    expect(await order(daemon, 'start', keyed('mine'))).toMatchObject({ code: 'KeyReused' });
    expect(await order(daemon, 'start', keyed('0', 'uid 1000'))).toMatchObject({
      code: 'KeyReused',
    });
    expect(await order(daemon, 'start', keyed('first', 'uid 1000'))).toMatchObject({
      status: 'ok',
    });
  });
});
