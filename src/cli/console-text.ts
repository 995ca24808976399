/**
 * What guests write, as lines of text for whoever looks or keeps them: bounded, and without the control
 * characters that a terminal would obey.
 */
import type { Output } from './environment.ts';
import { printable } from './render/paint.ts';

const lineCharactersMax = 4096;

/** @returns whether that many lines have come as were asked for */
export async function printLines(
  chunks: AsyncIterable<Uint8Array>,
  linesMax: number,
  stdout: Output,
  stop: AbortSignal,
): Promise<boolean> {
  const decoder = new TextDecoder();
  let rest = '';
  let left = linesMax;
  for await (const chunk of chunks) {
    const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split('\n');
    rest = (lines.pop() ?? '').slice(-lineCharactersMax);
    for (const line of lines.slice(0, left)) stdout.write(`${cleanLine(line)}\n`);
    // The guest waits for a reader that does not read, instead of our memory filling up.
    await stdout.taken(stop);
    left -= lines.length;
    if (left <= 0) return true;
  }
  if (rest !== '') stdout.write(`${cleanLine(rest)}\n`);
  return false;
}

/** Without the carriage return that ends a serial line, and without ANSI colour and cursor moves. */
function cleanLine(line: string): string {
  // oxlint-disable-next-line no-control-regex -- escape sequences begin with one
  return printable(line.replace(/\u001b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])/g, '').replace(/\r/g, ''));
}
