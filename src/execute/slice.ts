/** Operations on the slice of a partition: what the kernel shows afterwards is what counts. */
import { HostError } from '../host/host-error.ts';
import type { ObservedSlice, SliceFields, SliceRef } from '../model/slice.ts';
import type { OperationOf } from '../plan/operation.ts';
import type { Done, Workbench } from './executors.ts';
import { valueIn } from './value-in.ts';

export async function applySlice(
  { slice, fields }: OperationOf<'slice.apply'>,
  bench: Workbench,
): Promise<Done> {
  const before = await readSlice(slice, bench);
  if (before !== null && differing(before, fields).length === 0) return 'already';
  await bench.host.slices.apply(slice, fields, bench.signal);
  const after = await readSlice(slice, bench);
  const missed = after === null ? ['the slice itself'] : differing(after, fields);
  if (missed.length === 0) return 'applied';
  throw new HostError('Refused', `the kernel has not taken ${missed.join(', ')} for ${slice.path}`);
}

export async function removeSlice(
  { slice }: OperationOf<'slice.remove'>,
  bench: Workbench,
): Promise<Done> {
  if ((await readSlice(slice, bench)) === null) return 'already';
  await bench.host.slices.remove(slice, bench.signal);
  if ((await readSlice(slice, bench)) === null) return 'applied';
  throw new HostError('Conflict', `${slice.path} is still there after it was removed`);
}

function differing({ fields }: ObservedSlice, wanted: SliceFields): string[] {
  const names = Object.keys(wanted) as (keyof SliceFields)[];
  return (
    names
      .filter((name) => fields[name] !== wanted[name])
      // What this kernel cannot do is said in the status.
      .filter((name) => name !== 'exclusiveCpus' || fields[name] !== null)
      .map((name) => `${name} ${wanted[name]} (it has ${fields[name]})`)
  );
}

/** Null if it is not there. @throws HostError if that cannot be known */
async function readSlice(
  ref: SliceRef,
  { host, signal }: Workbench,
): Promise<ObservedSlice | null> {
  return valueIn(ref.path, await host.slices.find(ref, signal));
}
