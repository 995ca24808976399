/**
 * A general XML parser as the judge of ours. Three differences are meant, beside our limits:
 *
 * - It takes some XML declarations that the standard does not allow, such as one with
 *   `encoding=""`, with `encoding` alone, or without white space before `standalone`.
 *   Ours refuses them.
 * - It refuses an attribute `xml:space` with other values than two. That is an error, and not one
 *   of well-formedness; libvirt takes it, and so does ours.
 * - It has an empty text for an empty CDATA section. Ours has no empty texts.
 *
 * It knows document types too, which are taken here for a refusal.
 */
import {
  parseXml as parseDocument,
  XmlElement as Element,
  XmlError as SyntaxFault,
  XmlNode as Node,
  XmlText,
} from '@rgrove/parse-xml';
import { parseXml, type XmlElement, XmlError, type XmlNode } from '../../../src/libvirt/xml.ts';

/** A tree as text that shows the order of attributes too; null for a refusal. */
export type Verdict = string | null;

/** What our parser says. Lets through any error but its own. */
export function verdictOfOurs(text: string): Verdict {
  try {
    return show(parseXml(text));
  } catch (error) {
    if (error instanceof XmlError && error.position !== undefined) return null;
    throw error;
  }
}

export function verdictOfOracle(text: string): Verdict {
  try {
    const { children } = parseDocument(text.replaceAll(/\r\n?/g, '\n'), {
      preserveDocumentType: true,
    });
    const root = children.find((node) => node instanceof Element);
    if (root === undefined || children.some(({ type }) => type === Node.TYPE_DOCUMENT_TYPE)) {
      return null;
    }
    return show(convert(root));
  } catch (error) {
    if (error instanceof SyntaxFault) return null;
    throw error;
  }
}

const declaration = /^(\uFEFF?)<\?xml[ \t\r\n][^>]*\?>/;

/** Whether the XML declaration is all that they disagree about. */
export function differByDeclaration(text: string): boolean {
  if (!declaration.test(text) || verdictOfOurs(text) !== null) return false;
  const rest = text.replace(declaration, '$1');
  return verdictOfOurs(rest) === verdictOfOracle(text);
}

function convert({ name, attributes, children }: Element): XmlElement {
  const nodes: XmlNode[] = [];
  for (const child of children) {
    const last = nodes.at(-1);
    if (child instanceof Element) nodes.push(convert(child));
    else if (!(child instanceof XmlText) || child.text === '') continue;
    else if (typeof last === 'string') nodes[nodes.length - 1] = last + child.text;
    else nodes.push(child.text);
  }
  return { name, attributes: new Map(Object.entries(attributes)), children: nodes };
}

function show(element: XmlElement): string {
  return JSON.stringify(element, (_, value: unknown) =>
    value instanceof Map ? [...value.entries()] : value,
  );
}
