/**
 * The places of a seed in a domain's XML. cloud-init finds its own on a read-only disk, which no guest
 * can eject, by the label in it; Ignition asks QEMU for its own by a name (fw_cfg). What is in a place
 * of ours is told by its digest, and anything else as it stands, which no document can ask for.
 */
import { relative } from 'node:path';
import type { XmlElement, XmlNode } from '../../libvirt/xml.ts';
import type { Owner } from '../../model/identity.ts';
import { digestIn, type SeedForm, secondaryOf, seedName, seedNamed } from '../../model/seed.ts';
import { HostError } from '../host-error.ts';
import type { StoreLayout } from '../local/layout.ts';
import { isSeedDisk, type Ours, SEED_ALIAS, targetOf } from './domain-parts.ts';
import {
  attributeOf,
  childNamed,
  edit,
  element,
  elementsNamed,
  withAttributes,
} from './xml-tree.ts';

/** What Ignition asks for on QEMU, on Fedora CoreOS and elsewhere. */
const IGNITION_ENTRY = 'opt/com.coreos/config';

export function readSeedDisk(
  devices: readonly XmlElement[],
  owner: Owner | null,
  layout: StoreLayout,
): string | null {
  const disk = devices.find(isSeedDisk);
  if (disk === undefined) return null;
  const path = attributeOf(childNamed(disk, 'source'), 'file');
  const isSo =
    attributeOf(childNamed(disk, 'driver'), 'type') === 'raw' &&
    childNamed(disk, 'readonly') !== undefined;
  return (isSo ? digestAt(path, 'cloud-init', owner, layout) : null) ?? `${path} (edited)`;
}

export function readIgnition(
  domain: XmlElement,
  ours: Ours,
  owner: Owner | null,
  layout: StoreLayout,
): string | null {
  const entry = firmwareOf(domain)?.children.find(isIgnition);
  if (entry === undefined || !ours.ignition) return null;
  const path = attributeOf(entry, 'file');
  return digestAt(path, 'ignition', owner, layout) ?? `${path} (edited)`;
}

/** The digest of the Secondary's own seed, if that is what the path leads to. */
function digestAt(
  path: string | undefined,
  form: SeedForm,
  owner: Owner | null,
  layout: StoreLayout,
): string | null {
  if (path === undefined || owner === null) return null;
  const [folder = ''] = relative(layout.seedsDir, path).split('/');
  const name = seedName(folder);
  if (name === undefined || secondaryOf(name) !== owner.secondary) return null;
  return path === layout.seedFile(name, form) ? digestIn(name) : null;
}

export function withSeedDisk(
  devices: readonly XmlNode[],
  digest: string | null,
  owner: Owner,
  layout: StoreLayout,
): readonly XmlNode[] {
  const isIts = (child: XmlNode) => typeof child !== 'string' && isSeedDisk(child);
  if (digest === null) return devices.filter((child) => !isIts(child));
  const file = fileOf(digest, 'cloud-init', owner, layout);
  if (!devices.some(isIts)) return [...devices, seedDisk(newDisk(devices), file)];
  return devices.map((child) =>
    typeof child !== 'string' && isSeedDisk(child) ? seedDisk(child, file) : child,
  );
}

/** @throws HostError if the text is no digest */
function fileOf(digest: string, form: SeedForm, { secondary }: Owner, layout: StoreLayout): string {
  const name = seedNamed(secondary, digest);
  if (name === null) throw new HostError('Refused', `${digest} is no seed`);
  return layout.seedFile(name, form);
}

const places = ['z', 'y', 'x', 'w', 'v', 'u', 't', 's', 'r', 'q'];

/** Behind all Volumes, of which another may come: the last place that is free. */
function newDisk(devices: readonly XmlNode[]): XmlElement {
  const taken = new Set(devices.map((child) => (typeof child === 'string' ? '' : targetOf(child))));
  const target = places.map((letter) => `vd${letter}`).find((each) => !taken.has(each));
  if (target === undefined) throw new HostError('Refused', 'the domain has no place for a seed');
  return element('disk', { type: 'file', device: 'disk' }, [
    element('target', { dev: target, bus: 'virtio' }),
  ]);
}

function seedDisk(current: XmlElement, file: string): XmlElement {
  return edit(withAttributes(current, { type: 'file', device: 'disk' }), [
    [
      'driver',
      (driver) => withAttributes(driver ?? element('driver', { name: 'qemu' }), { type: 'raw' }),
    ],
    ['source', () => element('source', { file })],
    ['backingStore', () => element('backingStore')],
    ['readonly', () => element('readonly')],
    ['alias', (alias) => alias ?? element('alias', { name: SEED_ALIAS })],
  ]);
}

/** @throws HostError `Refused` where somebody else gives the guest a configuration */
export function withIgnition(
  domain: XmlElement,
  digest: string | null,
  ours: Ours,
  owner: Owner,
  layout: StoreLayout,
): XmlElement {
  const there = firmwareOf(domain);
  const isThere = there?.children.some(isIgnition) ?? false;
  if (digest === null) return isThere && ours.ignition ? without(domain, there) : domain;
  if (isThere && !ours.ignition) {
    throw new HostError('Refused', `somebody else has given the domain a ${IGNITION_ENTRY}`);
  }
  const file = fileOf(digest, 'ignition', owner, layout);
  const entry = element('entry', { name: IGNITION_ENTRY, file });
  if (there === undefined) {
    const firmware = element('sysinfo', { type: 'fwcfg' }, [entry]);
    return { ...domain, children: [...domain.children, firmware] };
  }
  const others = there.children.filter((child) => !isIgnition(child));
  return replaced(domain, there, { ...there, children: [...others, entry] });
}

function without(domain: XmlElement, there: XmlElement | undefined): XmlElement {
  if (there === undefined) return domain;
  const children = there.children.filter((child) => !isIgnition(child));
  const isEmpty = children.every((child) => typeof child === 'string');
  return replaced(domain, there, isEmpty ? null : { ...there, children });
}

function replaced(domain: XmlElement, there: XmlElement, by: XmlElement | null): XmlElement {
  const children = domain.children.flatMap((child) => {
    if (child !== there) return [child];
    return by === null ? [] : [by];
  });
  return { ...domain, children };
}

/** A domain may have one of each type; the others are an operator's. */
function firmwareOf(domain: XmlElement): XmlElement | undefined {
  return elementsNamed(domain, 'sysinfo').find((each) => attributeOf(each, 'type') === 'fwcfg');
}

function isIgnition(child: XmlNode): child is XmlElement {
  return (
    typeof child !== 'string' &&
    child.name === 'entry' &&
    attributeOf(child, 'name') === IGNITION_ENTRY
  );
}
