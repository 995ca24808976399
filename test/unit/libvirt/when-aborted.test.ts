import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { whenAborted } from '../../../src/libvirt/when-aborted.ts';

test('a signal has one listener, however many wait for it, and each is told once', () => {
  const controller = new AbortController();
  let told = 0;
  const listener = () => (told += 1);
  const stops = Array.from({ length: 50 }, () => whenAborted(controller.signal, listener));
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
  for (const stop of stops.slice(0, 20)) stop();
  controller.abort();
  controller.abort();
  expect(told).toBe(30);
});
