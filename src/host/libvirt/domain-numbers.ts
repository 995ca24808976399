/** Numbers in a domain's XML, as libvirt writes them. */
import type { XmlElement } from '../../libvirt/xml.ts';
import { TRANSLATION_CACHE_BYTES_DEFAULT } from '../../model/translation-cache.ts';
import { attributeOf, childNamed, textOf } from './xml-tree.ts';

/** QEMU translates code only where the processor cannot run it. */
export function readTranslationCache(domain: XmlElement): number {
  if (attributeOf(domain, 'type') !== 'qemu') return 0;
  const cache = childNamed(childNamed(childNamed(domain, 'features'), 'tcg'), 'tb-cache');
  return cache === undefined ? TRANSLATION_CACHE_BYTES_DEFAULT : bytesOf(cache);
}

/** libvirt always answers in KiB, whatever was written. */
export function bytesOf(element: XmlElement | undefined): number {
  const unit = attributeOf(element, 'unit') ?? 'KiB';
  if (unit !== 'KiB') throw new Error(`a memory size in ${unit}, where libvirt writes KiB`);
  return wholeNumber(textOf(element), element?.name ?? 'memory') * 1024;
}

export function wholeNumber(text: string | undefined, what: string): number {
  const value = Number(text);
  if (text !== undefined && /^[0-9]{1,15}$/.test(text)) return value;
  throw new Error(`no whole number in <${what}>`);
}
