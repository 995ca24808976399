/**
 * Watches one place: the names that lead to it, and what is below it. A folder that is too large to be
 * watched, or that the host has no watches left for, is not, and is lost after a while: whoever
 * watches it anew then looks at it, so that it is looked at now and then, and costs little.
 */
import { errnoOf } from './file-error.ts';
import type { Place } from './follow-links.ts';
import { machineTimers } from './time.ts';
import { watchPins } from './watch-pins.ts';
import { type TreeEvents, TreeTooLarge, watchTree } from './watch-tree.ts';

export interface PlaceEvents {
  readonly onSign: TreeEvents['onSign'];
  /** One of the names may lead elsewhere. */
  readonly onNames: () => void;
  /** It is not watched any more, or not all of it. */
  readonly onLost: () => void;
}

/** How long what cannot be watched is left alone. */
const unwatchedMs = 30_000;

/** The host has no more watches, no more sets of them, or no more files for us. */
const exhausted = ['ENOSPC', 'EMFILE', 'ENFILE'];

/** @returns how to stop */
export async function watchPlace(place: Place, events: PlaceEvents): Promise<() => Promise<void>> {
  const { onSign, onNames, onLost } = events;
  let stopPins = () => {};
  try {
    stopPins = watchPins(place.pins, onNames);
    const stopTree = await watchTree(place.real, { onSign, onError: onLost });
    return async () => {
      stopPins();
      await stopTree();
    };
  } catch (error) {
    if (!(error instanceof TreeTooLarge) && !exhausted.includes(errnoOf(error))) {
      stopPins();
      throw error;
    }
    const stopTimer = machineTimers.after(unwatchedMs, onLost);
    return async () => {
      stopPins();
      stopTimer();
    };
  }
}
