/** What a read has found while something is done to it. Here a failed read is an error, not a value. */
import { HostError } from '../host/host-error.ts';
import type { Observation } from '../model/observation.ts';

/** Null if it is not there. @throws HostError if that cannot be known */
export function valueIn<T>(what: string, seen: Observation<T>): T | null {
  switch (seen.status) {
    case 'present':
      return seen.value;
    case 'absent':
      return null;
    case 'unknown':
      throw new HostError('Unreachable', `reading ${what}`, { cause: new Error(seen.why) });
  }
}
