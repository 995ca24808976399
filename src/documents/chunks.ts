/**
 * A file cut where documents surely begin, so that each can be read by itself, and a mistake in one
 * does not hide those of the next. A line that begins
 * with `---` ends whatever was open (YAML 1.2, rule 206).
 */
export interface Chunk {
  readonly text: string;
  /** Of its first character in the file. */
  readonly offset: number;
}

/** At least one; a chunk may still hold several documents, or none. */
export function chunksOf(text: string): readonly Chunk[] {
  // A directive is for the document after it, and `...` may come before one.
  if (/(?:^|\n)(?:%|\.\.\.)/.test(text)) return [{ text, offset: 0 }];
  const chunks: Chunk[] = [];
  let from = 0;
  for (let at = nextMarker(text, 0); at !== -1; at = nextMarker(text, at + 3)) {
    if (at > 0) chunks.push({ text: text.slice(from, at), offset: from });
    from = at;
  }
  return [...chunks, { text: text.slice(from), offset: from }];
}

/** Of `---` at the beginning of a line and by itself; the document may begin on the same line. */
function nextMarker(text: string, from: number): number {
  for (let at = text.indexOf('---', from); at !== -1; at = text.indexOf('---', at + 1)) {
    const begins = at === 0 || text[at - 1] === '\n';
    if (begins && /^[ \t\r\n]?$/.test(text.charAt(at + 3))) return at;
  }
  return -1;
}
