/**
 * One Secondary against the domain that the host has. Only what the documents set is compared, so
 * that what libvirt fills in by itself is never a difference.
 */
import {
  type DomainFields,
  fieldsOf,
  type Observed,
  type ObservedDomain,
  type PolicyFields,
} from '../model/domain.ts';
import { domainName, type Owner, sameOwner, secondaryUuid } from '../model/identity.ts';
import { byName, type SecondaryName } from '../model/names.ts';
import { type DesiredState, filesOf, type Secondary } from '../model/secondary.ts';
import { splitUses } from '../model/volume.ts';
import type { Block, Change, PowerChange, UpdateChange } from './change.ts';
import { diskMoves } from './disks.ts';
import { definitionChanges, type FieldChange, runningChanges } from './fields.ts';
import { blocked, looked } from './ownership.ts';

/** Why the Volumes and the network cannot give a Secondary what it needs; null: they can. */
export type PartsOf = (secondary: Secondary) => Block | null;

/** One change for each Secondary that is wanted or there, by name. */
export function diffSecondaries(
  desired: DesiredState,
  observed: Observed,
  partsOf: PartsOf,
): readonly Change[] {
  const names = new Set([...desired.secondaries.keys(), ...observed.domains.keys()]);
  return [...names].sort(byName).flatMap((name) => {
    const wanted = desired.secondaries.get(name);
    const change =
      wanted === undefined ? unwanted(name, observed) : wantedChange(wanted, observed, partsOf);
    return change === null ? [] : [change];
  });
}

function unwanted(name: SecondaryName, observed: Observed): Change | null {
  const domain = observed.domains.get(name);
  if (domain === undefined || domain.status === 'absent') return null;
  if (domain.status === 'unknown') return blocked(name, 'HostUnknown', domain.why);
  const foreign = ownershipBlock(domain.value, ownerOf(name, observed));
  // Something foreign that nobody asks for is none of our business, not even as a message.
  if (foreign !== null) return null;
  if (domain.value.lastApplied === null) {
    const message = 'its mark cannot be read, so nobody knows whether it is protected';
    return blocked(name, 'MarkUnreadable', message);
  }
  if (domain.value.defined.protect) {
    const message = 'it is protected: apply its document with protect: false before it goes';
    return blocked(name, 'Protected', message);
  }
  return { kind: 'delete', name, observed: domain.value };
}

function wantedChange(secondary: Secondary, observed: Observed, partsOf: PartsOf): Change {
  const { name } = secondary;
  const domain = looked(observed.domains.get(name));
  switch (domain.status) {
    case 'unknown':
      return blocked(name, 'HostUnknown', domain.why);
    case 'absent':
      return absentChange(secondary, observed, partsOf);
    case 'present':
      return presentChange(secondary, domain.value, observed, partsOf);
  }
}

function absentChange(secondary: Secondary, observed: Observed, partsOf: PartsOf): Change {
  const { name } = secondary;
  const block = missingPart(secondary, observed, partsOf);
  if (block !== null) return { kind: 'blocked', name, block };
  return { kind: 'create', name, secondary, asked: null };
}

function presentChange(
  secondary: Secondary,
  domain: ObservedDomain,
  observed: Observed,
  partsOf: PartsOf,
): Change {
  const { name } = secondary;
  const block = ownershipBlock(domain, ownerOf(name, observed));
  if (block !== null) return { kind: 'blocked', name, block };
  const unstartable = missingPart(secondary, observed, partsOf);
  const change = compare(secondary, domain, unstartable);
  if (change.definition.some(isOfHardware)) {
    const moved = diskMoved(secondary, domain);
    if (moved !== null) return blocked(name, 'DiskMoved', moved);
    if (domain.saved) {
      return blocked(name, 'SavedState', savedWords(domain));
    }
  }
  const missing = needsParts(change)
    ? unstartable
    : needsHost(change)
      ? unknownHost(observed)
      : null;
  return missing === null ? change : { kind: 'blocked', name, block: missing };
}

/** It cannot be started as it is wanted, only as it was. */
function savedWords({ domainName: domain }: ObservedDomain): string {
  return `its memory is saved with what it had: put that back and let it run, or have the operator give it up with \`virsh managedsave-remove ${domain}\``;
}

function compare(
  secondary: Secondary,
  observed: ObservedDomain,
  unstartable: Block | null,
): UpdateChange {
  const wanted = fieldsOf(secondary, observed.defined);
  return {
    kind: 'update',
    name: secondary.name,
    secondary,
    observed,
    definition: definitionChanges(observed, wanted),
    running: runningChanges(observed, wanted),
    power: powerChange(secondary, observed),
    asked: null,
    unstartable,
  };
}

function powerChange(secondary: Secondary, observed: ObservedDomain): PowerChange {
  const { power } = observed;
  switch (secondary.runPolicy) {
    case 'Manual':
      return 'none';
    case 'Halted':
      return power.status === 'stopped' ? 'none' : 'stop';
    case 'Always':
    case 'RerunOnFailure':
      if (power.status === 'paused') return 'resume';
      if (power.status !== 'stopped') return 'none';
      return finishedByItself(secondary, observed) ? 'none' : 'start';
  }
}

/** What `RerunOnFailure` leaves alone; a stop that we asked for is not the guest's own. */
function finishedByItself({ runPolicy }: Secondary, { power, stopAsked }: ObservedDomain): boolean {
  return (
    runPolicy === 'RerunOnFailure' &&
    !stopAsked &&
    power.status === 'stopped' &&
    power.reason === 'guest-shutdown'
  );
}

/**
 * A guest that runs on, or is stopped, needs no file; a definition, a start and a disk that it gets do. To be
 * halted must not need what may be mended only once it is.
 */
export function needsParts(change: UpdateChange): boolean {
  const { definition, running, power } = change;
  if (power === 'stop') return false;
  const restarts = running.some(({ impact }) => impact === 'restart');
  const getsDisks = diskMoves(change).attach.length > 0;
  return definition.some(isOfHardware) || power === 'start' || restarts || getsDisks;
}

function isOfHardware({ field }: FieldChange): boolean {
  return !policyFields.has(field);
}

const policyFields: ReadonlySet<string> = new Set<keyof PolicyFields>([
  'runPolicy',
  'updatePolicy',
  'stopGraceMs',
  'forceStop',
  'protect',
  'labels',
  'startAfter',
  'readiness',
  'readinessPort',
]);

/** A definition that is gone is made anew, on what the host offers. */
function needsHost({ observed }: UpdateChange): boolean {
  return !observed.persistent;
}

function unknownHost({ facts }: Observed): Block | null {
  if (facts.status === 'present') return null;
  const message = facts.status === 'unknown' ? facts.why : 'no hypervisor';
  return { code: 'HostUnknown', message };
}

/** Everything that a start would need and that can be known beforehand. */
function missingPart(secondary: Secondary, observed: Observed, partsOf: PartsOf): Block | null {
  const unknown = unknownHost(observed);
  if (unknown !== null) return unknown;
  for (const file of filesOf(secondary.boot)) {
    const size = observed.files.get(file);
    if (size === undefined || size.status === 'absent') {
      const message = `"${file}" is not in the store of partition ${observed.partition}`;
      return { code: 'FileMissing', message };
    }
    if (size.status === 'unknown') return { code: 'FileUnknown', message: size.why };
  }
  return partsOf(secondary);
}

/**
 * Somebody put another disk in the place of the one that was asked for: an overlay of a snapshot,
 * perhaps. Going back to the old one would lose what was written since.
 */
function diskMoved(secondary: Secondary, { defined, lastApplied }: ObservedDomain): string | null {
  const { disk, bootVolume, volumes } = fieldsOf(secondary);
  if (lastApplied === null) return null;
  if (disk !== null && lastApplied.disk === disk && defined.disk !== disk) {
    return `its disk ${disk} was replaced by ${defined.disk ?? 'none'} on the host`;
  }
  const had = disksIn(lastApplied);
  const has = disksIn(defined);
  const strange = has.find((each) => splitUses(each).length === 0);
  const lost = disksIn({ bootVolume, volumes }).find(
    (each) => had.includes(each) && !has.includes(each),
  );
  if (strange === undefined || lost === undefined) return null;
  return `its Volume ${lost.replace(/:.*/, '')} was replaced by ${strange} on the host`;
}

/** One text for each Volume; of what somebody put in the place of one whatever is told of it. */
function disksIn({ bootVolume, volumes }: Pick<DomainFields, 'bootVolume' | 'volumes'>) {
  return [bootVolume ?? '', ...volumes.split(',')].filter((text) => text !== '');
}

/** Null if the domain is ours to change; otherwise why it is not (invariant 2). */
function ownershipBlock(domain: ObservedDomain, owner: Owner): Block | null {
  if (domain.owner === null) {
    const message = `the host has a domain "${domain.domainName}" that unnest did not make`;
    return { code: 'NameTaken', message };
  }
  const ours =
    sameOwner(domain.owner, owner) &&
    domain.uuid === secondaryUuid(owner) &&
    domain.domainName === domainName(owner.partition, owner.secondary);
  if (ours) return null;
  const { installation, partition, secondary } = domain.owner;
  const message = `domain "${domain.domainName}" (${domain.uuid}) is marked as ${partition}/${secondary} of installation ${installation}`;
  return { code: 'MarkMismatch', message };
}

function ownerOf(secondary: SecondaryName, { installation, partition }: Observed): Owner {
  return { installation, partition, secondary };
}
