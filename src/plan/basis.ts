/**
 * What a plan was made from, one line for each thing that it was made for. A plan that was put aside
 * may be carried out as long as these lines have not changed; where one has, it says which.
 */
import type { Observed, ObservedDomain } from '../model/domain.ts';
import type { ObservedFilter } from '../model/filter.ts';
import type { ObservedNetwork } from '../model/network.ts';
import type { ObservedIntake } from '../model/intake.ts';
import type { Observation } from '../model/observation.ts';
import { byName } from '../model/names.ts';
import type { ObservedSeed } from '../model/seed.ts';
import type { ObservedImage, ObservedVolume } from '../model/volume.ts';

/** By the name of a Secondary, `volume/NAME`, `intake/NAME`, `image/NAME`, `seed/NAME`, and `network/`, `filter/`, `slice/` and `image-disk/PARTITION`. */
export type Basis = ReadonlyMap<string, string>;

export function basisOf(observed: Observed): Basis {
  const { partition, domains, volumes, imageDisk, intakes, images, seeds } = observed;
  const { network, filter, slice, primary } = observed;
  const stored: (readonly [string, string])[] = [
    ...[...volumes].map(([name, seen]) => [`volume/${name}`, lineFor(seen, kept)] as const),
    ...[...intakes].map(([name, seen]) => [`intake/${name}`, lineFor(seen, kept)] as const),
    ...[...images].map(([name, seen]) => [`image/${name}`, lineFor(seen, kept)] as const),
    ...[...seeds].map(([name, seen]) => [`seed/${name}`, lineFor(seen, kept)] as const),
    [`image-disk/${partition}`, lineFor(imageDisk, (value) => value)],
    [`slice/${partition}`, lineFor(slice, ({ fields }) => fields)],
    [`primary/${partition}`, lineFor(primary, (value) => value)],
    [`filter/${partition}`, lineFor(filter, filterLine)],
  ];
  const lines: (readonly [string, string])[] = [
    ...[...domains].map(([name, seen]) => [name, lineFor(seen, domainLine)] as const),
    // They are found by looking, so that of what is not there nothing is said.
    ...stored.filter(([, line]) => line !== 'absent'),
    [`network/${partition}`, lineFor(network, networkLine)],
  ];
  return new Map(lines.sort(([a], [b]) => byName(a, b)));
}

/** What is not as it was, in order; what has come or gone is part of it. */
export function moved(before: Basis, now: Basis): readonly string[] {
  const names = new Set([...before.keys(), ...now.keys()]);
  return [...names].sort(byName).filter((name) => before.get(name) !== now.get(name));
}

function lineFor<T>(seen: Observation<T>, line: (value: T) => unknown): string {
  return seen.status === 'present' ? JSON.stringify(line(seen.value)) : seen.status;
}

function domainLine({ uuid, fingerprint, power, live, persistent }: ObservedDomain): unknown {
  return [uuid, fingerprint, power, persistent, live];
}

type Stored = ObservedVolume | ObservedIntake | ObservedImage | ObservedSeed;

function kept(value: Stored): unknown {
  return value;
}

function filterLine({ fields, ports }: ObservedFilter): unknown {
  return [fields, [...ports].sort((a, b) => byName(a.tap, b.tap))];
}

function networkLine(network: ObservedNetwork): unknown {
  const { uuid, fingerprint, active, live, reservations, stray } = network;
  const addresses = [...reservations].sort(([a], [b]) => byName(a, b));
  return [uuid, fingerprint, active, live, addresses, stray];
}
