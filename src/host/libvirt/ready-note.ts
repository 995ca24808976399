/**
 * The note that a guest was found ready, in the metadata of what runs and not of its definition: libvirt
 * keeps it through its own restarts, and drops it when the run ends. It names the run, in case another
 * one has begun before it was written.
 */
import { serializeXml, type XmlElement } from '../../libvirt/xml.ts';
import type { FoundReady } from '../ports.ts';
import { attributeOf, childNamed, element } from './xml-tree.ts';

/** Apart from our mark: of each namespace libvirt keeps one element. */
export const READY_NAMESPACE = 'https://unnest.dev/ns/ready/v1';
export const READY_PREFIX = 'unnest-ready';

export function writeReadyNote({ runId, check }: FoundReady): string {
  return serializeXml(element('run', { id: `${runId}`, check }));
}

/** @param domain of a running one @returns the check that this very run has passed; null: none */
export function readReadyNote(domain: XmlElement): string | null {
  const note = childNamed(childNamed(domain, 'metadata'), `${READY_PREFIX}:run`);
  if (attributeOf(note, `xmlns:${READY_PREFIX}`) !== READY_NAMESPACE) return null;
  const run = attributeOf(domain, 'id');
  return run !== undefined && attributeOf(note, 'id') === run
    ? (attributeOf(note, 'check') ?? null)
    : null;
}
