import { expect, test } from 'vitest';
import { type OpenWay, runStreamCase, streamCases } from './stream-cases.ts';

const bounds = { atOnce: 2000, queue: 100 };

/** In a `describe` of its own. */
export function streamContract(open: OpenWay): void {
  test.each(streamCases)('$name', async (each) => {
    await expect(runStreamCase(each, open, bounds)).resolves.toBeUndefined();
  });
}
