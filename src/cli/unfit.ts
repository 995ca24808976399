/** A partition that its host has no room for: whatever a plan says, unnestd does nothing in it. */
import type { PartitionStatus } from '../report/partition-status.ts';
import type { Environment } from './environment.ts';
import { paintFor, printable } from './render/paint.ts';

/** Why, in words; null: there is room, or nobody has asked yet. */
export function unfitIn({ conditions }: PartitionStatus): string | null {
  const fits = conditions.find(({ type }) => type === 'FitsHost');
  return fits?.status === 'False' ? `${fits.reason}: ${fits.message}` : null;
}

/** Beside a plan, on standard error, so that what is written as JSON stays that. */
export function warnUnfit(why: string | null, { stderr, variables }: Environment): void {
  if (why === null) return;
  const words = `unnestd does none of it for now: ${printable(why)}`;
  stderr.write(`${paintFor(stderr, variables).red('warning')}: ${words}\n`);
}
