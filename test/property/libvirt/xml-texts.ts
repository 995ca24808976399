/** Texts for parsers: XML in every way of writing it, XML as libvirt wrote it, and both damaged. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';

const folder = new URL('recorded/', import.meta.url);

/** Of libvirt 9.0. */
export const recorded = readdirSync(folder).map((file) =>
  readFileSync(new URL(file, folder), 'utf8'),
);

const joined = (parts: fc.Arbitrary<string>, maxLength: number) =>
  fc.array(parts, { maxLength }).map((each) => each.join(''));

const space = joined(fc.constantFrom(' ', '\t', '\n', '\r', '\r\n'), 3);
const someSpace = fc.tuple(fc.constantFrom(' ', '\n', '\t', '\r\n'), space).map((s) => s.join(''));

const name = fc
  .tuple(
    fc.constantFrom('a', 'b', 'ab', 'qemu:arg', 'ünit', '_', ':', 'xml', '𐀀', '__proto__', 'on-x'),
    fc.constantFrom('', '', '1', '-', '.', '·', '\u0300', '𐀀', 'toString'),
  )
  .map((parts) => parts.join(''));

/** Any character that is written as itself everywhere. */
const plain = fc.oneof(
  fc.constantFrom(...Array.from('ab;#x>/=?!-[] \t\n\r\u0085\u2028\uFEFF🐢\u{10FFFF}\uFFFD\uD7FF')),
  fc
    .string({ unit: 'binary', minLength: 1, maxLength: 1 })
    .filter((each) => /^[^\p{Cc}<&"'\uFFFE\uFFFF\p{Surrogate}]$/u.test(each)),
);
const reference = fc.oneof(
  fc.constantFrom('&amp;', '&lt;', '&gt;', '&quot;', '&apos;', '&#0000065;', '&#x1F422;', '&#13;'),
  plain.map((each) => `&#${each.codePointAt(0)};`),
  plain.map((each) => `&#x${(each.codePointAt(0) ?? 0).toString(16).toUpperCase()};`),
);

/** White space that is written as itself, and, by reference, white space that is meant. */
const value = fc.oneof(
  joined(fc.oneof(plain, reference, fc.constant("'")), 6).map((text) => `"${text}"`),
  joined(fc.oneof(plain, reference, fc.constant('"')), 6).map((text) => `'${text}'`),
);

const attributes = fc
  .uniqueArray(fc.tuple(name, someSpace, space, space, value), {
    selector: ([key]) => key,
    maxLength: 4,
  })
  .map((all) =>
    all.map(([key, before, left, right, text]) => `${before}${key}${left}=${right}${text}`),
  )
  .map((all) => all.join(''));

const anything = joined(fc.oneof(plain, fc.constantFrom('<', '&', '"', "'", '<!--', ']]')), 6);
const comment = anything
  .map((text) => text.replaceAll(/-+/g, '-').replace(/-$/, ''))
  .map((text) => `<!--${text}-->`);
const instruction = fc
  .tuple(
    name.filter((each) => each !== 'xml'),
    someSpace,
    anything,
  )
  .chain(([target, before, text]) =>
    fc.constantFrom(`<?${target}?>`, `<?${target}${before}${text.replaceAll(/\?+>/g, '>')}?>`),
  );
const cdata = anything.map((text) => `<![CDATA[${text.replaceAll(/\]\]+>/g, '>')}]]>`);
const text = joined(fc.oneof(plain, reference, fc.constantFrom('"', "'", ']]')), 6).map((each) =>
  // Also once another text follows.
  each.replaceAll(/\]\]+>/g, '>').replace(/\]+$/, ''),
);

const { element } = fc.letrec<{ element: string; content: string }>((tie) => ({
  element: fc
    .tuple(name, attributes, space, tie('content'), space)
    .map(([tag, given, inside, content, after]) =>
      content === '' && after === ''
        ? `<${tag}${given}${inside}/>`
        : `<${tag}${given}${inside}>${content}</${tag}${after}>`,
    ),
  content: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    text,
    joined(fc.oneof(text, cdata, comment, instruction, tie('element')), 5),
  ),
}));

const declaration = fc
  .tuple(
    fc.constantFrom('"1.0"', "'1.0'", '"1.10"'),
    fc.constantFrom('', ' encoding="UTF-8"', "\nencoding = 'x-1._'"),
    fc.constantFrom('', ' standalone="yes"', "\r\nstandalone\t='no'"),
    space,
  )
  .map(([version, encoding, standalone, after]) => {
    return `<?xml version=${version}${encoding}${standalone}${after}?>`;
  });

const misc = joined(fc.oneof(someSpace, comment, instruction), 3);

/** Whole documents, all of them well-formed. */
export const documents = fc
  .tuple(
    fc.constantFrom('', '', '\uFEFF'),
    fc.oneof(fc.constant(''), declaration),
    misc,
    element,
    misc,
  )
  .map((parts) => parts.join(''))
  // Not a thing of well-formedness, and one of the differences that are meant.
  .filter((document) => !document.includes('xml:space'));

const fragments = fc.oneof(
  plain,
  reference,
  fc.constantFrom(
    ...[
      ['<', '>', '/', '/>', '</', '</a>', '<a>', '<a/>', '&', ';', '&#', '&#x', '&#0;', '&a;'],
      ['&#xD800;', '&#x110000;', '&#X41;', '&#65', '&amp', '&Amp;', '&toString;', '&#-1;'],
      ['&#1e1;', '"', "'", '=', ' ', '\n', '\r', '\t', '\u00A0', '-', '--', '-->', '<!--'],
      ['<!-->', '--->', '?', '<?', '?>', '<?xml?>', '<?xml version="1.0"?>', '<?XML a?>'],
      ['<?a?>', '<?a', ' version="1.0"', ' encoding="', ' standalone="', ' encoding'],
      [' standalone=""', ']]>', ']]', ']', '<![CDATA[', '<![cdata[', '<![CDATA[]]>', '<!'],
      ['<!DOCTYPE a>', '<!DOCTYPE a [<!ENTITY b "c">]>', '<!ELEMENT a ANY>', ' a="1"', " a='1'"],
      [' a=1', 'a="1"', '\0', '\u0001', '\u000B', '\u001F', '\u007F', '\uFFFE', '\uFFFF'],
      ['\uD800', '\uDC00', '\uFEFF', '1', '-a', '×', '𐀀', '\u{F0000}', 'ª'],
    ].flat(),
  ),
);

/** Where, how much is taken away there, and what is put in its place; or a part said twice. */
const edit = fc.record({
  place: fc.nat({ max: 9999 }).map((each) => each / 9999),
  /** Behind a tag, say, where more is allowed than inside one. */
  behind: fc.constantFrom('', '>', '>', '"', "'"),
  taken: fc.constantFrom(0, 0, 0, 1, 2, 3),
  put: fc.oneof({ weight: 4, arbitrary: fragments }, { weight: 1, arbitrary: fc.constant('') }),
  again: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.nat({ max: 12 })),
});

/** The same with a few things wrong with it; or, by chance, nothing. */
export function damaged(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(texts, fc.array(edit, { minLength: 1, maxLength: 3 }))
    .map(([original, edits]) =>
      edits.reduce((text, { place, behind, taken, put, again }) => {
        const start = Math.round(place * text.length);
        const at = behind === '' ? start : text.indexOf(behind, start) + 1;
        return text.slice(0, at) + put + text.slice(at, at + again) + text.slice(at + taken);
      }, original),
    )
    .filter((text) => !text.includes('xml:space'));
}
