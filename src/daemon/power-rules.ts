/** Which wishes for a guest's power its document allows. What it forbids is said, not done. */
import type { Answer, PowerAction } from '../channel/control.ts';
import type { SecondaryName } from '../model/names.ts';
import type { Secondary } from '../model/secondary.ts';
import type { Authority } from './authority.ts';
import type { Partition } from './partition.ts';

/** Null: it may be tried. */
export function refusedPower(
  authority: Authority,
  loop: Partition,
  name: SecondaryName,
  action: PowerAction,
): Extract<Answer, { status: 'refused' }> | null {
  const { desired } = authority.input();
  if (desired === null) return refused('NothingYet', 'no documents are in force');
  const secondary = desired.secondaries.get(name);
  if (secondary === undefined) {
    const known = loop.status.secondaries.some((each) => each.name === name);
    const why = known ? 'no document speaks of it any more' : 'there is no Secondary of this name';
    return refused('NoSuchSecondary', `${name}: ${why}`);
  }
  const why = forbids(secondary, action);
  return why === null ? null : refused('RunPolicy', `${name}: ${why}`);
}

/** Null: it does not. */
export function forbids({ runPolicy }: Secondary, action: PowerAction): string | null {
  if (action === 'stop') {
    if (runPolicy === 'Manual') return null;
    return runPolicy === 'Halted'
      ? 'its run policy is Halted, so that it is stopped anyway'
      : `its run policy is ${runPolicy}, so that it would be started again: write runPolicy: Halted or Manual`;
  }
  return runPolicy === 'Halted'
    ? 'its run policy is Halted: write another into its document first'
    : null;
}

/** Null: it is wanted, or there, or nobody in particular is meant. */
export function refusedName(
  authority: Authority,
  loop: Partition,
  name: SecondaryName | null,
): Extract<Answer, { status: 'refused' }> | null {
  if (name === null || authority.input().desired?.secondaries.has(name) === true) return null;
  if (loop.status.secondaries.some((each) => each.name === name)) return null;
  return refused('NoSuchSecondary', `${name}: there is no Secondary of this name`);
}

function refused(code: string, message: string) {
  return { status: 'refused', code, message } as const;
}
