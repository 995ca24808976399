/** Operations on Volumes: each is seen to be so before it is said to be. */
import { HostError } from '../host/host-error.ts';
import { partitionOfDomain } from '../model/identity.ts';
import type { ObservedDomain } from '../model/domain.ts';
import type { VolumeName } from '../model/names.ts';
import { joinUses, splitUses, type ObservedVolume, toldBytes, useOf } from '../model/volume.ts';
import type { OperationOf } from '../plan/operation.ts';
import type { Done, Workbench } from './executors.ts';
import { checkPartition } from './identity.ts';
import { readKept } from './observe-kept.ts';

export async function createVolume(
  { volume }: OperationOf<'volume.create'>,
  bench: Workbench,
): Promise<Done> {
  const { host, us, signal } = bench;
  const isSo = (seen: ObservedVolume | null) =>
    seen?.state === 'ready' &&
    seen.sizeBytes === volume.sizeBytes &&
    joinUses([useOf(seen)]) === joinUses([useOf(volume)]);
  if (isSo(await readVolume(volume.name, bench))) return 'already';
  if (volume.copyOf !== null) await requireAtRest(volume.copyOf, bench);
  await host.volumes.create(us, volume, signal);
  return observed(isSo(await readVolume(volume.name, bench)), volume.name, 'what was asked for');
}

/** Somebody may have started a guest since it was planned. */
async function requireAtRest(name: VolumeName, { host, us, signal }: Workbench): Promise<void> {
  const refs = (await host.domains.list(signal)).filter(
    ({ domainName }) => partitionOfDomain(domainName) === us.partition,
  );
  for (const seen of await host.domains.read(refs, signal)) {
    if (seen.status === 'absent') continue;
    const isAtRest = seen.status === 'present' && !isOpen(name, seen.value.live);
    if (!isAtRest) throw new HostError('Conflict', `a guest has begun to run with volume ${name}`);
  }
}

function isOpen(name: VolumeName, live: ObservedDomain['live']): boolean {
  if (live === null) return false;
  const uses = [live.bootVolume ?? '', live.volumes].flatMap(splitUses);
  return uses.some(({ volume }) => volume === name);
}

export async function growVolume(
  { volume, sizeBytes }: OperationOf<'volume.grow'>,
  bench: Workbench,
): Promise<Done> {
  if (toldBytes(await requireVolume(volume, bench)) >= sizeBytes) return 'already';
  await bench.host.volumes.grow(bench.us, volume, sizeBytes, bench.signal);
  return observed(await hasSize(volume, sizeBytes, bench), volume, 'larger');
}

export async function growDisk(
  { domain, volume, sizeBytes }: OperationOf<'domain.grow-disk'>,
  bench: Workbench,
): Promise<Done> {
  if (toldBytes(await requireVolume(volume, bench)) >= sizeBytes) return 'already';
  await bench.host.domains.growDisk(domain, volume, sizeBytes, bench.signal);
  return observed(await hasSize(volume, sizeBytes, bench), volume, 'larger');
}

export async function setDeletionPolicy(
  { volume, deletionPolicy }: OperationOf<'volume.set-deletion-policy'>,
  bench: Workbench,
): Promise<Done> {
  if ((await requireVolume(volume, bench)).deletionPolicy === deletionPolicy) return 'already';
  await bench.host.volumes.setDeletionPolicy(bench.us, volume, deletionPolicy, bench.signal);
  const now = await requireVolume(volume, bench);
  return observed(now.deletionPolicy === deletionPolicy, volume, 'changed');
}

export async function deleteVolume(
  { volume }: OperationOf<'volume.delete'>,
  bench: Workbench,
): Promise<Done> {
  const before = await readVolume(volume, bench);
  if (before === null) return 'already';
  checkMayGo(before);
  await bench.host.volumes.delete(bench.us, volume, bench.signal);
  return observed((await readVolume(volume, bench)) === null, volume, 'gone');
}

/** Data goes only if the documents said so, and the record keeps what they said (invariant 9). */
function checkMayGo({ name, state, deletionPolicy }: ObservedVolume): void {
  // What is half made, or half deleted, holds nobody's data.
  if (state !== 'ready' || deletionPolicy === 'Delete') return;
  throw new HostError('Refused', `volume ${name} holds data that is to be retained`);
}

function observed(isSo: boolean, name: VolumeName, what: string): Done {
  if (isSo) return 'applied';
  throw new HostError('Conflict', `volume ${name} is not ${what} after all`);
}

async function hasSize(name: VolumeName, bytes: number, bench: Workbench): Promise<boolean> {
  return toldBytes(await requireVolume(name, bench)) === bytes;
}

async function requireVolume(name: VolumeName, bench: Workbench): Promise<ObservedVolume> {
  const volume = await readVolume(name, bench);
  if (volume !== null) return volume;
  throw new HostError('Conflict', `volume ${name} has gone since it was planned for`);
}

async function readVolume(name: VolumeName, bench: Workbench): Promise<ObservedVolume | null> {
  const volume = await readKept(`volume ${name}`, bench.host.volumes, name, bench);
  if (volume !== null) checkPartition(`volume ${name}`, volume.owner, bench.us);
  return volume;
}
