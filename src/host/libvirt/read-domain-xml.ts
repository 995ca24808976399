/** A domain's XML to the fields that unnest manages. What it does not manage is not looked at. */
import { relative } from 'node:path';
import { parseXml, type XmlElement } from '../../libvirt/xml.ts';
import type { DomainFields } from '../../model/domain.ts';
import { installationId, type Owner } from '../../model/identity.ts';
import { FILE_NAME_PATTERN, partitionName, secondaryName } from '../../model/names.ts';
import { policyFrom, readApplied } from './applied-fields.ts';
import {
  attributeOf,
  childNamed,
  elementsOf,
  isRootDisk,
  isSerialConsole,
  MARK_APPLIED,
  MARK_NAMESPACE,
  MARK_STOP,
  markOf,
  oursIn,
  textOf,
} from './domain-parts.ts';

export interface ReadDomain {
  readonly owner: Owner | null;
  readonly fields: DomainFields;
  readonly stopAsked: boolean;
  readonly lastApplied: DomainFields | null;
}

/**
 * @param storeDir the folder whose files are named, not pathed, in documents
 * @throws Error if the XML is not what libvirt writes
 */
export function readDomainXml(xml: string, storeDir: string): ReadDomain {
  const domain = parseXml(xml);
  const applied = readApplied(attributeOf(markOf(domain), MARK_APPLIED));
  const ours = oursIn(domain);
  const vcpu = childNamed(domain, 'vcpu');
  const vcpusMax = wholeNumber(textOf(vcpu), 'vcpu');
  const memoryMaxBytes = bytesOf(childNamed(domain, 'memory'));
  const current = childNamed(domain, 'currentMemory');
  const devices = elementsOf(childNamed(domain, 'devices'));
  return {
    owner: readMark(domain),
    lastApplied: applied,
    stopAsked: attributeOf(markOf(domain), MARK_STOP) === 'asked',
    fields: {
      vcpus: wholeNumber(attributeOf(vcpu, 'current') ?? String(vcpusMax), 'vcpu current'),
      vcpusMax,
      memoryBytes: current === undefined ? memoryMaxBytes : bytesOf(current),
      memoryMaxBytes,
      ...readBoot(domain, ours.disk ? devices : [], storeDir),
      serialConsole: ours.serial && devices.some(isSerialConsole),
      ...policyFrom(applied),
    },
  };
}

type BootFields = Pick<DomainFields, 'kernel' | 'initrd' | 'commandLine' | 'disk' | 'diskFormat'>;

function readBoot(
  domain: XmlElement,
  devices: readonly XmlElement[],
  storeDir: string,
): BootFields {
  const os = childNamed(domain, 'os');
  const kernel = nameInStore(textOf(childNamed(os, 'kernel')), storeDir);
  const disk = devices.find(isRootDisk);
  return {
    kernel,
    initrd: nameInStore(textOf(childNamed(os, 'initrd')), storeDir),
    // An empty command line is not written by libvirt, but it is one.
    commandLine: textOf(childNamed(os, 'cmdline')) ?? (kernel === null ? null : ''),
    disk: nameInStore(attributeOf(childNamed(disk, 'source'), 'file'), storeDir),
    diskFormat: attributeOf(childNamed(disk, 'driver'), 'type') ?? null,
  };
}

/** A file of the store by its name; any other path as it is, which no document can ask for. */
function nameInStore(path: string | undefined, storeDir: string): string | null {
  if (path === undefined) return null;
  const name = relative(storeDir, path);
  return FILE_NAME_PATTERN.test(name) ? name : path;
}

/** Null unless there is a mark and every part of it is well formed. */
function readMark(domain: XmlElement): Owner | null {
  const mark = markOf(domain);
  if (attributeOf(mark, 'xmlns:unnest') !== MARK_NAMESPACE) return null;
  const installation = installationId(attributeOf(mark, 'installation') ?? '');
  const partition = partitionName(attributeOf(mark, 'partition') ?? '');
  const secondary = secondaryName(attributeOf(mark, 'name') ?? '');
  if (installation === undefined || partition === undefined || secondary === undefined) return null;
  return { installation, partition, secondary };
}

/** libvirt always answers in KiB, whatever was written. */
function bytesOf(element: XmlElement | undefined): number {
  const unit = attributeOf(element, 'unit') ?? 'KiB';
  if (unit !== 'KiB') throw new Error(`a memory size in ${unit}, where libvirt writes KiB`);
  return wholeNumber(textOf(element), element?.name ?? 'memory') * 1024;
}

function wholeNumber(text: string | undefined, what: string): number {
  const value = Number(text);
  if (text !== undefined && /^[0-9]{1,15}$/.test(text)) return value;
  throw new Error(`no whole number in <${what}>`);
}
