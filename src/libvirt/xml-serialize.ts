import { indexOfNonCharacter, isXmlName } from './xml-characters.ts';
import { XmlError, type XmlElement, type XmlNode } from './xml-tree.ts';

/**
 * The one way in which this project makes XML: from a tree, every character escaped or refused.
 * Nothing is added, no indentation and no declaration, so that parsing gives the same tree back.
 */
const depthMax = 512;

/** Writes an element as text; throws `XmlError` for what XML 1.0 cannot hold. */
export function serializeXml(element: XmlElement): string {
  return serializeElement(element, 1);
}

function serializeElement({ name: tag, attributes, children }: XmlElement, depth: number): string {
  if (depth > depthMax) throw new XmlError(`more than ${depthMax} levels`);
  checkName(tag);
  let text = `<${tag}`;
  for (const [key, value] of attributes) {
    checkName(key);
    text += ` ${key}="${escaped(value, /[&<>"\t\n\r]/g)}"`;
  }
  if (children.length === 0) return `${text}/>`;
  text += '>';
  for (const child of children) text += serializeNode(child, depth);
  return `${text}</${tag}>`;
}

function serializeNode(node: XmlNode, depth: number): string {
  return typeof node === 'string' ? escaped(node, /[&<>\r]/g) : serializeElement(node, depth + 1);
}

function checkName(candidate: string): void {
  if (!isXmlName(candidate)) throw new XmlError(`${JSON.stringify(candidate)} is not an XML name`);
}

function escaped(text: string, special: RegExp): string {
  if (indexOfNonCharacter(text) !== -1) {
    throw new XmlError(`${JSON.stringify(text)} holds a character that XML cannot`);
  }
  return text.replace(special, (character) => references[character] ?? character);
}

/** White space goes as references where a parser would otherwise make it something else. */
const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};
