/** Text in lines that fit, broken at blanks; a word that is longer has a line of its own. */
const columnsMax = 100;

export function wrap(text: string, columns: number, indent: string): string {
  const width = Math.min(columns, columnsMax) - indent.length;
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => `${indent}${each}\n`).join('');
}
