import { EventEmitter } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';
import { interruptions } from '../../../src/bin/signals.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test('whoever insists is not kept waiting by what hears no signal', () => {
  vi.useFakeTimers();
  const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
  const source = new EventEmitter();
  const { stop, abort } = interruptions(source);
  source.emit('SIGINT');
  vi.runAllTimers();
  expect([stop.aborted, abort.aborted, exit.mock.calls]).toEqual([true, false, []]);
  source.emit('SIGTERM');
  expect([abort.aborted, exit.mock.calls]).toEqual([true, []]);
  vi.runAllTimers();
  expect(exit.mock.calls).toEqual([[130]]);
});
