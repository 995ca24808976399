/** The ring of events: what is kept, in which order it is told, and that no listener harms another. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventLog } from '../../../../src/daemon/watching/event-log.ts';
import type { DaemonEvent, EventRecord } from '../../../../src/report/event.ts';

const at = Date.parse('2026-01-02T03:04:05Z');
const clock = { wall: () => at };
const event: DaemonEvent = { kind: 'host-back' };
const seqs = (records: readonly EventRecord[]) => records.map(({ seq }) => seq);

describe('the event log', () => {
  test('numbers what happens from 1, with the time', () => {
    const log = new EventLog({ clock });
    log.emit(event);
    log.emit({ kind: 'daemon-stopping' });
    expect(log.after(0)).toEqual([
      { seq: 1, at: '2026-01-02T03:04:05.000Z', event },
      { seq: 2, at: '2026-01-02T03:04:05.000Z', event: { kind: 'daemon-stopping' } },
    ]);
    expect(log.lastSeq).toBe(2);
  });

  test('keeps the newest, and gives those behind any number in order', () => {
    const sizes = fc.record({
      keptMax: fc.integer({ min: 1, max: 20 }),
      count: fc.integer({ min: 0, max: 60 }),
      after: fc.integer({ min: -5, max: 70 }),
    });
    fc.assert(
      fc.property(sizes, ({ keptMax, count, after }) => {
        const log = new EventLog({ clock, keptMax });
        for (let n = 0; n < count; n += 1) log.emit(event);
        const all = Array.from({ length: count }, (_, index) => index + 1);
        expect(seqs(log.after(after))).toEqual(all.slice(-keptMax).filter((seq) => seq > after));
      }),
    );
  });

  test('a listener that throws harms nobody', () => {
    const errors: unknown[] = [];
    const log = new EventLog({
      clock,
      onListenerError: (error) => {
        errors.push(error);
        throw new Error('and this one too');
      },
    });
    const heard: number[] = [];
    log.onEvent(() => {
      throw new Error('broken');
    });
    log.onEvent(({ seq }) => heard.push(seq));
    log.emit(event);
    log.emit(event);
    expect(heard).toEqual([1, 2]);
    expect(errors.map(String)).toEqual(['Error: broken', 'Error: broken']);
  });

  test('everybody hears in order, also what a listener has caused', () => {
    const log = new EventLog({ clock });
    const heard: number[] = [];
    log.onEvent(({ seq }) => {
      if (seq === 1) log.emit({ kind: 'daemon-stopping' });
    });
    log.onEvent(({ seq }) => heard.push(seq));
    log.emit(event);
    expect(heard).toEqual([1, 2]);
  });

  test('whoever comes while an event is told, and asks for the earlier ones, hears each once', () => {
    const log = new EventLog({ clock });
    const heard: number[] = [];
    log.onEvent(({ seq }) => {
      if (seq !== 1) return;
      log.emit({ kind: 'daemon-stopping' });
      heard.push(...seqs(log.after(0)));
      log.onEvent((record) => heard.push(record.seq));
    });
    log.emit(event);
    log.emit(event);
    expect(heard).toEqual([1, 2, 3]);
  });

  test('whoever has stopped hears nothing more, even of the event being told', () => {
    const log = new EventLog({ clock });
    const heard: string[] = [];
    const stops: (() => void)[] = [];
    log.onEvent(() => stops[0]?.());
    stops.push(log.onEvent(() => heard.push('stopped')));
    const same = () => heard.push('same');
    const stopOne = log.onEvent(same);
    log.onEvent(same);
    log.emit(event);
    stopOne();
    log.emit(event);
    expect(heard).toEqual(['same', 'same', 'same']);
  });
});
