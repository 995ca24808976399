/** The operations for the Primary: what is taken from it, and what it is given back. */
import type { PrimaryChange } from '../diff/change.ts';
import type { FieldChange } from '../diff/fields.ts';
import type { DomainRef } from '../model/domain.ts';
import type { ObservedPrimary, PrimaryHas } from '../model/primary.ts';
import { primaryHas } from '../partition/carving.ts';
import { Chain } from './chain.ts';
import type { OperationId } from './operation.ts';
import type { Steps } from './work.ts';

type Present = Extract<PrimaryChange, { kind: 'present' }>;

/** @param after what has to have been given back before it may grow */
export function primarySteps(
  { name, observed }: Present,
  goal: PrimaryHas,
  after: readonly OperationId[],
): Steps {
  const chain = new Chain('primary', name);
  const primary: DomainRef = { uuid: observed.uuid, domainName: observed.domainName };
  const has = primaryHas(observed);
  const { vcpus, pluggedBytes } = goal;
  if (differs(observed, 'vcpus', vcpus)) {
    const shrinks = vcpus < has.vcpus;
    const phase = shrinks ? 'release' : 'acquire';
    chain.addAfter(shrinks ? [] : after, 'primary.set-vcpus', name, phase, { primary, vcpus });
  }
  if (differs(observed, 'pluggedBytes', pluggedBytes)) {
    const shrinks = pluggedBytes < has.pluggedBytes;
    const phase = shrinks ? 'release' : 'acquire';
    const args = { primary, pluggedBytes };
    chain.addAfter(shrinks ? [] : after, 'primary.set-memory', name, phase, args);
  }
  return {
    impact: observed.live === null ? 'none' : 'live',
    reasons: chain.operations.length > 0 ? ['carved'] : [],
    fields: fieldsBetween(observed, goal),
    waiting: [],
    operations: chain.operations,
  };
}

function differs(
  { live, defined }: ObservedPrimary,
  field: keyof PrimaryHas,
  goal: number,
): boolean {
  return defined[field] !== goal || (live !== null && live[field] !== goal);
}

function fieldsBetween(observed: ObservedPrimary, goal: PrimaryHas): FieldChange[] {
  const has = primaryHas(observed);
  const { baseBytes } = observed;
  const impact = observed.live === null ? 'none' : 'live';
  const said = { impact, origin: 'document' } as const;
  const memory = { from: baseBytes + has.pluggedBytes, to: baseBytes + goal.pluggedBytes };
  const changes: FieldChange[] = [
    { field: 'vcpus', path: 'vcpus', from: has.vcpus, to: goal.vcpus, ...said },
    { field: 'memoryBytes', path: 'memory', ...memory, ...said },
  ];
  return changes.filter(({ from, to }) => from !== to);
}
