/** What XML 1.0, fifth edition, calls characters and names: one answer for reading and writing. */

const startCharacters =
  ':A-Z_a-z\\u{C0}-\\u{D6}\\u{D8}-\\u{F6}\\u{F8}-\\u{2FF}\\u{370}-\\u{37D}\\u{37F}-\\u{1FFF}\\u{200C}\\u{200D}' +
  '\\u{2070}-\\u{218F}\\u{2C00}-\\u{2FEF}\\u{3001}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFFD}\\u{10000}-\\u{EFFFF}';
const name = new RegExp(
  `^[${startCharacters}][${startCharacters}\\-.0-9\\u{B7}\\u{300}-\\u{36F}\\u{203F}\\u{2040}]*$`,
  'u',
);

/** Name */
export function isXmlName(candidate: string): boolean {
  return name.test(candidate);
}

/** Characters that XML 1.0 cannot hold, not even escaped: all but Char. */
const unrepresentable = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;

/** Where the first character is that XML cannot hold; -1 if it can hold them all. */
export function indexOfNonCharacter(text: string): number {
  return text.search(unrepresentable);
}

const entities = new Map([
  ['amp', '&'],
  ['apos', "'"],
  ['gt', '>'],
  ['lt', '<'],
  ['quot', '"'],
]);

/** What stands for `&reference;`; undefined if it is neither one of the five nor a character. */
export function referenced(reference: string): string | undefined {
  if (!reference.startsWith('#')) return entities.get(reference);
  const [, hexadecimal, decimal] = /^#(?:x([\da-fA-F]+)|(\d+))$/.exec(reference) ?? [];
  const code = hexadecimal === undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16);
  // Also false for what is not a number at all.
  if (!(code <= 0x10_ffff)) return undefined;
  const character = String.fromCodePoint(code);
  return indexOfNonCharacter(character) === -1 ? character : undefined;
}
