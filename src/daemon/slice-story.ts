/**
 * What looks at a partition's slice say when they are put side by side: whether its guests are held
 * back by the limit of CPUs, and who has ended when the kernel killed. Kept in memory only: a daemon
 * that starts anew begins to watch anew. Pure: the time is given.
 *
 * Held back is who was in a good part of the kernel's periods (`nr_throttled` of `nr_periods`), over a
 * minute at least: periods count only while something runs, so that it is a share and no sum over
 * CPUs, which `throttled_usec` is. Rejected: `cpu.pressure`, in which waiting for other partitions
 * counts as well.
 */
import type { Observed } from '../model/domain.ts';
import type { SecondaryName } from '../model/names.ts';
import type { SliceUsage } from '../model/slice.ts';
import type { SliceFindings } from '../report/slice-findings.ts';
import type { GuestEnd } from './runs.ts';

interface Mark extends Pick<SliceUsage, 'periods' | 'throttledPeriods'> {
  readonly atMs: number;
}

interface Crash {
  readonly name: SecondaryName;
  readonly atMs: number;
}

export interface SliceStory extends SliceFindings {
  /** What the next share is counted from; null: nothing was seen yet. */
  readonly mark: Mark | null;
  /** As of the last look; null: nothing was seen yet. */
  readonly oomKills: number | null;
  /** When a look has seen that there were more; null: none has. */
  readonly killedAtMs: number | null;
  /** Those that belong to no killing yet. */
  readonly crashes: readonly Crash[];
}

export const noStory: SliceStory = {
  mark: null,
  oomKills: null,
  killedAtMs: null,
  crashes: [],
  isThrottled: false,
  victims: null,
};

const windowMs = 60_000;
/** Of 100 ms each: who ran for less in all that time does not notice. */
const periodsMin = 50;
/** From here on guests are held back, and below the other they no longer are: it does not flap. */
const throttledFrom = 0.25;
const throttledBelow = 0.1;
/** libvirt learns a little later than the kernel that a guest has gone, or a look is between the two. */
const togetherMs = 10_000;

/** @param ended who has ended by itself since the last look */
export function lookAtSlice(
  before: SliceStory,
  { slice }: Observed,
  ended: readonly GuestEnd[],
  nowMs: number,
): SliceStory {
  switch (slice.status) {
    case 'unknown':
      return before;
    case 'absent':
      return noStory;
    case 'present': {
      const { usage } = slice.value;
      return { ...throttling(before, usage, nowMs), ...killing(before, usage, ended, nowMs) };
    }
  }
}

function throttling(
  { mark, isThrottled }: SliceStory,
  { periods, throttledPeriods }: SliceUsage,
  nowMs: number,
): Pick<SliceStory, 'mark' | 'isThrottled'> {
  const here = { atMs: nowMs, periods, throttledPeriods };
  if (mark === null) return { mark: here, isThrottled: false };
  if (nowMs - mark.atMs < windowMs) return { mark, isThrottled };
  // Less than none of a slice that was made anew.
  const ran = periods - mark.periods;
  const share = ran < periodsMin ? 0 : (throttledPeriods - mark.throttledPeriods) / ran;
  return { mark: here, isThrottled: share >= (isThrottled ? throttledBelow : throttledFrom) };
}

function killing(
  before: SliceStory,
  { oomKills }: SliceUsage,
  ended: readonly GuestEnd[],
  nowMs: number,
): Pick<SliceStory, 'oomKills' | 'killedAtMs' | 'crashes' | 'victims'> {
  const isRecent = ({ atMs }: Pick<Crash, 'atMs'>) => nowMs - atMs <= togetherMs;
  const now = ended.flatMap(({ name, reason }) => (isCrash(reason) ? [{ name, atMs: nowMs }] : []));
  const crashes = [...before.crashes.filter(isRecent), ...now];
  const isMore = before.oomKills !== null && oomKills > before.oomKills;
  const killedAtMs = isMore ? nowMs : before.killedAtMs;
  if (killedAtMs === null || !isRecent({ atMs: killedAtMs })) {
    return { oomKills, killedAtMs, crashes, victims: before.victims };
  }
  const earlier = isMore ? [] : (before.victims ?? []);
  const victims = new Set([...earlier, ...crashes.map(({ name }) => name)]);
  return { oomKills, killedAtMs, crashes: [], victims: [...victims] };
}

/** A virtual machine that was killed has neither shut down nor been asked to. */
function isCrash(reason: GuestEnd['reason']): boolean {
  return reason === 'crashed' || reason === 'failed';
}
