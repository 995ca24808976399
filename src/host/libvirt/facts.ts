/** What new domains run on, out of libvirt's capabilities, and what the host has for them. */
import type { ReadOnlyConnection } from '../../libvirt/index.ts';
import { parseXml, type XmlElement } from '../../libvirt/xml.ts';
import type { HostFacts, Platform } from '../../model/domain.ts';
import { attributeOf, childNamed, elementsOf, textOf } from './xml-tree.ts';

export async function readFacts(
  connection: ReadOnlyConnection,
  signal: AbortSignal,
): Promise<HostFacts> {
  const [capabilities, { cpus, memoryKiB }] = await Promise.all([
    connection.node.capabilities({ signal }),
    connection.node.info({ signal }),
  ]);
  return { platform: platformFrom(capabilities), cpus, memoryBytes: Number(memoryKiB) * 1024 };
}

/** Best first. `test` is libvirt's own driver for tests. */
const domainTypes = ['kvm', 'qemu', 'test'];

/** @throws Error if the host can run no guest of its own architecture. */
export function platformFrom(capabilities: string): Platform {
  const root = parseXml(capabilities);
  const host = childNamed(root, 'host');
  const architecture = textOf(childNamed(childNamed(host, 'cpu'), 'arch'));
  const guests = elementsOf(root).filter(({ name }) => name === 'guest');
  const arch = guests
    .map((guest) => childNamed(guest, 'arch'))
    .find((each) => attributeOf(each, 'name') === architecture || guests.length === 1);
  const offered = elementsOf(arch)
    .filter(({ name }) => name === 'domain')
    .map(typeOf);
  const domainType = domainTypes.find((type) => offered.includes(type));
  if (domainType === undefined) {
    throw new Error(`libvirt can run no guest of architecture ${architecture ?? '(unknown)'} here`);
  }
  const emulates = domainType === 'kvm' || domainType === 'qemu';
  return { domainType, machine: emulates && architecture === 'x86_64' ? 'q35' : null };
}

function typeOf(domain: XmlElement): string {
  return attributeOf(domain, 'type') ?? '';
}
