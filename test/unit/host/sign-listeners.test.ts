import { expect, test } from 'vitest';
import type { HostSign } from '../../../src/host/ports.ts';
import { SignListeners } from '../../../src/host/sign-listeners.ts';

const lost: HostSign = { kind: 'lost', message: 'gone' };
const back: HostSign = { kind: 'back' };
const network: HostSign = { kind: 'network', networkName: 'a' };

test('tells each of everything, but of being lost and back only what is news', () => {
  const listeners = new SignListeners();
  const heard: HostSign[] = [];
  listeners.add((sign) => heard.push(sign));
  for (const sign of [back, network, lost, { ...lost, message: 'still' }, back, back]) {
    listeners.tell(sign);
  }
  expect(heard).toEqual([network, lost, back]);
});

test('tells who comes late that it is lost, and nobody who has gone', () => {
  const listeners = new SignListeners();
  listeners.tell(lost);
  const heard: HostSign[] = [];
  const listener = (sign: HostSign) => void heard.push(sign);
  const stop = listeners.add(listener);
  listeners.add(listener);
  expect(heard).toEqual([lost, lost]);
  stop();
  listeners.tell(network);
  expect(heard).toHaveLength(3);
  listeners.end();
  listeners.tell(network);
  expect(heard).toHaveLength(3);
});
