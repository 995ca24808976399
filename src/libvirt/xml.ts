import { XmlParser } from './xml-parser.ts';
import { XmlError, type XmlElement } from './xml-tree.ts';

/**
 * XML of libvirt: a strict parser of what it sends, bounded in size and depth, and the way back.
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
  type XmlPosition,
} from './xml-tree.ts';

/** libvirt's own limit to a string. */
const xmlCharactersMax = 4_194_304;
/** A domain with hundreds of devices has some thousands, and `<backingStore>` nests 200 times. */
const limits = { elementsMax: 100_000, depthMax: 512 };

/** Parses one document; throws `XmlError`. */
export function parseXml(text: string): XmlElement {
  if (text.length > xmlCharactersMax) {
    throw new XmlError(`more than ${xmlCharactersMax} characters`);
  }
  // XML ends lines with "\n" only, whatever they are stored with.
  const lines = text.includes('\r') ? text.replaceAll(/\r\n?/g, '\n') : text;
  return new XmlParser(lines, limits).parse();
}
