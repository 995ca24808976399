/**
 * Our mark in the metadata of a domain or a network: whose it is, and what was last applied. It is
 * one element with attributes, so that libvirt keeps it as it is.
 */
import type { XmlElement } from '../../libvirt/xml.ts';
import { installationId, type PartitionOwner } from '../../model/identity.ts';
import { partitionName } from '../../model/names.ts';
import { attributeOf, childNamed, edit, element, withAttributes } from './xml-tree.ts';

/** The namespace of our mark; its version changes when the mark's attributes do. */
export const MARK_NAMESPACE = 'https://unnest.dev/ns/v1';
export const MARK_PREFIX = 'unnest';
/** What was last applied, as JSON: see `applied-fields.ts`. */
export const MARK_APPLIED = 'applied';

export type MarkName = `${typeof MARK_PREFIX}:${string}`;

/** Our mark, whoever's it says it is. */
export function markIn(root: XmlElement, name: MarkName): XmlElement | undefined {
  return childNamed(childNamed(root, 'metadata'), name);
}

/** Whose a mark says that it is; null unless every part of it is well formed. */
export function partitionOwnerOf(mark: XmlElement | undefined): PartitionOwner | null {
  if (attributeOf(mark, `xmlns:${MARK_PREFIX}`) !== MARK_NAMESPACE) return null;
  const installation = installationId(attributeOf(mark, 'installation') ?? '');
  const partition = partitionName(attributeOf(mark, 'partition') ?? '');
  return installation === undefined || partition === undefined ? null : { installation, partition };
}

/** Keeps what else is in the metadata, and what else is in the mark. */
export function withMark(
  metadata: XmlElement | undefined,
  name: MarkName,
  { installation, partition }: PartitionOwner,
  more: Readonly<Record<string, string>>,
): XmlElement {
  const attributes = {
    [`xmlns:${MARK_PREFIX}`]: MARK_NAMESPACE,
    installation,
    partition,
    ...more,
  };
  return edit(metadata ?? element('metadata'), [
    [name, (mark) => withAttributes(mark ?? element(name), attributes)],
  ]);
}
