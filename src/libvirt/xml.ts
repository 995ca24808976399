import {
  parseXml as parseDocument,
  XmlElement as Element,
  XmlError as SyntaxFault,
  XmlNode as Node,
  XmlText,
} from '@rgrove/parse-xml';
import { XmlError, type XmlElement, type XmlNode } from './xml-tree.ts';

/**
 * Strict parser of what libvirt sends. On top of the conforming parser underneath it bounds
 * size and depth and refuses document types, of which libvirt has none and attackers have many.
 * Comments, processing instructions and the XML declaration are dropped.
 */
export { serializeXml } from './xml-serialize.ts';
export {
  childElement,
  childElements,
  textOf,
  XmlError,
  xmlElement,
  type XmlElement,
  type XmlNode,
} from './xml-tree.ts';

/** libvirt's own limit to a string. */
const xmlCharactersMax = 4_194_304;
/** A domain with hundreds of devices has some thousands. */
const xmlElementsMax = 100_000;
/** libvirt nests `<backingStore>` up to 200 times. */
const xmlDepthMax = 512;

/** Parses one document; throws `XmlError`. */
export function parseXml(text: string): XmlElement {
  checkSize(text);
  const { children } = parseBounded(text);
  if (children.some((node) => node.type === Node.TYPE_DOCUMENT_TYPE)) {
    throw new XmlError('a document type is not allowed');
  }
  const root = children.find((node) => node instanceof Element);
  if (root === undefined) throw new XmlError('there is no root element');
  return convert(root, 1);
}

function checkSize(text: string): void {
  if (text.length > xmlCharactersMax)
    throw new XmlError(`more than ${xmlCharactersMax} characters`);
  // Every element begins with "<", so this bounds the tree before it is built.
  let tags = 0;
  for (let index = text.indexOf('<'); index !== -1; index = text.indexOf('<', index + 1)) {
    tags += 1;
    if (tags > 2 * xmlElementsMax) throw new XmlError(`more than ${xmlElementsMax} elements`);
  }
}

function parseBounded(text: string) {
  try {
    // XML ends lines with "\n" only. The parser does that too, but in quadratic time.
    return parseDocument(text.replaceAll(/\r\n?/g, '\n'), { preserveDocumentType: true });
  } catch (cause) {
    if (cause instanceof SyntaxFault) throw new XmlError('not well-formed', { cause });
    // The parser recurses per level, so that absurd nesting ends the stack.
    if (cause instanceof RangeError)
      throw new XmlError(`more than ${xmlDepthMax} levels`, { cause });
    throw cause;
  }
}

function convert(element: Element, depth: number): XmlElement {
  if (depth > xmlDepthMax) throw new XmlError(`more than ${xmlDepthMax} levels`);
  const children: XmlNode[] = [];
  for (const child of element.children) {
    if (child instanceof Element) children.push(convert(child, depth + 1));
    else if (child instanceof XmlText) addText(children, child.text);
  }
  return { name: element.name, attributes: new Map(Object.entries(element.attributes)), children };
}

/** Joins texts that a dropped comment or instruction stood between. */
function addText(children: XmlNode[], text: string): void {
  const last = children.at(-1);
  if (typeof last === 'string') children[children.length - 1] = last + text;
  else children.push(text);
}
