/** `-o custom-columns=NAME:.name,RAM:.live.memoryBytes`: kubectl's columns over `get -o json`. */
import { usageError } from './command-error.ts';
import { printable } from './render/paint.ts';

export interface Column {
  readonly title: string;
  readonly path: readonly string[];
}

const columnPattern = /^([^:,]+):\.?([A-Za-z][A-Za-z0-9]*(?:\.[A-Za-z][A-Za-z0-9]*)*)$/;

/** @throws CommandError `usage` for what is no list of columns */
export function parseColumns(text: string): readonly Column[] {
  return text.split(',').map((part) => {
    const [, title, path] = columnPattern.exec(part.trim()) ?? [];
    if (title === undefined || path === undefined) {
      throw usageError(
        `"${part}" is not a column`,
        'write TITLE:.path, such as RAM:.live.memoryBytes',
      );
    }
    return { title, path: path.split('.') };
  });
}

/** The cell of one column; `<none>` where there is nothing, as kubectl has it. */
export function cellOf(item: unknown, { path }: Column): string {
  let at: unknown = item;
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return '<none>';
    at = (at as Readonly<Record<string, unknown>>)[step];
  }
  if (at === null || at === undefined) return '<none>';
  return printable(typeof at === 'string' ? at : JSON.stringify(at));
}
