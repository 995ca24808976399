/** Where in a file an offset is, as editors count. Lines end with LF, as YAML's do here. */

export interface Lines {
  /** Both from 1; the column in UTF-16 code units. */
  placeOf(offset: number): { readonly line: number; readonly column: number };
  /** The text of a line, without what ends it. */
  textOf(line: number): string;
}

export function linesOf(text: string): Lines {
  // Only a mistake asks for a place, and most files have none.
  let starts: readonly number[] | undefined;
  return {
    placeOf: (offset) => {
      starts ??= lineStarts(text);
      const line = lastAtOrBefore(starts, offset);
      return { line: line + 1, column: offset - (starts[line] ?? 0) + 1 };
    },
    textOf: (line) => {
      starts ??= lineStarts(text);
      return text.slice(starts[line - 1], starts[line]).replace(/\r?\n?$/, '');
    },
  };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function lastAtOrBefore(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
