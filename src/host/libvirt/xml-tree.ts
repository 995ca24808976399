/** Looking into libvirt's XML, and changing a part of it while all else keeps its place. */
import type { XmlElement, XmlNode } from '../../libvirt/xml.ts';

export function childNamed(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return elementsOf(element).find((child) => child.name === name);
}

export function elementsOf(element: XmlElement | undefined): readonly XmlElement[] {
  return (element?.children ?? []).filter((child) => typeof child !== 'string');
}

export function elementsNamed(
  element: XmlElement | undefined,
  name: string,
): readonly XmlElement[] {
  return elementsOf(element).filter((child) => child.name === name);
}

export function textOf(element: XmlElement | undefined): string | undefined {
  if (element === undefined) return undefined;
  return element.children.filter((child) => typeof child === 'string').join('');
}

export function attributeOf(element: XmlElement | undefined, name: string): string | undefined {
  return element?.attributes.get(name);
}

export function element(
  name: string,
  attributes: Readonly<Record<string, string>> = {},
  children: readonly XmlNode[] = [],
): XmlElement {
  return { name, attributes: new Map(Object.entries(attributes)), children };
}

export function withAttributes(of: XmlElement, more: Readonly<Record<string, string>>): XmlElement {
  return { ...of, attributes: new Map([...of.attributes, ...Object.entries(more)]) };
}

export type Edit = readonly [
  name: string,
  change: (found: XmlElement | undefined) => XmlElement | null,
];

/** Changes the first child of each name, or appends it; null removes it. All else keeps its place. */
export function edit(parent: XmlElement, edits: readonly Edit[]): XmlElement {
  const children = [...parent.children];
  for (const [name, change] of edits) {
    const found = childNamed({ ...parent, children }, name);
    const index = found === undefined ? children.length : children.indexOf(found);
    const changed = change(found);
    children.splice(index, found === undefined ? 0 : 1, ...(changed === null ? [] : [changed]));
  }
  return { ...parent, children };
}

/** Only the children that pass; text stays. */
export function keeping(parent: XmlElement, keeps: (child: XmlElement) => boolean): XmlElement {
  const children = parent.children.filter((child) => typeof child === 'string' || keeps(child));
  return { ...parent, children };
}
