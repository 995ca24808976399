/** Log lines: one of JSON per event, with a constant message, bounded, and never the daemon's end. */
import { describe, expect, test } from 'vitest';
import { type LogDestination, openLog } from '../../../../src/daemon/watching/log.ts';
import { type LogLevel, logLineOf } from '../../../../src/daemon/watching/log-lines.ts';
import type { DaemonEvent } from '../../../../src/report/event.ts';
import { everyEvent, partition } from './every-event.ts';

const clock = { wall: () => Date.parse('2026-01-02T03:04:05.678Z') };

function opened(level: LogLevel = 'debug', write?: LogDestination['write']) {
  const lines: string[] = [];
  const log = openLog({ write: write ?? ((line) => void lines.push(line)) }, level, clock);
  let seq = 0;
  const record = (event: DaemonEvent) => {
    seq += 1;
    log.record({ seq, at: '2026-01-02T03:04:05.000Z', event });
  };
  const parsed = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log, record, lines, parsed };
}

describe('the log', () => {
  test('has one line of JSON for each event, with its time, level, number and fields', () => {
    const { record, lines, parsed } = opened();
    record(everyEvent['operation-finished']);
    expect(lines[0]?.endsWith('}\n')).toBe(true);
    expect(parsed()).toEqual([
      {
        level: 'info',
        time: '2026-01-02T03:04:05.678Z',
        seq: 1,
        event: 'operation-finished',
        partition: 'team-a',
        operation: 'domain.start',
        resource: { kind: 'secondary', name: 'web' },
        outcome: 'applied',
        durationMs: 12,
        detail: '',
        msg: 'an operation has finished',
      },
    ]);
  });

  test('has a message of its own for each kind, the same whatever is in the event', () => {
    const events = Object.values(everyEvent);
    const messages = events.map((event) => logLineOf(event).message);
    expect(new Set(messages).size).toBe(events.length);
    const { record, parsed } = opened();
    for (const event of events) record(event);
    expect(parsed().map(({ event, msg }) => [event, msg])).toEqual(
      events.map((event, index) => [event.kind, messages[index]]),
    );
  });

  test('tells how grave an event is', () => {
    const finished = everyEvent['pass-finished'];
    const levels = [
      everyEvent['pass-started'],
      { ...finished, operations: 0 },
      finished,
      { ...finished, failed: 1 },
      everyEvent['pass-failed'],
      { ...everyEvent['operation-finished'], outcome: 'failed' } as const,
    ].map((event) => logLineOf(event).level);
    expect(levels).toEqual(['debug', 'debug', 'info', 'warn', 'error', 'warn']);
  });

  test('leaves out what is less grave than asked for', () => {
    const { record, parsed } = opened('warn');
    for (const event of Object.values(everyEvent)) record(event);
    expect(new Set(parsed().map(({ level }) => level))).toEqual(new Set(['warn', 'error']));
  });

  test('cuts what is long and takes the power from what a terminal would obey', () => {
    const { record, lines, parsed } = opened();
    const message = `\u009b31m\u001b[2J\u202e${'x'.repeat(100_000)}\nlevel=forged`;
    record({ kind: 'worker-failed', partition, code: 'Died', message });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.length).toBeLessThan(2000);
    // oxlint-disable-next-line no-control-regex -- control characters are what this is about
    expect(lines[0]).not.toMatch(/[\u007f-\u009f\u202e\u001b]|\n./u);
    expect(parsed()[0]).toMatchObject({
      code: 'Died',
      msg: logLineOf(everyEvent['worker-failed']).message,
    });
  });

  test('bounds lists too', () => {
    const { record, parsed } = opened();
    const because = Array.from({ length: 1000 }, () => 'resync' as const);
    record({ kind: 'pass-started', partition, because });
    expect(parsed()[0]?.['because']).toHaveLength(32);
  });

  test('outlives a destination that fails, and says how many lines were lost', () => {
    let isFull = true;
    const lines: string[] = [];
    const { record } = opened('debug', (line) => {
      if (isFull) throw new Error('ENOSPC');
      lines.push(line);
    });
    record(everyEvent['host-lost']);
    record(everyEvent['host-back']);
    isFull = false;
    record(everyEvent['partition-added']);
    record(everyEvent['partition-removed']);
    expect(lines.map((line) => (JSON.parse(line) as { linesLost?: number }).linesLost)).toEqual([
      2,
      undefined,
    ]);
  });

  test('tells of a bug with its trace', () => {
    const { log, parsed } = opened();
    log.bug(new Error('what nobody thought of'));
    expect(parsed()[0]).toMatchObject({ level: 'error', msg: 'a bug was survived' });
    expect(String(parsed()[0]?.['trace'])).toContain('what nobody thought of');
  });
});
