/** What a Secondary's policies ask of its guest: whether it runs, and whether it is restarted. */
import type { Change, UpdateChange } from '../diff/change.ts';
import type { Secondary } from '../model/secondary.ts';

function wantsToRun({ runPolicy }: Secondary): boolean {
  return runPolicy === 'Always' || runPolicy === 'RerunOnFailure';
}

/**
 * Never without being told so: `updatePolicy: Restart` and a run policy that wants it running, or a
 * person who asks for it.
 */
export function wantsRestart({ secondary, running, power, asked }: UpdateChange): boolean {
  if (power === 'stop' || power === 'start') return false;
  if (asked === 'restart') return true;
  return (
    secondary.updatePolicy === 'Restart' &&
    secondary.runPolicy !== 'Manual' &&
    running.some(({ impact }) => impact === 'restart')
  );
}

/**
 * Whether it is to be started, be it only to come up again: a restart that breaks off in the middle
 * leaves a start to do, and what could not be started then must not be stopped now.
 */
export function wantsStart(change: Change): boolean {
  if (change.kind === 'create') return change.asked !== null || wantsToRun(change.secondary);
  return change.kind === 'update' && (change.power === 'start' || wantsRestart(change));
}
