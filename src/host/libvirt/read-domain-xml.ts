/** A domain's XML to the fields that unnest manages. What it does not manage is not looked at. */
import { relative } from 'node:path';
import { parseXml, type XmlElement } from '../../libvirt/xml.ts';
import type { AgentState, DomainFields } from '../../model/domain.ts';
import type { Owner } from '../../model/identity.ts';
import { imageName, secondaryName } from '../../model/names.ts';
import type { BootFormat } from '../../model/volume.ts';
import type { StoreLayout } from '../local/layout.ts';
import { policyFrom, readApplied } from './applied-fields.ts';
import { bytesOf, readTranslationCache, wholeNumber } from './domain-numbers.ts';
import { readNic } from './domain-nic.ts';
import { readSlice } from './domain-slice.ts';
import { isAgentChannel, isSerialConsole, MARK_STOP, markOf, oursIn } from './domain-parts.ts';
import { readVsock } from './domain-vsock.ts';
import { MARK_APPLIED, partitionOwnerOf } from './mark.ts';
import { readIgnition, readSeedDisk } from './seed-parts.ts';
import { nameInStore, readDisks } from './read-disks.ts';
import { freePorts } from './root-ports.ts';
import { readReadyNote } from './ready-note.ts';
import { attributeOf, childNamed, elementsOf, textOf } from './xml-tree.ts';

export interface ReadDomain {
  readonly owner: Owner | null;
  readonly fields: DomainFields;
  readonly stopAsked: boolean;
  readonly lastApplied: DomainFields | null;
  /** Of the guest, if it is the XML of one. */
  readonly agent: AgentState;
  readonly foundReady: string | null;
  readonly foreignCid: number | null;
  readonly translationCacheBytes: number;
  /** Of the guest, if it is the XML of one. */
  readonly portsFree: number;
}

/**
 * @param layout whose files are named, not pathed, in documents
 * @param order the Volumes in the order to tell them in; the one of the XML's own mark if not given
 * @param isPluggedIn of a running guest: whether its tap is in a bridge
 * @throws Error if the XML is not what libvirt writes
 */
export function readDomainXml(
  xml: string,
  layout: StoreLayout,
  order?: string,
  isPluggedIn: (tap: string) => boolean = () => true,
): ReadDomain {
  const domain = parseXml(xml);
  const applied = readApplied(attributeOf(markOf(domain), MARK_APPLIED));
  const owner = readMark(domain);
  const ours = oursIn(domain);
  const vcpu = childNamed(domain, 'vcpu');
  const vcpusMax = wholeNumber(textOf(vcpu), 'vcpu');
  const memoryMaxBytes = bytesOf(childNamed(domain, 'memory'));
  const current = childNamed(domain, 'currentMemory');
  const devices = elementsOf(childNamed(domain, 'devices'));
  const { vsock, foreignCid } = readVsock(childNamed(domain, 'devices'), owner, ours.vsock);
  return {
    owner,
    foreignCid,
    foundReady: readReadyNote(domain),
    lastApplied: applied,
    agent: readAgent(devices),
    translationCacheBytes: readTranslationCache(domain),
    portsFree: freePorts(domain),
    stopAsked: attributeOf(markOf(domain), MARK_STOP) === 'asked',
    fields: {
      vcpus: wholeNumber(attributeOf(vcpu, 'current') ?? String(vcpusMax), 'vcpu current'),
      vcpusMax,
      memoryBytes: current === undefined ? memoryMaxBytes : bytesOf(current),
      memoryMaxBytes,
      ...readBoot(domain, layout),
      ...readDisks(devices, layout, ours, order ?? applied?.volumes ?? ''),
      cloudInit: readSeedDisk(devices, owner, layout),
      ignition: readIgnition(domain, ours, owner, layout),
      network: readNic(devices, owner, isPluggedIn),
      slice: readSlice(domain, owner),
      serialConsole: ours.serial && devices.some(isSerialConsole),
      guestAgent: ours.agent && devices.some(isAgentChannel),
      vsock,
      ...policyFrom(applied),
    },
  };
}

/** Whoever has put the channel there. Only a running one has a state. */
function readAgent(devices: readonly XmlElement[]): AgentState {
  const channel = devices.find(isAgentChannel);
  if (channel === undefined) return 'none';
  const state = attributeOf(childNamed(channel, 'target'), 'state');
  return state === 'connected' ? 'connected' : 'disconnected';
}

type BootFields = Pick<
  DomainFields,
  'kernel' | 'initrd' | 'kernelImage' | 'initrdImage' | 'commandLine'
>;

function readBoot(domain: XmlElement, layout: StoreLayout): BootFields {
  const os = childNamed(domain, 'os');
  const [kernel, initrd] = [textOf(childNamed(os, 'kernel')), textOf(childNamed(os, 'initrd'))];
  const kernelImage = imageAt(kernel, 'bzImage', layout);
  const initrdImage = imageAt(initrd, 'initrd', layout);
  return {
    kernel: kernelImage === null ? nameInStore(kernel, layout) : null,
    initrd: initrdImage === null ? nameInStore(initrd, layout) : null,
    kernelImage,
    initrdImage,
    // An empty command line is not written by libvirt, but it is one.
    commandLine: textOf(childNamed(os, 'cmdline')) ?? (kernel === undefined ? null : ''),
  };
}

/** The name of the partition's Image, if that is where the path leads. */
function imageAt(path: string | undefined, format: BootFormat, layout: StoreLayout): string | null {
  if (path === undefined) return null;
  const [folder = ''] = relative(layout.imagesDir, path).split('/');
  const name = imageName(folder);
  return name !== undefined && path === layout.imageFile(name, format) ? name : null;
}

/** Null unless there is a mark and every part of it is well formed. */
function readMark(domain: XmlElement): Owner | null {
  const mark = markOf(domain);
  const owner = partitionOwnerOf(mark);
  const secondary = secondaryName(attributeOf(mark, 'name') ?? '');
  return owner === null || secondary === undefined ? null : { ...owner, secondary };
}
