/** A simulated domain as the ports show it. */
import type { ObservedDomain, Power } from '../../model/domain.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { SimulatedDomain } from './world.ts';

export function observedDomain(domain: SimulatedDomain): ObservedDomain {
  const { uuid, domainName, persistent, saved, definition, guest } = domain;
  // As with libvirt's XML: who writes back what was there has changed nothing, nor has our note.
  const { stopAsked, ...content } = definition;
  return {
    uuid,
    domainName,
    owner: definition.owner,
    power: powerOf(domain),
    persistent,
    defined: definition.fields,
    lastApplied: definition.lastApplied,
    live: guest?.fields ?? null,
    stopAsked,
    saved,
    fingerprint: fingerprintOf(content),
    runId: guest?.runId ?? null,
    portsFree: guest?.portsFree ?? 0,
    agent: guest?.agent ?? 'none',
    foundReady: guest?.foundReady ?? null,
    foreignCid: null,
    // As if it had KVM.
    translationCacheBytes: 0,
  };
}

function powerOf({ guest, stopReason }: SimulatedDomain): Power {
  return guest === null ? { status: 'stopped', reason: stopReason } : { status: guest.state };
}
