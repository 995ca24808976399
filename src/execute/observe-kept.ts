/** Reading what the store keeps while something is done to it. Here a failed read is an error. */
import { HostError } from '../host/host-error.ts';
import type { KeptReader } from '../host/ports.ts';
import type { Workbench } from './executors.ts';

/** Null if it is not there. @throws HostError if that cannot be known */
export async function readKept<Name extends string, Kept>(
  what: string,
  reader: KeptReader<Name, Kept>,
  name: Name,
  { us, signal }: Workbench,
): Promise<Kept | null> {
  const seen = await reader.read(us.partition, name, signal);
  switch (seen.status) {
    case 'present':
      return seen.value;
    case 'absent':
      return null;
    case 'unknown':
      throw new HostError('Unreachable', `reading ${what}`, { cause: new Error(seen.why) });
  }
}
