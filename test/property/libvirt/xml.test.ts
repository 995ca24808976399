import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  parseXml,
  serializeXml,
  type XmlElement,
  XmlError,
  type XmlNode,
} from '../../../src/libvirt/xml.ts';
import { noneBut, thrownBy } from './thrown-by.ts';

const name = fc
  .tuple(
    fc.constantFrom('a', 'qemu:arg', 'ünit', '_x', '__proto__', 'constructor'),
    fc.stringMatching(/^[\w.-]{0,4}$/),
  )
  .map(([start, rest]) => start + rest);
const character = fc
  .oneof(
    fc.constantFrom(...Array.from('<>&"\'\t\n\r ]🐢')),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  )
  .filter((each) => /^[\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]$/u.test(each));
const unrepresentable = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;
const text = fc.array(character, { maxLength: 8 }).map((each) => each.join(''));
const attributes = fc
  .array(fc.tuple(name, text), { maxLength: 4 })
  .map((entries) => new Map(entries));

const { element } = fc.letrec<{ element: XmlElement; children: XmlNode[] }>((tie) => ({
  element: fc.record({ name, attributes, children: tie('children') }),
  children: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant<XmlNode[]>([]),
    fc.array(fc.oneof(text, tie('element')), { maxLength: 4 }),
  ),
}));

/** What a parser makes of a tree: no empty texts, no two texts side by side. */
function normal({ name: tag, attributes: given, children }: XmlElement): XmlElement {
  const merged: XmlNode[] = [];
  for (const child of children) {
    const last = merged.at(-1);
    if (typeof child !== 'string') merged.push(normal(child));
    else if (typeof last === 'string') merged[merged.length - 1] = last + child;
    else if (child !== '') merged.push(child);
  }
  return { name: tag, attributes: given, children: merged };
}

describe('XML', () => {
  test('comes back as the tree it was made from', () => {
    fc.assert(
      fc.property(element, (tree) => {
        expect(parseXml(serializeXml(tree))).toEqual(normal(tree));
      }),
    );
  });

  test('keeps the order of attributes', () => {
    fc.assert(
      fc.property(attributes, (given) => {
        const parsed = parseXml(serializeXml({ name: 'a', attributes: given, children: [] }));
        expect([...parsed.attributes]).toEqual([...given]);
      }),
    );
  });

  test('is refused with XmlError and nothing else, whatever the text', () => {
    const fragment = fc.constantFrom(
      '<',
      '>',
      '/',
      'a',
      '="',
      '"',
      '&',
      ';',
      '#x',
      '<!--',
      '-->',
      '<?',
      '?>',
      '<![CDATA[',
      ']]>',
      '<!DOCTYPE a',
      ' ',
      '\0',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(fragment).map((each) => each.join('')),
        ),
        (input) => {
          expect(thrownBy(() => parseXml(input))).toSatisfy(noneBut(XmlError));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('cannot be made of text that XML has no way to hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const tree = { name: 'a', attributes: new Map([['b', value]]), children: [value] };
        const error = thrownBy(() => expect(parseXml(serializeXml(tree))).toEqual(normal(tree)));
        expect(error).toSatisfy(noneBut(XmlError));
        expect(error === undefined).toBe(!unrepresentable.test(value));
      }),
      { numRuns: 1000 },
    );
  });
});
