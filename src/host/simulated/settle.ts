/** Makes time pass on a simulated host: whatever is due by now has happened. */
import type { StopReason } from '../../model/domain.ts';
import { unplug } from './disk-uses.ts';
import type { DomainSign } from '../ports.ts';
import type { Guest, SimulatedDomain, SimulatedPrimary, World } from './world.ts';

/** What has happened by itself. */
export type TellSettled = (
  domain: SimulatedDomain,
  guest: Guest,
  event: Extract<DomainSign, 'agent' | 'device' | 'stopped'>,
) => void;

/** Changes `world`. To settle twice is to settle once, so a reader need not keep what it settled. */
export function settle(world: World, nowMs: number, tell: TellSettled = () => undefined): void {
  for (const primary of world.primaries.values()) {
    settleRelease(primary, nowMs);
    settleUnplugging(primary, nowMs);
  }
  for (const domain of world.domains.values()) {
    const { guest } = domain;
    // A paused guest does nothing, however late it is.
    if (guest === null || guest.state === 'paused') continue;
    settleBalloon(guest, nowMs);
    if (settleDisks(guest, nowMs)) tell(domain, guest, 'device');
    if (settleAgent(guest, nowMs)) tell(domain, guest, 'agent');
    if (guest.end === null || guest.end.atMs > nowMs) continue;
    stop(world, domain, guest.end.reason);
    tell(domain, guest, 'stopped');
  }
}

function settleRelease(primary: SimulatedPrimary, nowMs: number): void {
  const { release } = primary;
  if (release === null || release.atMs > nowMs) return;
  const { vcpus, pluggedBytes } = release;
  primary.live = { vcpus, pluggedBytes };
  primary.release = null;
}

function settleUnplugging(primary: SimulatedPrimary, nowMs: number): void {
  const { unplugging, livePlugs } = primary;
  if (unplugging === null || unplugging.atMs > nowMs) return;
  primary.livePlugs = livePlugs && livePlugs.filter(({ alias }) => alias !== unplugging.alias);
  primary.lentDisks = primary.lentDisks.filter((alias) => alias !== unplugging.alias);
  primary.unplugging = null;
}

function settleBalloon(guest: Guest, nowMs: number): void {
  if (guest.balloon === null || guest.balloon.atMs > nowMs) return;
  guest.fields = { ...guest.fields, memoryBytes: guest.balloon.bytes };
  guest.balloon = null;
}

/** Whether it has let go of any. */
function settleDisks(guest: Guest, nowMs: number): boolean {
  const due = guest.unplugging.filter(({ atMs }) => atMs <= nowMs);
  for (const { volume } of due) unplug(guest, volume);
  return due.length > 0;
}

/** Whether it has begun to answer. */
function settleAgent(guest: Guest, nowMs: number): boolean {
  if (guest.agentAtMs === null || guest.agentAtMs > nowMs) return false;
  guest.agent = 'connected';
  guest.agentAtMs = null;
  return true;
}

export function stop(world: World, domain: SimulatedDomain, reason: StopReason): void {
  domain.guest = null;
  domain.stopReason = reason;
  if (!domain.persistent) world.domains.delete(domain.uuid);
}

/** When the next thing happens by itself to a domain; infinity if nothing will. */
export function nextChangeMs(domain: SimulatedDomain | undefined): number {
  const guest = domain?.guest ?? null;
  if (guest === null || guest.state === 'paused') return Number.POSITIVE_INFINITY;
  const disks = guest.unplugging.map(({ atMs }) => atMs);
  const due = [guest.end?.atMs, guest.balloon?.atMs, guest.agentAtMs, ...disks];
  return Math.min(...due.map((atMs) => atMs ?? Number.POSITIVE_INFINITY));
}
