/** What a plan says about an update of a Secondary: what it means for the guest, why, and what waits. */
import type { Reason, UpdateChange } from '../diff/change.ts';
import { type FieldChange, type Impact, onePerPath } from '../diff/fields.ts';
import { reasonsOfFields } from './reasons.ts';
import type { Work } from './work.ts';

export function describeUpdate(change: UpdateChange, restarts: boolean): Work {
  const stays = !restarts && change.power !== 'stop';
  const waits = ({ impact }: FieldChange) =>
    impact === 'restart' || (impact === 'live' && !takesLive(change));
  const waiting = stays ? change.running.filter(waits) : [];
  return {
    impact: impactOf(change, restarts),
    reasons: reasonsOf(change),
    // What runs is what people see, so its side of a difference comes first.
    fields: onePerPath([...change.running, ...change.definition]),
    waiting,
  };
}

/** The guest moves its balloon and lets go of a disk itself, and one that is to stay paused does nothing. */
export function takesLive({ observed, power }: UpdateChange): boolean {
  return observed.power.status === 'running' || power === 'resume';
}

function impactOf({ power, observed }: UpdateChange, restarts: boolean): Impact {
  if (restarts) return 'restart';
  if (power === 'stop') return 'stop';
  return observed.live === null ? 'none' : 'live';
}

function reasonsOf({ definition, running, observed, power, asked }: UpdateChange): Reason[] {
  const reasons = reasonsOfFields([...definition, ...running]);
  if (!observed.persistent) reasons.push('definition-gone');
  if (asked !== null) reasons.push('asked-for');
  else if (power === 'start') reasons.push('not-running');
  else if (power === 'resume') reasons.push('paused');
  else if (power === 'stop') reasons.push('should-be-halted');
  if (power !== 'stop' && observed.stopAsked && observed.live !== null) reasons.push('stop-noted');
  return reasons;
}
