/**
 * Operations on intakes, and on the disks that are lent to a Primary for them. Such a disk is there when
 * libvirt shows it, and gone when its guest has let go of it: one that does not is asked again by another pass, never forced.
 */
import { HostError } from '../host/host-error.ts';
import { isFor, lentDisk, type ObservedIntake } from '../model/intake.ts';
import type { ImageName } from '../model/names.ts';
import type { ObservedPrimary } from '../model/primary.ts';
import type { OperationOf } from '../plan/operation.ts';
import { askUntil, device } from './ask-until.ts';
import type { Done, Workbench } from './executors.ts';
import { checkPartition } from './identity.ts';
import { whileNobodyHasIt } from './image-disk.ts';
import { readKept } from './observe-kept.ts';
import { readPrimary } from './primary.ts';
import { valueIn } from './value-in.ts';

export async function createIntake(
  { intake }: OperationOf<'intake.create'>,
  bench: Workbench,
): Promise<Done> {
  const isSo = (seen: ObservedIntake | null) => seen?.state === 'ready' && isFor(intake, seen);
  if (isSo(await readIntake(intake.image, bench))) return 'already';
  await bench.host.intakes.create(bench.us, intake, bench.signal);
  if (isSo(await readIntake(intake.image, bench))) return 'applied';
  throw new HostError('Conflict', `the intake of image ${intake.image} is not as it was made`);
}

/** Also where it has been before, for a guest may have written another file since: what is no longer there stays as it was taken out. */
export async function fillIntake(
  { image, path }: OperationOf<'intake.fill'>,
  bench: Workbench,
): Promise<Done> {
  await whileNobodyHasIt(bench, () =>
    bench.host.intakes.takeOut(bench.us, image, path, bench.signal),
  );
  const seen = await readIntake(image, bench);
  if (seen?.receivedBytes === seen?.sizeBytes) return 'applied';
  throw new HostError('Conflict', `the intake of image ${image} has not all of its bytes`);
}

export async function deleteIntake(
  { image }: OperationOf<'intake.delete'>,
  bench: Workbench,
): Promise<Done> {
  if ((await readIntake(image, bench)) === null) return 'already';
  await bench.host.intakes.delete(bench.us, image, bench.signal);
  if ((await readIntake(image, bench)) === null) return 'applied';
  throw new HostError('Conflict', `the intake of image ${image} is still there`);
}

export async function lendDisk(
  { primary, image }: OperationOf<'primary.lend-disk'>,
  bench: Workbench,
): Promise<Done> {
  const disk = lentDisk(bench.us, image);
  if (hasDisk(await readPrimary(primary, bench), disk.alias)) return 'already';
  await readIntake(image, bench);
  await bench.host.primaries.lend(primary, image, disk, bench.signal);
  if (hasDisk(await readPrimary(primary, bench), disk.alias)) return 'applied';
  throw new HostError('Conflict', `${primary.domainName} does not have the disk that it was lent`);
}

export async function takeDisk(
  { primary, image }: OperationOf<'primary.take-disk'>,
  bench: Workbench,
): Promise<Done> {
  // A domain that is gone has nothing any more.
  const seen = valueIn(
    primary.domainName,
    await bench.host.primaries.find(primary.domainName, bench.signal),
  );
  if (seen === null || seen.uuid !== primary.uuid) return 'already';
  const { alias, serial } = lentDisk(bench.us, image);
  const ask = () => bench.host.primaries.takeBack(primary, alias, bench.signal);
  const isSo = (seen: ObservedPrimary) => !hasDisk(seen, alias);
  const refusal = () => `${primary.domainName} has not let go of the disk ${serial}`;
  const read = () => readPrimary(primary, bench);
  return askUntil(primary, { read, ask, isSo, patience: device, forMs: 0, refusal }, bench);
}

function hasDisk({ lentDisks }: ObservedPrimary, alias: string): boolean {
  return lentDisks.includes(alias);
}

async function readIntake(image: ImageName, bench: Workbench): Promise<ObservedIntake | null> {
  const what = `the intake of image ${image}`;
  const intake = await readKept(what, bench.host.intakes, image, bench);
  if (intake !== null) checkPartition(what, intake.owner, bench.us);
  return intake;
}
