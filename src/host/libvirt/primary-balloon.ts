/**
 * Memory carved by the balloon, of a Primary without a virtio-mem device. A guest takes back what its
 * balloon has given whenever it likes, and has forgotten it when it boots anew: so memory counts as
 * given only once the limit of its own control group (`<memtune><hard_limit>`) holds the virtual machine
 * to what is left. What goes beyond that is killed, and that is nobody else.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection, Domain } from '../../libvirt/index.ts';
import { parseXml, type XmlElement } from '../../libvirt/xml.ts';
import { overheadBytes } from '../../model/overhead.ts';
import { bytesOf, readTranslationCache, wholeNumber } from './domain-numbers.ts';
import { attributeOf, childNamed, elementsNamed, textOf } from './xml-tree.ts';

/** Of what is carved; a guest gives and takes pages of 4 KiB. */
const blockBytes = 2 ** 20;

/** Null: there is none that its guest could have a driver for. */
export function balloonIn(domain: XmlElement) {
  const [balloon] = elementsNamed(childNamed(domain, 'devices'), 'memballoon');
  const isThere = attributeOf(balloon, 'model')?.startsWith('virtio') ?? false;
  return isThere ? { blockBytes, sizeBytes: bytesOf(childNamed(domain, 'memory')) } : null;
}

/** What its guest has of it, and what it may take without anybody's leave. */
export function balloonHas(domain: XmlElement): number {
  const all = bytesOf(childNamed(domain, 'memory'));
  const current = bytesOf(childNamed(domain, 'currentMemory'));
  const limit = childNamed(childNamed(domain, 'memtune'), 'hard_limit');
  if (limit === undefined) return all;
  return Math.min(all, Math.max(current, bytesOf(limit) - besides(domain)));
}

function besides(domain: XmlElement): number {
  return overheadBytes({
    vcpus: wholeNumber(textOf(childNamed(domain, 'vcpu')), 'vcpu'),
    memoryBytes: bytesOf(childNamed(domain, 'memory')),
    translationCacheBytes: readTranslationCache(domain),
  });
}

/** libvirt's word for none, in KiB. */
const unlimitedKiB = 9_007_199_254_740_991;
/** The balloon of a guest that runs follows in less; for the others somebody looks again. */
const followMs = 3000;
const lookMs = 100;

type Domains = Pick<Connection['domains'], 'xml' | 'setMemory' | 'setMemoryParams' | 'isActive'>;

/** That it was asked says nothing of what its guest gives; until it has, nothing limits it to less. */
export async function setBalloon(
  domains: Domains,
  domain: Domain,
  bytes: number,
  signal: AbortSignal,
): Promise<void> {
  const read = async (inactive: boolean) =>
    parseXml(await domains.xml(domain, { inactive, signal }));
  const limit = async (xml: XmlElement, side: object) => {
    const isAll = bytes >= bytesOf(childNamed(xml, 'memory'));
    const hardLimit = isAll ? unlimitedKiB : (bytes + besides(xml)) / 1024;
    await domains.setMemoryParams(domain, { hard_limit: hardLimit }, { ...side, signal });
  };
  await domains.setMemory(domain, bytes / 1024, { config: true, signal });
  await limit(await read(true), { config: true });
  if (!(await domains.isActive(domain, { signal }))) return;
  const before = await read(false);
  if (bytes > balloonHas(before)) await limit(before, { live: true });
  await domains.setMemory(domain, bytes / 1024, { live: true, signal });
  for (let leftMs = followMs; leftMs > 0; leftMs -= lookMs) {
    const now = await read(false);
    if (bytesOf(childNamed(now, 'currentMemory')) <= bytes) return limit(now, { live: true });
    await sleep(lookMs, undefined, { signal });
  }
}
