/** Which disks a plan plugs into guests that run, and which it takes out of them. */
import type { Change, UpdateChange } from '../diff/change.ts';
import { type DiskMoves, diskMoves } from '../diff/disks.ts';
import type { DomainRef } from '../model/domain.ts';
import type { VolumeName } from '../model/names.ts';
import type { Chain } from './chain.ts';
import { diskName, type Phase } from './operation.ts';
import { wantsRestart } from './run-policy.ts';
import { takesLive } from './update-work.ts';

/** Not of a guest that sleeps on or goes down: its disks change with its next start, or once it is awake. */
export function movesNow(change: Change): DiskMoves {
  if (change.kind !== 'update' || !keepsRunning(change) || !takesLive(change)) return noMoves;
  return diskMoves(change);
}

/** Whether its guest runs now, and goes on without being stopped by this plan. */
export function keepsRunning(change: UpdateChange): boolean {
  return change.observed.live !== null && change.power !== 'stop' && !wantsRestart(change);
}

const noMoves: DiskMoves = { attach: [], detach: [] };

/** Behind its definition, and not behind its balloon, which may not move. */
export function addDiskSteps(chain: Chain, change: UpdateChange, domain: DomainRef): void {
  const { attach, detach } = movesNow(change);
  let after = chain.operations.filter(isBefore).map(({ id }) => id);
  const add = (
    kind: 'domain.attach-disk' | 'domain.detach-disk',
    phase: Phase,
    volume: VolumeName,
  ) => {
    chain.addAfter(after, kind, diskName(change.name, volume), phase, { domain, volume });
    after = chain.operations.slice(-1).map(({ id }) => id);
  };
  // What goes leaves the port that another one may need. A paused guest lets go of nothing before it is awake.
  for (const volume of detach) {
    add('domain.detach-disk', change.power === 'none' ? 'release' : 'acquire', volume);
  }
  for (const volume of attach) add('domain.attach-disk', 'acquire', volume);
}

function isBefore({ kind }: Chain['operations'][number]): boolean {
  return kind === 'domain.define' || kind === 'domain.resume';
}
