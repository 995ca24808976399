import { readFileSync } from 'node:fs';

/** The last lines of a file that may not be there. */
export function tailOf(path: string, lines: number): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '(nothing)';
  }
}
