import { codes, XmlScanner } from './xml-scanner.ts';
import type { XmlElement, XmlNode } from './xml-tree.ts';

/**
 * From text to a tree, without recursion: how deep a text nests is the text's choice.
 *
 * Declarations are refused, all of them: without a document type there are no entities beyond the
 * five, no default attributes, and nothing to expand or fetch. A general parser was rejected for
 * its time, a sixth of that of reading a thousand domains and comparing them; the tests hold this
 * one against such a parser.
 */
export interface XmlLimits {
  readonly elementsMax: number;
  readonly depthMax: number;
}

interface OpenElement {
  readonly name: string;
  readonly children: XmlNode[];
}

/** As pieces, for the three attributes of the XML declaration differ in their values only. */
const declaration = new RegExp(
  `<\\?xml${attribute('version', '1\\.[0-9]+')}(?:${attribute('encoding', '[A-Za-z][\\w.-]*')})?` +
    `(?:${attribute('standalone', 'yes|no')})?[ \\t\\n]*\\?>`,
  'y',
);

function attribute(name: string, value: string): string {
  return `[ \\t\\n]+${name}[ \\t\\n]*=[ \\t\\n]*(?:"(?:${value})"|'(?:${value})')`;
}

/** What every element without attributes has. */
const noAttributes: ReadonlyMap<string, string> = new Map();

export class XmlParser {
  readonly #scanner: XmlScanner;
  readonly #limits: XmlLimits;
  /** From the root to the innermost. */
  readonly #open: OpenElement[] = [];
  #elements = 0;

  /** @param text whose lines end with "\n" only */
  constructor(text: string, limits: XmlLimits) {
    this.#scanner = new XmlScanner(text);
    this.#limits = limits;
  }

  /** The root element. To be called once; throws `XmlError`. */
  parse(): XmlElement {
    const scanner = this.#scanner;
    if (scanner.isAt('\uFEFF')) scanner.skip(1);
    // One that is not well-formed is taken for an instruction, and refused as that.
    scanner.skipMatch(declaration);
    this.#skipMisc();
    if (scanner.isAt('<!')) scanner.fail('declarations are not allowed');
    if (!scanner.isAt('<')) scanner.fail('no root element');
    const root = this.#startTag();
    while (this.#open.length > 0) {
      if (scanner.peek() === codes.lessThan) this.#markup();
      else this.#addText(scanner.characterData());
    }
    this.#skipMisc();
    if (!scanner.isAtEnd) scanner.fail('something follows the root element');
    return root;
  }

  /** White space, comments and instructions, which may stand outside the root. */
  #skipMisc(): void {
    for (;;) {
      this.#scanner.skipSpace();
      if (this.#scanner.isAt('<!--')) this.#comment();
      else if (this.#scanner.isAt('<?')) this.#instruction();
      else return;
    }
  }

  /** Whatever begins with "<" inside an element. */
  #markup(): void {
    switch (this.#scanner.peek(1)) {
      case codes.slash:
        return this.#endTag();
      case codes.questionMark:
        return this.#instruction();
      case codes.exclamation:
        if (this.#scanner.isAt('<!--')) return this.#comment();
        return this.#characterSection();
      default:
        this.#startTag();
    }
  }

  #startTag(): XmlElement {
    const scanner = this.#scanner;
    const { elementsMax, depthMax } = this.#limits;
    if (this.#open.length >= depthMax) scanner.fail(`more than ${depthMax} levels`);
    if (this.#elements >= elementsMax) scanner.fail(`more than ${elementsMax} elements`);
    this.#elements += 1;
    scanner.skip(1);
    const name = scanner.name();
    const attributes = this.#attributes();
    const children: XmlNode[] = [];
    const element: XmlElement = { name, attributes, children };
    this.#open.at(-1)?.children.push(element);
    if (scanner.peek() === codes.slash) scanner.skip(1);
    else this.#open.push({ name, children });
    scanner.expect(codes.greaterThan, 'a start tag does not end');
    return element;
  }

  #attributes(): ReadonlyMap<string, string> {
    const scanner = this.#scanner;
    let attributes: Map<string, string> | undefined;
    while (scanner.skipSpace()) {
      const next = scanner.peek();
      if (next === codes.slash || next === codes.greaterThan) break;
      const start = scanner.at;
      const name = scanner.name();
      if (attributes?.has(name) === true) scanner.fail('one attribute twice', start);
      scanner.skipSpace();
      scanner.expect(codes.equals, 'an attribute without a value');
      scanner.skipSpace();
      attributes ??= new Map();
      attributes.set(name, scanner.attributeValue());
    }
    return attributes ?? noAttributes;
  }

  #endTag(): void {
    const scanner = this.#scanner;
    const name = this.#open.pop()?.name ?? '';
    scanner.skip(2);
    if (!scanner.isAt(name)) scanner.fail('not the end tag that is due');
    scanner.skip(name.length);
    scanner.skipSpace();
    // Where a longer name only begins with the one that is due, this stands in its middle.
    scanner.expect(codes.greaterThan, 'not the end tag that is due');
  }

  #characterSection(): void {
    const mark = '<![CDATA[';
    if (!this.#scanner.isAt(mark)) this.#scanner.fail('declarations are not allowed');
    this.#scanner.skip(mark.length);
    this.#addText(this.#scanner.until(']]>'));
  }

  /** Joins texts that something dropped stood between. */
  #addText(text: string): void {
    if (text === '') return;
    const children = this.#open.at(-1)?.children ?? [];
    const last = children.at(-1);
    if (typeof last === 'string') children[children.length - 1] = last + text;
    else children.push(text);
  }

  #comment(): void {
    this.#scanner.skip('<!--'.length);
    this.#scanner.until('--');
    this.#scanner.expect(codes.greaterThan, '"--" in a comment');
  }

  #instruction(): void {
    const scanner = this.#scanner;
    const start = scanner.at;
    scanner.skip('<?'.length);
    if (scanner.name().toLowerCase() === 'xml') {
      scanner.fail('an XML declaration that is wrong or not at the start', start);
    }
    if (!scanner.skipSpace() && !scanner.isAt('?>')) scanner.fail('no name of an instruction');
    scanner.until('?>');
  }
}
