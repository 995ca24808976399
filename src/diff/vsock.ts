/** Whether a Secondary can have the vsock address that it is to have. */
import type { CidUse } from '../model/vsock.ts';
import { cidOf } from '../model/vsock.ts';
import type { Observed } from '../model/domain.ts';
import { type DomainUuid, secondaryUuid } from '../model/identity.ts';
import type { DesiredState, Secondary } from '../model/secondary.ts';
import type { Block } from './change.ts';

/** Why it cannot; null: it can, or is to have none. */
export type VsockOf = (secondary: Secondary) => Block | null;

export function vsockFrom({ secondaries }: DesiredState, observed: Observed): VsockOf {
  const { partition, installation, cids, domains } = observed;
  const uuidOf = ({ name }: Secondary) =>
    secondaryUuid({ installation, partition, secondary: name });
  const wanted = [...secondaries.values()].filter(({ readiness }) => readiness === 'Heartbeat');
  const owners = ownersOf(wanted.map(uuidOf), cids.status === 'present' ? cids.value : []);
  return (secondary) => {
    if (secondary.readiness !== 'Heartbeat') return null;
    if (cids.status === 'unknown') return { code: 'HostUnknown', message: cids.why };
    const seen = domains.get(secondary.name);
    if (seen?.status === 'present' && seen.value.foreignCid !== null) {
      const message =
        'somebody has given its domain a vsock device of theirs, and it can have only one';
      return { code: 'CidTaken', message };
    }
    const uuid = uuidOf(secondary);
    if (owners.get(cidOf(uuid)) === uuid) return null;
    const message = `another domain of the host has the vsock address ${cidOf(uuid)}, which would be its own`;
    return { code: 'CidTaken', message };
  };
}

/** Who is there already goes before who is wanted, and of those the first. */
function ownersOf(
  wanted: readonly DomainUuid[],
  there: readonly CidUse[],
): ReadonlyMap<number, DomainUuid> {
  const owners = new Map<number, DomainUuid>();
  const add = (cid: number, uuid: DomainUuid) => {
    if (!owners.has(cid)) owners.set(cid, uuid);
  };
  for (const { cid, uuid } of there) {
    if (cidOf(uuid) !== cid) add(cid, uuid);
  }
  for (const { cid, uuid } of there) add(cid, uuid);
  for (const uuid of wanted) add(cidOf(uuid), uuid);
  return owners;
}
