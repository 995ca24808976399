import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { timeoutSignal } from '../../../src/host/timeout-signal.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

test('it ends a signal that is the only one to know of it, garbage collected or not', async () => {
  const { signal: never } = new AbortController();
  const any = AbortSignal.any([never, timeoutSignal(50)]);
  const aborted = new Promise((done) => any.addEventListener('abort', done, { once: true }));
  await turn();
  collectGarbage();
  await aborted;
  expect(any.aborted).toBe(true);
  expect(never.aborted).toBe(false);
});
