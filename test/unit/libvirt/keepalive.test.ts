import { describe, expect, test } from 'vitest';
import { Keepalive, pingPacket, pongPacket } from '../../../src/libvirt/keepalive.ts';
import { ManualTimers } from './manual-timers.ts';

function start() {
  const timers = new ManualTimers();
  const log: string[] = [];
  const keepalive = new Keepalive(
    { intervalMs: 100, countMax: 2 },
    timers,
    () => log.push('ping'),
    () => log.push('expired'),
  );
  return { timers, log, keepalive };
}

describe('Keepalive', () => {
  test('is silent as long as bytes come in', () => {
    const { timers, log, keepalive } = start();
    for (let turn = 0; turn < 10; turn += 1) {
      keepalive.heard();
      timers.advance(100);
    }
    expect(log).toEqual([]);
  });

  test('pings into silence, and gives up after as many pings as allowed', () => {
    const { timers, log } = start();
    timers.advance(300);
    expect(log).toEqual(['ping', 'ping']);
    timers.advance(100);
    expect(log).toEqual(['ping', 'ping', 'expired']);
    timers.advance(1000);
    expect(log).toEqual(['ping', 'ping', 'expired']);
  });

  test('begins to count anew at any sign of life', () => {
    const { timers, log, keepalive } = start();
    timers.advance(300);
    keepalive.heard();
    timers.advance(300);
    expect(log).toEqual(['ping', 'ping', 'ping', 'ping']);
  });

  test('leaves no timer behind', () => {
    const { timers, keepalive } = start();
    keepalive.stop();
    expect(timers.delaysMs).toEqual([]);
  });

  test('sends the two packets of the keepalive program', () => {
    expect(pingPacket.toString('hex')).toBe(
      '0000001c6b6565700000000100000001000000020000000000000000',
    );
    expect(pongPacket.toString('hex')).toBe(
      '0000001c6b6565700000000100000002000000020000000000000000',
    );
  });
});
