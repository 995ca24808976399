/** The two ways in which a simulated host says no. */
import { HostError } from '../host-error.ts';

/** @param why in the words of libvirt or of the store */
export function refused(doing: string, why: string): HostError {
  return new HostError('Refused', doing, { cause: new Error(why) });
}

/** Somebody has changed what the caller goes by. */
export function conflict(doing: string, why: string): HostError {
  return new HostError('Conflict', doing, { cause: new Error(why) });
}
