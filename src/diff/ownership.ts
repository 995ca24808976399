/** Whether a thing in the store is ours to change (invariant 2), and what that leaves to say. */
import type { PartitionOwner } from '../model/identity.ts';
import { samePartition } from '../model/identity.ts';
import type { Observation } from '../model/observation.ts';
import type { Block, Blocked } from './change.ts';

export function blocked<N extends string>(
  name: N,
  code: Block['code'],
  message: string,
): Blocked<N> {
  return { kind: 'blocked', name, block: { code, message } };
}

/** Of what needs something that is blocked itself. @param what such as `Volume data` */
export function partBlocked(what: string, { code, message }: Block): Block {
  return { code: 'PartBlocked', message: `${what} is blocked: ${code}: ${message}` };
}

const ofPart = /^[^:]* is blocked: (\w+): ([^]*)$/;

/** What it all comes from, as far down as parts are blocked by their parts. */
export function rootOf({ code, message }: Block): Block {
  const found = code === 'PartBlocked' ? ofPart.exec(message) : null;
  if (found === null) return { code, message };
  const [, cause = '', why = ''] = found;
  // As `partBlocked` has put it there.
  return rootOf({ code: cause as Block['code'], message: why });
}

/** Null if it is ours. @param what such as `Volume data` */
export function foreignBlock(
  what: string,
  owner: PartitionOwner | null,
  us: PartitionOwner,
): Block | null {
  if (owner === null) {
    return { code: 'NameTaken', message: `the host has a ${what} that unnest did not make` };
  }
  if (samePartition(owner, us)) return null;
  const { installation, partition } = owner;
  const message = `${what} is marked as of partition ${partition} of installation ${installation}`;
  return { code: 'MarkMismatch', message };
}

/** What was not looked at is not known. */
export function looked<T>(observation: Observation<T> | undefined): Observation<T> {
  return observation ?? { status: 'unknown', why: 'it was not looked at' };
}
