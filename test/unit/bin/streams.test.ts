import { Writable } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { describe, expect, test } from 'vitest';
import { outputOf } from '../../../src/bin/streams.ts';

const never = new AbortController().signal;

/** Takes nothing by itself: each chunk waits for `take`, or for `fail`. */
function stream() {
  const waiting: ((error?: Error | null) => void)[] = [];
  const writable = new Writable({
    highWaterMark: 4,
    write: (_chunk, _encoding, done) => void waiting.push(done),
  });
  const errno = (code: string) => Object.assign(new Error(`write ${code}`), { code });
  return {
    // As much of a WriteStream as an output looks at.
    asOutput: outputOf(Object.assign(writable as unknown as WriteStream, { fd: -1 })),
    take: () => waiting.shift()?.(),
    fail: (code: string) => waiting.shift()?.(errno(code)),
  };
}

const turn = () => new Promise((done) => setImmediate(done));

describe('an output', () => {
  test.each(['EIO', 'ENOSPC'])(
    'that fails with %s is closed, and nothing else ends',
    async (code) => {
      const { asOutput, fail } = stream();
      asOutput.write('some text');
      fail(code);
      await turn();
      asOutput.write('more');
      await asOutput.taken(never);
      expect(asOutput.failure()?.message).toBe(`write ${code}`);
    },
  );

  test('whose reader went away has not failed', async () => {
    const { asOutput, fail } = stream();
    asOutput.write('some text');
    fail('EPIPE');
    await turn();
    expect(asOutput.failure()).toBeNull();
  });

  test('makes those wait who write more than it takes, until they are told to stop', async () => {
    const { asOutput, take } = stream();
    const settled: string[] = [];
    asOutput.write('more than fits');
    const first = asOutput.taken(never).then(() => settled.push('first'));
    await turn();
    expect(settled).toEqual([]);
    take();
    await first;
    const stop = new AbortController();
    asOutput.write('more than fits');
    const second = asOutput.taken(stop.signal).then(() => settled.push('second'));
    await turn();
    expect(settled).toEqual(['first']);
    stop.abort();
    await second;
    expect(settled).toEqual(['first', 'second']);
  });
});
