/** What the service manager is told, and that a daemon which stands still tells nothing. */
import { describe, expect, test } from 'vitest';
import { notifier } from '../../../../src/daemon/watching/notify.ts';
import { virtualRuntime } from '../../../support/virtual-runtime.ts';

function opened(watchdogMs: number | null) {
  const runtime = virtualRuntime();
  const sent: string[] = [];
  const life = { isAlive: true };
  const target = {
    send: async (lines: readonly string[]) => void sent.push(lines.join('\n')),
    watchdogMs,
  };
  const made = notifier(target, runtime.timers, () => life.isAlive);
  return { runtime, sent, life, notifier: made };
}

describe('the service manager is told', () => {
  test('when we are ready, what we do, and when we stop', async () => {
    const { sent, notifier: told } = opened(null);
    await told.ready('2 partitions');
    await told.status('3 partitions');
    await told.stopping();
    expect(sent).toEqual([
      'READY=1\nSTATUS=2 partitions',
      'STATUS=3 partitions',
      'STOPPING=1\nSTATUS=stopping',
    ]);
  });

  test('in one line, whatever is in it', async () => {
    const { sent, notifier: told } = opened(null);
    await told.status(`a\nMAINPID=1\u0000${'x'.repeat(1000)}`);
    expect(sent[0]).toMatch(/^STATUS=a MAINPID=1 x+$/);
    expect(sent[0]?.length).toBeLessThan(300);
  });

  test('that we live, twice in the time that it waits', async () => {
    const { runtime, sent, notifier: told } = opened(30_000);
    await runtime.advance(60_000);
    expect(sent).toEqual(Array.from({ length: 5 }, () => 'WATCHDOG=1'));
    told.close();
    await runtime.advance(60_000);
    expect(sent).toHaveLength(5);
  });

  test('nothing while the loop stands still, and again once it goes on', async () => {
    const { runtime, sent, life } = opened(30_000);
    life.isAlive = false;
    await runtime.advance(45_000);
    expect(sent).toHaveLength(1);
    life.isAlive = true;
    await runtime.advance(15_000);
    expect(sent).toHaveLength(2);
  });

  test('where nobody wants to be told, nothing happens', async () => {
    const { timers } = virtualRuntime();
    const told = notifier(null, timers, () => true);
    await expect(told.ready('')).resolves.toBeUndefined();
    await expect(told.stopping()).resolves.toBeUndefined();
    told.close();
  });
});
