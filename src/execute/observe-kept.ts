/** Reading what the store keeps while something is done to it. Here a failed read is an error. */
import type { KeptReader } from '../host/ports.ts';
import type { Workbench } from './executors.ts';
import { valueIn } from './value-in.ts';

/** Null if it is not there. @throws HostError if that cannot be known */
export async function readKept<Name extends string, Kept>(
  what: string,
  reader: KeptReader<Name, Kept>,
  name: Name,
  { us, signal }: Workbench,
): Promise<Kept | null> {
  return valueIn(what, await reader.read(us.partition, name, signal));
}
