/**
 * XML as a plain, immutable tree. Order is kept, text is kept as it is (white space included),
 * names keep their prefixes, and namespaces are not interpreted: libvirt itself goes by names.
 */
export interface XmlElement {
  readonly name: string;
  /** In document order. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlNode[];
}

export type XmlNode = XmlElement | string;

/** Makes an element. Nothing is checked here; the serializer does. */
export function xmlElement(
  name: string,
  attributes: Readonly<Record<string, string>> = {},
  children: readonly XmlNode[] = [],
): XmlElement {
  return { name, attributes: new Map(Object.entries(attributes)), children };
}

/** The first child element of that name. */
export function childElement(parent: XmlElement, name: string): XmlElement | undefined {
  for (const child of parent.children) {
    if (typeof child !== 'string' && child.name === name) return child;
  }
  return undefined;
}

/** Every child element of that name, or of any name. */
export function childElements(parent: XmlElement, name?: string): readonly XmlElement[] {
  return parent.children.filter(
    (child): child is XmlElement =>
      typeof child !== 'string' && (name ?? child.name) === child.name,
  );
}

/** The text directly inside an element, without that of its children. */
export function textOf(element: XmlElement): string {
  return element.children.filter((child) => typeof child === 'string').join('');
}

/** Where in a text something is: both from 1, the column in UTF-16 units. */
export interface XmlPosition {
  readonly line: number;
  readonly column: number;
}

/** Why text is not XML that we take, and where; or why a tree cannot become XML. */
export class XmlError extends Error {
  override readonly name = 'XmlError';
  readonly position: XmlPosition | undefined;

  constructor(what: string, position?: XmlPosition) {
    super(position === undefined ? what : `${what}, at ${position.line}:${position.column}`);
    this.position = position;
  }
}
