/** Whoever is about to lose something is asked before it is gone. */
import { CommandError, usageError } from './command-error.ts';
import type { Environment } from './environment.ts';
import { exitCodes } from './exit-codes.ts';

/**
 * @param what such as `deletes 3`, after "This" or "this plan"
 * @throws CommandError unless somebody says yes
 */
export async function askFirst(
  what: string,
  { ask }: Environment,
  subject = 'this',
): Promise<void> {
  if (ask === null) {
    throw usageError(`${subject} ${what}, and there is nobody to ask`, 'say --yes if it is meant');
  }
  const answer = await ask(`This ${what}. Go on? [y/N] `);
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new CommandError(exitCodes.interrupted, 'not confirmed; nothing was done');
}
