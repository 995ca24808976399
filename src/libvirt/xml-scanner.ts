import { indexOfNonCharacter, isXmlName, referenced } from './xml-characters.ts';
import { XmlError } from './xml-tree.ts';

/**
 * A place in XML text, and the smallest things that can be read there. Whatever is not as it must
 * be is an `XmlError` that says where.
 *
 * No character is looked at more than a fixed number of times, and nothing backtracks, so that
 * hostile text costs what its length costs.
 */
export const codes = {
  tab: 9,
  lineFeed: 10,
  space: 32,
  exclamation: 33,
  doubleQuote: 34,
  ampersand: 38,
  singleQuote: 39,
  slash: 47,
  lessThan: 60,
  equals: 61,
  greaterThan: 62,
  questionMark: 63,
} as const;

/** Of ASCII: 1 for what can begin a name, 2 for what can only go on with one. */
const nameCodes = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCodePoint(code);
  if (isXmlName(character)) return 1;
  return isXmlName(`a${character}`) ? 2 : 0;
});

export class XmlScanner {
  readonly #text: string;
  #at = 0;

  /** @param text whose lines end with "\n" only */
  constructor(text: string) {
    this.#text = text;
    const wrong = indexOfNonCharacter(text);
    if (wrong !== -1) this.fail('a character that XML cannot hold', wrong);
  }

  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  /** The UTF-16 unit that is so many further on; NaN behind the end. */
  peek(ahead = 0): number {
    return this.#text.charCodeAt(this.#at + ahead);
  }

  isAt(expected: string): boolean {
    return this.#text.startsWith(expected, this.#at);
  }

  skip(length: number): void {
    this.#at += length;
  }

  /** Skips what a sticky pattern matches, if it does. */
  skipMatch(pattern: RegExp): void {
    pattern.lastIndex = this.#at;
    if (pattern.test(this.#text)) this.#at = pattern.lastIndex;
  }

  /** Whether there was any white space. */
  skipSpace(): boolean {
    const start = this.#at;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== codes.space && code !== codes.lineFeed && code !== codes.tab) break;
      this.#at += 1;
    }
    return this.#at > start;
  }

  expect(code: number, otherwise: string): void {
    if (this.#text.charCodeAt(this.#at) !== code) this.fail(otherwise);
    this.#at += 1;
  }

  name(): string {
    const text = this.#text;
    const start = this.#at;
    let isPlain = nameCodes[text.charCodeAt(start)] === 1;
    let end = start;
    for (; end < text.length; end += 1) {
      const code = text.charCodeAt(end);
      if (code >= 128) isPlain = false;
      else if (nameCodes[code] === 0) break;
    }
    const name = text.slice(start, end);
    if (!isPlain && !isXmlName(name)) this.fail('no name where one must be');
    this.#at = end;
    return name;
  }

  /** The text up to a mark, which is skipped. */
  until(mark: string): string {
    const end = this.#text.indexOf(mark, this.#at);
    if (end === -1) this.fail(`no "${mark}" where one must be`);
    const text = this.#text.slice(this.#at, end);
    this.#at = end + mark.length;
    return text;
  }

  /** The text up to the next "<", its references replaced. */
  characterData(): string {
    const start = this.#at;
    const end = this.#text.indexOf('<', start);
    if (end === -1) this.fail('an element is not closed', this.#text.length);
    const data = this.#text.slice(start, end);
    const wrong = data.indexOf(']]>');
    if (wrong !== -1) this.fail('"]]>" in text', start + wrong);
    this.#at = end;
    return data.includes('&') ? this.#expanded(data, start) : data;
  }

  /** A value in quotes, with white space made spaces and its references replaced. */
  attributeValue(): string {
    const text = this.#text;
    const quote = text.charCodeAt(this.#at);
    if (quote !== codes.doubleQuote && quote !== codes.singleQuote) {
      this.fail('a value without quotes');
    }
    const start = this.#at + 1;
    let isPlain = true;
    let end = start;
    for (; end < text.length; end += 1) {
      const code = text.charCodeAt(end);
      if (code === quote) break;
      if (code === codes.lessThan) this.fail('"<" in a value', end);
      if (code === codes.ampersand || code < codes.space) isPlain = false;
    }
    if (end === text.length) this.fail('a value does not end');
    this.#at = end + 1;
    const value = text.slice(start, end);
    return isPlain ? value : this.#expanded(value.replaceAll(/[\t\n]/g, ' '), start);
  }

  #expanded(text: string, start: number): string {
    let expanded = '';
    let done = 0;
    for (let from = text.indexOf('&'); from !== -1; from = text.indexOf('&', done)) {
      const end = text.indexOf(';', from);
      const character = end === -1 ? undefined : referenced(text.slice(from + 1, end));
      if (character === undefined) this.fail('"&" that begins no reference', start + from);
      expanded += text.slice(done, from) + character;
      done = end + 1;
    }
    return expanded + text.slice(done);
  }

  fail(what: string, index = this.#at): never {
    let line = 1;
    let start = 0;
    for (;;) {
      const end = this.#text.indexOf('\n', start);
      if (end === -1 || end >= index) break;
      line += 1;
      start = end + 1;
    }
    throw new XmlError(what, { line, column: index - start + 1 });
  }
}
