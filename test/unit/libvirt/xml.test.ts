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
    ['too many elements', `<a>${'<b/>'.repeat(200_001)}</a>`],
    ['too many characters', `<a>${'x'.repeat(4_194_304)}</a>`],
  ])('refuses %s', (_, text) => {
    expect(() => parseXml(text)).toThrow(XmlError);
  });

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
