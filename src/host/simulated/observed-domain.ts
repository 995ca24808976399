/** A simulated domain as the ports show it. */
import { createHash } from 'node:crypto';
import type { ObservedDomain, Power } from '../../model/domain.ts';
import type { Definition, SimulatedDomain } from './world.ts';

export function observedDomain(domain: SimulatedDomain): ObservedDomain {
  const { uuid, domainName, persistent, definition, guest } = domain;
  return {
    uuid,
    domainName,
    owner: definition.owner,
    power: powerOf(domain),
    persistent,
    defined: definition.fields,
    lastApplied: definition.lastApplied,
    live: guest?.fields ?? null,
    stopAsked: definition.stopAsked,
    fingerprint: fingerprintOf(definition),
  };
}

function powerOf({ guest, stopReason }: SimulatedDomain): Power {
  return guest === null ? { status: 'stopped', reason: stopReason } : { status: guest.state };
}

/** As with libvirt's XML: who writes back what was there has changed nothing, nor has our note. */
function fingerprintOf(definition: Definition): string {
  const { stopAsked: _, ...content } = definition;
  return createHash('sha256').update(stableText(content)).digest('hex');
}

/** JSON with its keys in order: the world may have been through a file that a person edited. */
function stableText(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
