import { describe, expect, test } from 'vitest';
import {
  childElement,
  childElements,
  parseXml,
  serializeXml,
  textOf,
  xmlElement,
  XmlError,
} from '../../../src/libvirt/xml.ts';
import { noneBut, thrownBy } from '../../property/libvirt/thrown-by.ts';

describe('parseXml', () => {
  test('keeps order, text and prefixes', () => {
    const domain = parseXml(
      `<?xml version='1.0'?><!-- dropped --><domain type='kvm' id="1">\n  <metadata>` +
        `<x:o xmlns:x="https://x/1" x:gen='2'/></metadata><name>a&amp;b</name></domain>`,
    );
    expect([...domain.attributes]).toEqual([
      ['type', 'kvm'],
      ['id', '1'],
    ]);
    expect(domain.children[0]).toBe('\n  ');
    const metadata = childElement(domain, 'metadata');
    expect(metadata?.children).toEqual([
      {
        name: 'x:o',
        attributes: new Map([
          ['xmlns:x', 'https://x/1'],
          ['x:gen', '2'],
        ]),
        children: [],
      },
    ]);
    expect(childElements(domain).map(({ name }) => name)).toEqual(['metadata', 'name']);
    expect(childElements(domain, 'name').map(textOf)).toEqual(['a&b']);
    expect(childElement(domain, 'nothing')).toBeUndefined();
  });

  test('joins text around what it drops', () => {
    expect(parseXml('<a>1<!-- x -->2<?pi y?>3<![CDATA[<4>]]></a>').children).toEqual(['123<4>']);
  });

  test('ends lines as XML does, and keeps a carriage return that was meant', () => {
    expect(parseXml('<a>1\r\n2\r3&#13;</a>').children).toEqual(['1\n2\n3\r']);
  });

  test.each([
    ['nothing', ''],
    ['text', 'domain'],
    ['two roots', '<a/><b/>'],
    ['an element left open', '<a><b></a>'],
    ['one attribute twice', '<a b="1" b="2"/>'],
    ['an attribute without quotes', '<a b=1/>'],
    ['an entity of its own', '<a>&x;</a>'],
    ['a character that XML has not', '<a>\u0001</a>'],
    ['a reference to one', '<a>&#0;</a>'],
    ['a document type', '<!DOCTYPE a><a/>'],
    ['a document type with entities', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
    ['513 levels', `${'<a>'.repeat(513)}${'</a>'.repeat(513)}`],
    ['a hundred thousand levels', '<a>'.repeat(100_000)],
    ['too many elements', `<a>${'<b/>'.repeat(100_000)}</a>`],
    ['too many characters', `<a>${'x'.repeat(4_194_304)}</a>`],
    ['text outside the root', '<a/>b'],
    ['a character section outside the root', '<a/><![CDATA[b]]>'],
    ['a reference outside the root', '&#32;<a/>'],
    ['"<" in a value', '<a b="<"/>'],
    ['attributes that touch', '<a b="1"c="2"/>'],
    ['an attribute without a value', '<a b/>'],
    ['a value that does not end', '<a b="1/>'],
    ['another end tag', '<a></b>'],
    ['an end tag that goes on', '<a></ab>'],
    ['an end tag with attributes', '<a></a b="1">'],
    ['an end tag alone', '</a>'],
    ['space before a name', '< a/>'],
    ['a tag that does not end', '<a'],
    ['a slash too early', '<a/ >'],
    ['a name that begins with a digit', '<1/>'],
    ['a character that no name has', '<a×/>'],
    ['"]]>" in text', '<a>]]></a>'],
    ['a section that does not end', '<a><![CDATA[]]</a>'],
    ['a section in lower case', '<a><![cdata[]]></a>'],
    ['"--" in a comment', '<a><!-- -- --></a>'],
    ['a comment that ends in "-"', '<a><!-- ---></a>'],
    ['a comment that does not end', '<a><!-- </a>'],
    ['an instruction without a name', '<a><? b?></a>'],
    ['an instruction that does not end', '<a><?b </a>'],
    ['a declaration in the wrong place', ' <?xml version="1.0"?><a/>'],
    ['a declaration without a version', '<?xml encoding="UTF-8"?><a/>'],
    ['an element declaration', '<a><!ELEMENT a ANY></a>'],
    ['an ampersand alone', '<a>&</a>'],
    ['an entity in capitals', '<a>&AMP;</a>'],
    ['an entity that every object has', '<a>&constructor;</a>'],
    ['a reference that does not end', '<a>&#65</a>'],
    ['a reference in hexadecimal with a capital X', '<a>&#X41;</a>'],
    ['a reference without a number', '<a b="&#;"/>'],
    ['a reference to half a pair', '<a>&#xD800;</a>'],
    ['a reference past the last character', '<a>&#x110000;</a>'],
    ['a reference far past it', `<a>&#${'9'.repeat(400)};</a>`],
    ['half a pair', '<a>\ud800</a>'],
    ['a character that XML has not in a comment', '<a/><!--\u0001-->'],
  ])('refuses %s', (_, text) => {
    expect(() => parseXml(text)).toThrow(XmlError);
  });

  test.each([
    ['<a>\n  <b c="1" d="2" c="3"/></a>', { line: 2, column: 18 }],
    ['<a>\r\n\r\n</b>', { line: 3, column: 3 }],
    ['<!DOCTYPE a>', { line: 1, column: 1 }],
    ['<a>1 &b; 2</a>', { line: 1, column: 6 }],
    ['<a>\n1 ]]></a>', { line: 2, column: 3 }],
    ['<a>\n', { line: 2, column: 1 }],
  ])('says where %j is wrong', (text, position) => {
    const error = thrownBy(() => parseXml(text));
    expect(error).toMatchObject({ name: 'XmlError', position });
    expect((error as XmlError).message).toMatch(`, at ${position.line}:${position.column}`);
  });

  test('makes spaces of white space in values, but not of what was meant', () => {
    const { attributes } = parseXml(
      `<a\n\t b = '\t1\n2\r\n3\r4&#9;&#10;&#13;"'\r\nc\n=\n"'&#x1F422;&apos;" d="\t5\n"\t/>`,
    );
    expect([...attributes]).toEqual([
      ['b', ' 1 2 3 4\t\n\r"'],
      ['c', "'🐢'"],
      ['d', ' 5 '],
    ]);
  });

  test('has no names but those given', () => {
    const { attributes } = parseXml('<a __proto__="1" constructor="2"/>');
    expect([...attributes]).toEqual([
      ['__proto__', '1'],
      ['constructor', '2'],
    ]);
    expect(parseXml('<a/>').attributes.get('toString')).toBeUndefined();
  });

  // What sets this parser apart from a general one; see xml-oracle.ts of the property tests.
  test('has no empty texts', () => {
    expect(parseXml('<a><![CDATA[]]><!----></a>').children).toEqual([]);
  });

  test('takes any value of xml:space', () => {
    expect(parseXml('<a xml:space="b"/>').attributes.get('xml:space')).toBe('b');
  });

  test.each(['encoding=""', 'encoding', 'encoding="a"standalone="yes"', 'standalone=""'])(
    'refuses a declaration with %s',
    (rest) => {
      expect(() => parseXml(`<?xml version="1.0" ${rest}?><a/>`)).toThrow(XmlError);
    },
  );

  test('takes a hundred thousand elements, and counts no other markup', () => {
    const text = `<a>${'<b/>'.repeat(99_999)}${'<!--<-->'.repeat(200_001)}</a>`;
    expect(parseXml(text).children).toHaveLength(99_999);
  });

  test('takes time in proportion to the text, even if it is hostile', () => {
    const [size, half] = [2 ** 20, 2 ** 19];
    const fill = (part: string, length = size) => part.repeat(length / part.length);
    const many = Array.from({ length: size / 16 }, (_, index) => ` a${index}="&lt;\n"`).join('');
    const parts = [
      ['&amp;', '&#65;', '&', '&#', '&#0', '&#9', '&;', '<', '<a', '</', '<a ', '>', ']', 'a'],
      ['<!--', '<!---->', '<!-- - -', '<![CDATA[', '<![CDATA[]]>', '<![CDATA[]', '<!', '<?'],
      ['<?a', '<?a?>', ']]&gt;', '"', "'", '=', ' ', '\n', '\r', '\r\n', '𐀀', '-', '- -'],
      ['<b>', '<b/>', '<b></b>'],
    ].flat();
    const texts = parts.flatMap((part) => [
      fill(part),
      `<a>${fill(part)}</a>`,
      `<a b="${fill(part)}"/>`,
      `<a ${fill(part)}/>`,
      `<a>&${fill(part)};</a>`,
      `<a>&#${fill(part)}65;</a>`,
      `<!--${fill(part)}--><a/>`,
      `<?xml version="1.0"${fill(part)}?><a/>`,
      `<?xml version="1.0" encoding="u${fill(part, half)}" ${fill(part, half)}?><a/>`,
      `<a${fill(part, half)}></a${fill(part, half)}>`,
    ]);
    const slow = [`<a${many}/>`, `<a${many} a0=""/>`, ...texts].filter((text) => {
      const before = process.cpuUsage();
      expect(thrownBy(() => parseXml(text))).toSatisfy(noneBut(XmlError));
      const { user, system } = process.cpuUsage(before);
      return user + system > 10_000_000;
    });
    // Of the processor most take some milliseconds each, and the slowest 200. What is quadratic takes minutes.
    expect(slow.map((text) => text.slice(0, 40))).toEqual([]);
  }, 180_000);

  test('takes 512 levels', () => {
    expect(parseXml(`${'<a>'.repeat(512)}${'</a>'.repeat(512)}`).name).toBe('a');
  });
});

describe('serializeXml', () => {
  test('escapes everything that means something', () => {
    const tree = xmlElement('a', { b: '<">&\'\n\t\r' }, ['<c/>&]]>\r\n', xmlElement('d')]);
    expect(serializeXml(tree)).toBe(
      `<a b="&lt;&quot;&gt;&amp;'&#10;&#9;&#13;">&lt;c/&gt;&amp;]]&gt;&#13;\n<d/></a>`,
    );
  });

  test.each(['', '1a', 'a b', 'a>', 'a/', '-a', 'a\u0000', '<'])('refuses the name %j', (name) => {
    expect(() => serializeXml(xmlElement(name))).toThrow(XmlError);
    expect(() => serializeXml(xmlElement('a', { [name]: '' }))).toThrow(XmlError);
  });

  test.each(['\0', '\u001f', '\ufffe', '\ud800', '\udc00x'])('refuses the text %j', (text) => {
    expect(() => serializeXml(xmlElement('a', {}, [text]))).toThrow(XmlError);
    expect(() => serializeXml(xmlElement('a', { b: text }))).toThrow(XmlError);
  });

  test('refuses nesting without end', () => {
    let tree = xmlElement('a');
    for (let depth = 0; depth < 512; depth += 1) tree = xmlElement('a', {}, [tree]);
    expect(() => serializeXml(tree)).toThrow(XmlError);
  });
});
