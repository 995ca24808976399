/** What is no mistake, and still has to be known. On standard error, beside whatever is printed. */
import type { Diagnostic } from '../../documents/diagnostic.ts';
import type { Environment } from '../environment.ts';
import { paintFor, printable } from './paint.ts';

export function writeNotes(notes: readonly Diagnostic[], { stderr, variables }: Environment): void {
  const paint = paintFor(stderr, variables);
  for (const { file, line, column, code, message } of notes) {
    const place = printable(`${file}:${line}:${column}`);
    stderr.write(`${place}: ${paint.yellow(code)}: ${printable(message)}\n`);
  }
}
