/** In which control group libvirt starts a domain: `<resource><partition>`. */
import type { XmlElement } from '../../libvirt/xml.ts';
import { type Owner, slicePath, SLICES } from '../../model/identity.ts';
import { HostError } from '../host-error.ts';
import { childNamed, edit, element, textOf } from './xml-tree.ts';

/** A group of an operator's own is none of ours, and as good as libvirt's own choice. */
export function readSlice(domain: XmlElement, owner: Owner | null): string {
  const path = pathIn(childNamed(domain, 'resource'));
  if (path === undefined || !isOurs(path)) return 'None';
  return owner !== null && path === slicePath(owner) ? 'Partition' : path;
}

/** What else libvirt is told of resources stays. */
export function withSlice(
  resource: XmlElement | undefined,
  wanted: string,
  owner: Owner,
): XmlElement | null {
  const path = pathIn(resource);
  switch (wanted) {
    case 'Partition':
      return edit(resource ?? element('resource'), [
        ['partition', () => element('partition', {}, [slicePath(owner)])],
      ]);
    case 'None': {
      if (resource === undefined || path === undefined || !isOurs(path)) return resource ?? null;
      const rest = edit(resource, [['partition', () => null]]);
      return rest.children.some((child) => typeof child !== 'string') ? rest : null;
    }
    default:
      throw new HostError('Refused', `no slice is called ${wanted}`);
  }
}

function pathIn(resource: XmlElement | undefined): string | undefined {
  return textOf(childNamed(resource, 'partition'));
}

function isOurs(path: string): boolean {
  return path === SLICES || path.startsWith(`${SLICES}/`);
}
