/**
 * `domain.attach-disk` and `domain.detach-disk`: a Volume that comes and goes under a guest that runs. Its
 * definition is as it is to be by then. It is there when libvirt shows it, and gone when the guest has let go of
 * it, which may be long after it was asked.
 */
import { HostError } from '../host/host-error.ts';
import type { ObservedDomain } from '../model/domain.ts';
import type { VolumeName } from '../model/names.ts';
import { splitUses } from '../model/volume.ts';
import type { OperationOf } from '../plan/operation.ts';
import { askUntil, device } from './ask-until.ts';
import type { Done, Workbench } from './executors.ts';
import { readDomain, requireDomain } from './observe-domain.ts';

/** One that has stopped meanwhile has it with its next start. */
export async function attachDisk(
  { domain, volume }: OperationOf<'domain.attach-disk'>,
  bench: Workbench,
): Promise<Done> {
  const before = await requireDomain(domain, bench);
  if (before.live === null || hasDisk(before, volume)) return 'already';
  await bench.host.domains.attachDisk(domain, volume, bench.signal);
  const after = await requireDomain(domain, bench);
  if (after.live === null || hasDisk(after, volume)) return 'applied';
  throw new HostError('Conflict', `${domain.domainName} does not have Volume ${volume}`);
}

/** One that has stopped meanwhile has nothing any more. */
export async function detachDisk(
  { domain, volume }: OperationOf<'domain.detach-disk'>,
  bench: Workbench,
): Promise<Done> {
  const read = () => readDomain(domain, bench);
  const ask = () => bench.host.domains.detachDisk(domain, volume, bench.signal);
  const isSo = (seen: ObservedDomain | null) => seen === null || !hasDisk(seen, volume);
  const refusal = () => `the guest of ${domain.domainName} has not let go of Volume ${volume}`;
  return askUntil(domain, { read, ask, isSo, patience: device, forMs: 0, refusal }, bench);
}

function hasDisk({ live }: ObservedDomain, volume: VolumeName): boolean {
  return splitUses(live?.volumes ?? '').some((use) => use.volume === volume);
}
