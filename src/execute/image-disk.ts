/**
 * Operations on the image disk. Nothing is done to it while a guest may have it, whoever asks: that is looked
 * at here once more, since what two write to at once is lost.
 */
import { HostError } from '../host/host-error.ts';
import { takingTurns } from '../host/turns.ts';
import type { DomainRef } from '../model/domain.ts';
import { type ImageDiskGoal, type ObservedImageDisk, sameGiven } from '../model/image-disk.ts';
import { lentImageDisk } from '../model/intake.ts';
import type { ObservedPrimary } from '../model/primary.ts';
import type { OperationOf } from '../plan/operation.ts';
import { askUntil, device } from './ask-until.ts';
import type { Done, Workbench } from './executors.ts';
import { checkPartition } from './identity.ts';
import { readPrimary } from './primary.ts';
import { valueIn } from './value-in.ts';

export async function createImageDisk(
  { goal }: OperationOf<'image-disk.create'>,
  bench: Workbench,
): Promise<Done> {
  if (isAs(goal, await readImageDisk(bench))) return 'already';
  await bench.host.imageDisks.create(bench.us, goal, bench.signal);
  if (isAs(goal, await readImageDisk(bench))) return 'applied';
  throw new HostError('Conflict', 'the image disk is not as it was made');
}

export async function reworkImageDisk(
  { work }: OperationOf<'image-disk.rework'>,
  bench: Workbench,
): Promise<Done> {
  const isSo = (seen: ObservedImageDisk | null) =>
    isAs(work, seen) && seen?.takenOut.every((path) => !work.removed.includes(path)) === true;
  if (isSo(await readImageDisk(bench))) return 'already';
  await whileNobodyHasIt(bench, () => bench.host.imageDisks.rework(bench.us, work, bench.signal));
  if (isSo(await readImageDisk(bench))) return 'applied';
  throw new HostError('Conflict', 'the image disk is not as it was to become');
}

export async function deleteImageDisk(
  _: OperationOf<'image-disk.delete'>,
  bench: Workbench,
): Promise<Done> {
  if ((await readImageDisk(bench)) === null) return 'already';
  await whileNobodyHasIt(bench, () => bench.host.imageDisks.delete(bench.us, bench.signal));
  if ((await readImageDisk(bench)) === null) return 'applied';
  throw new HostError('Conflict', 'the image disk is still there');
}

export async function lendImageDisk(
  { primary }: OperationOf<'primary.lend-image-disk'>,
  bench: Workbench,
): Promise<Done> {
  const disk = lentImageDisk(bench.us);
  if (hasIt(await readPrimary(primary, bench), bench)) return 'already';
  await inTurn(bench, async () => {
    await readImageDisk(bench);
    await bench.host.primaries.lend(primary, null, disk, bench.signal);
  });
  if (hasIt(await readPrimary(primary, bench), bench)) return 'applied';
  throw new HostError('Conflict', `${primary.domainName} does not have the image disk`);
}

export async function takeImageDisk(
  { primary }: OperationOf<'primary.take-image-disk'>,
  bench: Workbench,
): Promise<Done> {
  // A domain that is gone has nothing any more.
  if ((await sameDomain(primary, bench)) === null) return 'already';
  const { alias } = lentImageDisk(bench.us);
  const ask = () => bench.host.primaries.takeBack(primary, alias, bench.signal);
  const isSo = (seen: ObservedPrimary) => !hasIt(seen, bench);
  const refusal = () => `${primary.domainName} has not let go of the image disk`;
  const read = () => readPrimary(primary, bench);
  return askUntil(primary, { read, ask, isSo, patience: device, forMs: 0, refusal }, bench);
}

/** What is done to it begins with that look, and nobody is lent it before that is done. */
export function whileNobodyHasIt(bench: Workbench, act: () => Promise<void>): Promise<void> {
  return inTurn(bench, async () => {
    await checkNobodyHasIt(bench);
    await act();
  });
}

function inTurn<T>({ us }: Workbench, act: () => Promise<T>): Promise<T> {
  return takingTurns(`image disk of ${us.installation} ${us.partition}`, act);
}

/** @throws HostError `Conflict` if somebody does, or that cannot be known */
async function checkNobodyHasIt(bench: Workbench): Promise<void> {
  const disk = await readImageDisk(bench);
  if (disk === null || disk.lentTo === null) return;
  const seen = await sameDomain(disk.lentTo, bench);
  if (seen === null || !hasIt(seen, bench)) return;
  throw new HostError('Conflict', `${seen.domainName} still has the image disk`);
}

/** Null: it is gone, or another one has its name. */
async function sameDomain(ref: DomainRef, bench: Workbench): Promise<ObservedPrimary | null> {
  const found = await bench.host.primaries.find(ref.domainName, bench.signal);
  const seen = valueIn(ref.domainName, found);
  return seen?.uuid === ref.uuid ? seen : null;
}

function hasIt({ lentDisks }: ObservedPrimary, { us }: Workbench): boolean {
  return lentDisks.includes(lentImageDisk(us).alias);
}

function isAs({ sizeBytes, given }: ImageDiskGoal, seen: ObservedImageDisk | null): boolean {
  return (
    seen?.state === 'ready' &&
    seen.sizeBytes === sizeBytes &&
    seen.heldBytes === sizeBytes &&
    sameGiven(seen.given, given)
  );
}

async function readImageDisk({ host, us, signal }: Workbench): Promise<ObservedImageDisk | null> {
  const what = 'the image disk';
  const disk = valueIn(what, await host.imageDisks.find(us.partition, signal));
  if (disk !== null) checkPartition(what, disk.owner, us);
  return disk;
}
