/** The ring of events: what is kept, in which order it is told, and that no listener harms another. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventLog } from '../../../../src/daemon/watching/event-log.ts';
import type { PartitionName } from '../../../../src/model/names.ts';
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

  test('says exactly from where on nothing is missing, of whomever, and gives it in order', () => {
    const names = ['a', 'b', 'c', 'd'].map((name) => name as PartitionName);
    const sizes = fc.record({
      keptMax: fc.integer({ min: 1, max: 5 }),
      partitionsMax: fc.integer({ min: 1, max: 5 }),
      origins: fc.array(fc.constantFrom(null, ...names), { maxLength: 60 }),
    });
    fc.assert(
      fc.property(sizes, ({ keptMax, partitionsMax, origins }) => {
        const log = new EventLog({ clock, keptMax, partitionsMax });
        for (const origin of origins) {
          log.emit(origin === null ? event : { kind: 'partition-added', partition: origin });
        }
        const kept = seqs(log.after(0));
        expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b));
        const seqOf = (wanted: (origin: PartitionName | null) => boolean) =>
          origins.flatMap((origin, index) => (wanted(origin) ? [index + 1] : []));
        for (const of of [null, ...names]) {
          const wanted = seqOf((origin) => of === null || origin === null || origin === of);
          const lost = log.lostThrough(of);
          const missing = wanted.filter((seq) => !kept.includes(seq));
          const newestMissing = Math.max(0, ...missing);
          // A partition whose ring was given up may be told of more loss than there was.
          expect(lost).toBeGreaterThanOrEqual(newestMissing);
          expect(partitionsMax < names.length ? newestMissing : lost).toBe(newestMissing);
        }
        expect(kept.length).toBeLessThanOrEqual(keptMax * (partitionsMax + 1));
      }),
    );
  });

  test('keeps what others have to be told while one partition floods', () => {
    const log = new EventLog({ clock });
    const [quiet, loud] = ['quiet', 'loud'].map((name) => name as PartitionName);
    log.emit(event);
    log.emit({ kind: 'partition-added', partition: quiet! });
    for (let n = 0; n < 60_000; n += 1) log.emit({ kind: 'partition-added', partition: loud! });
    log.emit({ kind: 'daemon-stopping' });
    const kept = seqs(log.after(0));
    expect(kept.slice(0, 3)).toEqual([1, 2, 59_003]);
    expect(kept).toHaveLength(1003);
    expect(log.lostThrough(quiet!)).toBe(0);
    expect(log.lostThrough(loud!)).toBe(59_002);
    expect(log.lostThrough(null)).toBe(59_002);
    expect(seqs(log.after(60_001))).toEqual([60_002, 60_003]);
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
