/**
 * What each mutating call does to a simulated host, and what it refuses: as libvirt 9.0 does it, in
 * libvirt's words. test/contract holds both against each other. Each function is given a world that
 * is settled, and changes it or throws; never both.
 */
import type { DomainDefinition, DomainRef } from '../../model/domain.ts';
import { slicePath } from '../../model/identity.ts';
import type { FoundReady } from '../ports.ts';
import type { Temper } from './guest.ts';
import { HostError } from '../host-error.ts';
import { refused } from './refusal.ts';
import { stop } from './settle.ts';
import type { Guest, SimulatedDomain, World } from './world.ts';

/** What q35 takes without an IOMMU. */
const vcpusMax = 255;

export function define(world: World, wanted: DomainDefinition): void {
  const { uuid, domainName, owner, fields } = wanted;
  if (fields.vcpusMax > vcpusMax) {
    throw refused(`defining ${domainName}`, `more than ${vcpusMax} vCPUs are not supported`);
  }
  const current = world.domains.get(uuid);
  for (const other of world.domains.values()) {
    if (current !== undefined || other.domainName !== domainName) continue;
    throw refused(`defining ${domainName}`, `it already exists with uuid ${other.uuid}`);
  }
  world.domains.set(uuid, {
    uuid,
    // The fields are laid over what is there, and the name is not one of them.
    domainName: current?.domainName ?? domainName,
    persistent: true,
    definition: {
      owner,
      fields,
      lastApplied: fields,
      stopAsked: current?.definition.stopAsked ?? false,
    },
    stopReason: current?.stopReason ?? 'unknown',
    saved: current?.saved ?? false,
    guest: current?.guest ?? null,
  });
}

export function undefine(world: World, ref: DomainRef): void {
  const domain = find(world, ref, 'undefining');
  if (!domain.persistent) {
    throw refused(`undefining ${ref.domainName}`, 'cannot undefine transient domain');
  }
  domain.persistent = false;
  if (domain.guest === null) world.domains.delete(ref.uuid);
}

export interface Start {
  readonly temper: Temper;
  /** What it cannot come up without and is not there, in libvirt's words. */
  readonly missing: string | null;
  readonly nowMs: number;
}

export function start(world: World, ref: DomainRef, { temper, missing, nowMs }: Start): void {
  const domain = find(world, ref, 'starting');
  if (domain.guest !== null)
    throw refused(`starting ${ref.domainName}`, 'domain is already running');
  if (missing !== null) {
    // The one refusal that leaves a trace, with libvirt too.
    domain.stopReason = 'failed';
    throw refused(`starting ${ref.domainName}`, missing);
  }
  domain.saved = false;
  const hasChannel = domain.definition.fields.guestAgent;
  world.runs += 1;
  domain.guest = {
    state: 'running',
    fields: domain.definition.fields,
    startedAtMs: nowMs,
    inSlice: isInSlice(world, domain),
    runId: world.runs,
    agent: hasChannel ? 'disconnected' : 'none',
    foundReady: null,
    agentAtMs: hasChannel && temper.agentAfterMs !== null ? nowMs + temper.agentAfterMs : null,
    end:
      temper.endsAfterMs === null
        ? null
        : { atMs: nowMs + temper.endsAfterMs, reason: 'guest-shutdown' },
    balloon: null,
    portsFree: portsSpare,
    unplugging: [],
  };
}

/** As many as a definition of libvirt's has. */
const portsSpare = 8;

function isInSlice({ slices }: World, { definition: { owner, fields } }: SimulatedDomain): boolean {
  return owner !== null && fields.slice === 'Partition' && slices.has(slicePath(owner));
}

/** A start that did not last. */
export function fall(world: World, ref: DomainRef): void {
  stop(world, find(world, ref, 'starting'), 'failed');
}

export function resume(world: World, ref: DomainRef): void {
  const guest = guestOf(find(world, ref, 'resuming'), 'resuming');
  if (guest.state !== 'paused') {
    throw refused(`resuming ${ref.domainName}`, 'domain is already running');
  }
  guest.state = 'running';
}

/** A paused guest hears nothing, and libvirt refuses rather than let it hear later. */
export function shutdown(world: World, ref: DomainRef, temper: Temper, nowMs: number): void {
  const guest = guestOf(find(world, ref, 'shutting down'), 'shutting down');
  if (guest.state === 'paused') {
    throw refused(`shutting down ${ref.domainName}`, 'domain is not running');
  }
  endAfter(guest, temper.stopsAfterMs, nowMs);
}

export function shutdownByAgent(world: World, ref: DomainRef, temper: Temper, nowMs: number): void {
  const guest = askAgent(world, ref, 'shutting down by its agent');
  endAfter(guest, temper.agentStopsAfterMs, nowMs);
}

/** The guest whose agent answers. */
export function askAgent(world: World, ref: DomainRef, doing: string): Guest {
  const guest = guestOf(find(world, ref, doing), doing);
  if (guest.state === 'paused')
    throw refused(`${doing} ${ref.domainName}`, 'domain is not running');
  if (guest.agent === 'none') {
    const cause = new Error('QEMU guest agent is not configured');
    throw new HostError('Unsupported', `${doing} ${ref.domainName}`, { cause });
  }
  if (guest.agent === 'disconnected') {
    const cause = new Error('Guest agent is not responding: QEMU guest agent is not connected');
    throw new HostError('Timeout', `${doing} ${ref.domainName}`, { cause });
  }
  return guest;
}

/** With this run: of another one nobody reads it. */
export function noteReady(world: World, ref: DomainRef, { runId, check }: FoundReady): void {
  const guest = guestOf(find(world, ref, 'noting that it is ready,'), 'noting that it is ready,');
  if (guest.runId === runId) guest.foundReady = check;
}

/** Who asks twice does not wait longer. */
function endAfter(guest: Guest, afterMs: number | null, nowMs: number): void {
  if (afterMs === null) return;
  const atMs = nowMs + afterMs;
  if (guest.end === null || guest.end.atMs > atMs) guest.end = { atMs, reason: 'guest-shutdown' };
}

export function powerOff(world: World, ref: DomainRef): void {
  const domain = find(world, ref, 'powering off');
  guestOf(domain, 'powering off');
  stop(world, domain, 'powered-off');
}

/** It still counts as there, and will not be for long. */
export function beginPowerOff(world: World, ref: DomainRef, atMs: number): void {
  const guest = guestOf(find(world, ref, 'powering off'), 'powering off');
  guest.state = 'stopping';
  guest.end = { atMs, reason: 'powered-off' };
}

export function noteStop(world: World, ref: DomainRef, asked: boolean): void {
  const domain = find(world, ref, 'marking');
  if (!domain.persistent) {
    const why = 'transient domains do not have any persistent config';
    throw refused(`marking ${ref.domainName}`, why);
  }
  if (domain.definition.owner === null) {
    throw refused(`marking ${ref.domainName}`, 'the domain has no mark of ours');
  }
  domain.definition.stopAsked = asked;
}

export function setMemory(
  world: World,
  ref: DomainRef,
  bytes: number,
  { balloonMs }: Temper,
  nowMs: number,
): void {
  const guest = guestOf(find(world, ref, 'setting the memory of'), 'setting the memory of');
  if (bytes > guest.fields.memoryMaxBytes) {
    const why = 'cannot set memory higher than max memory';
    throw refused(`setting the memory of ${ref.domainName}`, why);
  }
  if (balloonMs !== null) guest.balloon = { atMs: nowMs + balloonMs, bytes };
}

export function find(world: World, ref: DomainRef, verb: string): SimulatedDomain {
  const domain = world.domains.get(ref.uuid);
  if (domain !== undefined) return domain;
  throw refused(`${verb} ${ref.domainName}`, 'Domain not found');
}

export function guestOf({ guest, domainName }: SimulatedDomain, verb: string): Guest {
  if (guest !== null) return guest;
  throw refused(`${verb} ${domainName}`, 'domain is not running');
}
