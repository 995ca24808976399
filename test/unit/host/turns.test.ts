/** One after the other, and nobody waits who does not want to any more. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { takingTurns } from '../../../src/host/turns.ts';

function gated() {
  let open = () => {};
  const gate = new Promise<void>((done) => (open = done));
  return { gate, open: () => open() };
}

test('each begins when the one before has ended, whatever became of it', async () => {
  const said: string[] = [];
  const { gate, open } = gated();
  const first = takingTurns('k', async () => {
    said.push('first');
    await gate;
    throw new Error('no');
  });
  const second = takingTurns('k', async () => void said.push('second'));
  const other = takingTurns('another', async () => void said.push('other'));
  await other;
  expect(said).toEqual(['first', 'other']);
  open();
  await expect(first).rejects.toThrow('no');
  await second;
  expect(said).toEqual(['first', 'other', 'second']);
});

test('whoever gives up waiting is answered at once, and does nothing; what has begun goes on', async () => {
  const { gate, open } = gated();
  const ending = new AbortController();
  const first = takingTurns('k', () => gate, ending.signal);
  await sleep(1);
  let isDone = false;
  const act = async () => {
    isDone = true;
  };
  const second = takingTurns('k', act, ending.signal);
  ending.abort();
  await expect(second).rejects.toMatchObject({ code: 'Cancelled' });
  // Nor does one begin to wait who has given up before.
  const third = takingTurns('k', act, ending.signal);
  await expect(third).rejects.toMatchObject({ code: 'Cancelled' });
  open();
  await first;
  await takingTurns('k', async () => undefined);
  expect(isDone).toBe(false);
});
