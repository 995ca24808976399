/** What one Secondary is like now, in one closed word, with what else there is to know behind it. */
import { runningChanges, type FieldChange } from '../diff/fields.ts';
import { type DomainFields, type ObservedDomain, type Observed } from '../model/domain.ts';
import type { Reservations } from '../model/network.ts';
import { byName, type SecondaryName } from '../model/names.ts';

export type StatusWord = 'Running' | 'Paused' | 'Stopping' | 'Stopped' | 'Crashed' | 'Unknown';

export interface SecondaryStatus {
  readonly name: SecondaryName;
  readonly status: StatusWord;
  /** Why it is unknown; null where it is known. */
  readonly why: string | null;
  readonly domain: ObservedDomain | null;
  /** The one that the network keeps for it; null: it has none. */
  readonly address: string | null;
  /** What runs, or what would. */
  readonly fields: DomainFields | null;
  /** What the running guest takes at its next start. */
  readonly waiting: readonly FieldChange[];
}

const noReservations: Reservations = new Map();

/** Every Secondary of the partition, by name. Foreign domains are not ours to show. */
export function statusOf(observed: Observed): SecondaryStatus[] {
  const { domains, installation, partition, network } = observed;
  const addresses = network.status === 'present' ? network.value.reservations : noReservations;
  return [...domains]
    .sort(([a], [b]) => byName(a, b))
    .flatMap(([name, observation]): SecondaryStatus[] => {
      if (observation.status === 'absent') return [];
      if (observation.status === 'unknown') {
        const nothing = { domain: null, address: null, fields: null, waiting: [] };
        return [{ name, status: 'Unknown', why: observation.why, ...nothing }];
      }
      const { owner } = observation.value;
      const ours = owner?.installation === installation && owner.partition === partition;
      const address = addresses.get(name)?.address ?? null;
      return ours ? [presentStatus(name, observation.value, address)] : [];
    });
}

function presentStatus(
  name: SecondaryName,
  domain: ObservedDomain,
  address: string | null,
): SecondaryStatus {
  const { live, defined } = domain;
  return {
    name,
    status: word(domain),
    why: null,
    domain,
    address,
    fields: live ?? defined,
    waiting:
      live === null
        ? []
        : runningChanges(domain, defined).filter(({ impact }) => impact === 'restart'),
  };
}

function word({ power }: ObservedDomain): StatusWord {
  switch (power.status) {
    case 'running':
      return 'Running';
    case 'paused':
      return 'Paused';
    case 'stopping':
      return 'Stopping';
    case 'stopped':
      return power.reason === 'crashed' || power.reason === 'failed' ? 'Crashed' : 'Stopped';
  }
}
