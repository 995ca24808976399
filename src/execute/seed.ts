/** Operations on seeds. */
import { HostError } from '../host/host-error.ts';
import { type ObservedSeed, secondaryOf, seedOf, type SeedName } from '../model/seed.ts';
import type { OperationOf } from '../plan/operation.ts';
import type { Done, Workbench } from './executors.ts';
import { checkPartition } from './identity.ts';
import { readKept } from './observe-kept.ts';

export async function createSeed(
  { seed }: OperationOf<'seed.create'>,
  bench: Workbench,
): Promise<Done> {
  const isSo = (seen: ObservedSeed | null) =>
    seen?.state === 'ready' && seen.form === seed.form && seen.sizeBytes === seed.sizeBytes;
  if (isSo(await readSeed(seed.name, bench))) return 'already';
  const content = bench.seedContents.get(seed.name);
  // No plan holds it, and one from a file may say anything.
  if (content === undefined || seedOf(secondaryOf(seed.name), content).name !== seed.name) {
    throw new HostError(
      'Refused',
      `what seed ${seed.name} holds is in no document that is at hand`,
    );
  }
  await bench.host.seeds.create(bench.us, seed, content, bench.signal);
  if (isSo(await readSeed(seed.name, bench))) return 'applied';
  throw new HostError('Conflict', `seed ${seed.name} is not what was made`);
}

export async function deleteSeed(
  { seed }: OperationOf<'seed.delete'>,
  bench: Workbench,
): Promise<Done> {
  if ((await readSeed(seed, bench)) === null) return 'already';
  await bench.host.seeds.delete(bench.us, seed, bench.signal);
  if ((await readSeed(seed, bench)) === null) return 'applied';
  throw new HostError('Conflict', `seed ${seed} is still there after it was deleted`);
}

async function readSeed(name: SeedName, bench: Workbench): Promise<ObservedSeed | null> {
  const seed = await readKept(`seed ${name}`, bench.host.seeds, name, bench);
  if (seed !== null) checkPartition(`seed ${name}`, seed.owner, bench.us);
  return seed;
}
