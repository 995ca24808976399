/**
 * What a plan was made from, one line for each Secondary it was made for. A plan that was put aside
 * may be carried out as long as these lines have not changed; where one has, it says which.
 */
import type { Observed, ObservedDomain } from '../model/domain.ts';
import type { SecondaryName } from '../model/names.ts';
import type { Observation } from '../model/observation.ts';
import { byName } from '../model/names.ts';

export type Basis = ReadonlyMap<SecondaryName, string>;

export function basisOf({ domains }: Observed): Basis {
  return new Map(
    [...domains].sort(([a], [b]) => byName(a, b)).map(([name, domain]) => [name, lineFor(domain)]),
  );
}

/** Who is not as they were, in order; a Secondary that has come or gone is one of them. */
export function moved(before: Basis, now: Basis): readonly SecondaryName[] {
  const names = new Set([...before.keys(), ...now.keys()]);
  return [...names].sort(byName).filter((name) => before.get(name) !== now.get(name));
}

function lineFor(domain: Observation<ObservedDomain>): string {
  switch (domain.status) {
    case 'absent':
      return 'absent';
    case 'unknown':
      return 'unknown';
    case 'present': {
      const { uuid, fingerprint, power, live, persistent } = domain.value;
      return JSON.stringify([uuid, fingerprint, power, persistent, live]);
    }
  }
}
