/**
 * The data disks of a running guest. They come and go while it runs, each by itself: which place one has,
 * and by which name its guest finds it, never depends on the others.
 */
import type { DomainFields } from '../model/domain.ts';
import type { VolumeName } from '../model/names.ts';
import { splitUses } from '../model/volume.ts';
import type { UpdateChange } from './change.ts';

/** Which Volumes a guest is to get, and which it is to let go of, by name and in their order. */
export interface DiskMoves {
  readonly attach: readonly VolumeName[];
  readonly detach: readonly VolumeName[];
}

type Disks = Pick<DomainFields, 'bootVolume' | 'volumes'>;

/**
 * Live, as long as it keeps the disk that it boots from and there is a port for each that comes: one that
 * goes leaves its own. The order decides where a new one goes, and moves none that is there.
 */
export function disksImpact(
  to: Disks,
  live: Disks,
  portsFree: number,
): 'unnoticed' | 'live' | 'restart' {
  const there = listed(live.volumes);
  const wanted = listed(to.volumes);
  const come = wanted.filter((text) => !there.includes(text));
  const go = there.filter((text) => !wanted.includes(text));
  if (come.length + go.length === 0) return 'unnoticed';
  // A Volume may have been a data disk and be booted from, or the other way round.
  if (to.bootVolume !== live.bootVolume) return 'restart';
  const names = [...come, ...go].flatMap(splitUses).map(({ volume }) => volume);
  const isPlain = names.length === come.length + go.length && new Set(names).size === names.length;
  return isPlain && come.length - go.length <= portsFree ? 'live' : 'restart';
}

/** What of it can be done while the guest runs. */
export function diskMoves({ running }: UpdateChange): DiskMoves {
  const change = running.find(({ field }) => field === 'volumes');
  if (change?.impact !== 'live') return noMoves;
  const [there, wanted] = [change.from, change.to].map((text) =>
    splitUses(`${text ?? ''}`).map(({ volume }) => volume),
  );
  return {
    attach: (wanted ?? []).filter((volume) => !there?.includes(volume)),
    detach: (there ?? []).filter((volume) => !wanted?.includes(volume)),
  };
}

const noMoves: DiskMoves = { attach: [], detach: [] };

function listed(volumes: string): readonly string[] {
  return volumes === '' ? [] : volumes.split(',');
}
