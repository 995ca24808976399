import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Output } from '../../../src/cli/environment.ts';
import { MovingLine } from '../../../src/cli/moving-line.ts';
import { plain } from '../../../src/cli/render/paint.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function output(isTerminal: boolean): Output & { readonly written: string[] } {
  const written: string[] = [];
  const write = (text: string) => void written.push(text);
  return { written, write, taken: async () => undefined, isTerminal, columns: 20 };
}

const clear = '\r\u001b[2K';

test('on a terminal it is drawn again and again, no wider than that, and gone in the end', () => {
  const to = output(true);
  let text: string | null = null;
  const line = new MovingLine(to, plain, () => text);
  vi.advanceTimersByTime(200);
  text = 'web is being stopped, 1.0 s';
  vi.advanceTimersByTime(200);
  line.print('  done');
  line.end();
  vi.advanceTimersByTime(2000);
  expect(to.written).toEqual([`${clear}  … web is being st`, clear, '  done\n', clear]);
});

test('elsewhere nothing moves', () => {
  const to = output(false);
  const other = output(true);
  const line = new MovingLine(to, plain, () => 'busy');
  vi.advanceTimersByTime(2000);
  line.print('  done');
  line.print('aside', other);
  line.end();
  expect(to.written).toEqual(['  done\n']);
  expect(other.written).toEqual(['aside\n']);
});
