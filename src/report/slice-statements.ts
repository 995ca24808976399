/**
 * What the kernel says of a partition's slice. Figures that move with every look are for metrics: a
 * status that repeated them would be another one each time.
 */
import type { Observed } from '../model/domain.ts';
import type { Statement } from './condition.ts';
import type { SliceFindings } from './slice-findings.ts';

export function sliceStatements(look: {
  readonly observed: Observed;
  readonly slice: SliceFindings;
}): readonly Statement[] {
  const { observed, slice } = look;
  if (observed.slice.status !== 'present') return [];
  const { oomKills, memoryPressure } = observed.slice.value.usage;
  return [
    ...(oomKills > 0 ? [killed(oomKills, slice, observed)] : []),
    ...pressed(memoryPressure),
    ...(slice.isThrottled ? [throttled] : []),
  ];
}

function killed(oomKills: number, { victims }: SliceFindings, observed: Observed): Statement {
  const whose = victims === null ? sinceCrashed(crashedIn(observed)) : lastOf(victims);
  const times = oomKills === 1 ? 'once' : `${oomKills} times`;
  const message = `memory ran out in the partition, and the kernel has killed ${times}${whose}`;
  return { type: 'OomKilled', status: 'True', reason: 'MemoryLimit', message };
}

/** The kernel counts and names nobody; who crashes when it counts is the best there is. */
function lastOf(victims: readonly string[]): string {
  if (victims.length > 0) return `; with the last of it ${victims.join(', ')} crashed`;
  return '; with the last of it no guest crashed: it was something else in the slice, such as a worker';
}

/** It was before anybody looked. */
function sinceCrashed(names: readonly string[]): string {
  return names.length === 0 ? '' : `; ${names.join(', ')} crashed`;
}

function crashedIn({ domains }: Observed): readonly string[] {
  return [...domains].flatMap(([name, seen]) => {
    if (seen.status !== 'present' || seen.value.power.status !== 'stopped') return [];
    return seen.value.power.reason === 'crashed' ? [name] : [];
  });
}

/** In per cent of the last ten seconds: from here on it is more than once in a while. */
const pressureMin = 10;
const pressureHigh = 50;

function pressed(memoryPressure: number): readonly Statement[] {
  if (memoryPressure < pressureMin) return [];
  const part = memoryPressure < pressureHigh ? `more than ${pressureMin} %` : 'more than half';
  const message = `for ${part} of the time everybody in it waits for memory`;
  return [{ type: 'MemoryPressure', status: 'True', reason: 'Stalled', message }];
}

const throttled: Statement = {
  type: 'CpuThrottled',
  status: 'True',
  reason: 'CpuLimit',
  message:
    'for a good part of the time that its guests could have run they waited for limits.vcpus',
};
