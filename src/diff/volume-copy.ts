/**
 * A Volume that is to begin with the data of another: that one has to be there, of the same kind, and at
 * rest, since what a guest is writing meanwhile would be half of something.
 */
import type { Observed } from '../model/domain.ts';
import type { VolumeName } from '../model/names.ts';
import { formatSize } from '../model/sizes.ts';
import { joinUses, type ObservedVolume, useOf, type Volume } from '../model/volume.ts';
import type { Block, VolumeChange } from './change.ts';
import { foreignBlock, looked, partBlocked } from './ownership.ts';
import { unreadUsers } from './unread-users.ts';
import { volumesOf } from './volume.ts';

/** What is done about the others; whoever waits for one that waits itself waits with it. */
export function blockCopies(
  changes: readonly VolumeChange[],
  observed: Observed,
): readonly VolumeChange[] {
  if (!changes.some(isCopy)) return changes;
  const before = new Map(changes.map((change) => [change.name, change]));
  const after = new Map<VolumeName, VolumeChange>();
  // Documents let no circle through; a chain is as long as there are Volumes.
  const judge = (change: VolumeChange): VolumeChange => {
    const known = after.get(change.name);
    if (known !== undefined) return known;
    after.set(change.name, change);
    if (!isCopy(change)) return change;
    const { name, volume } = change;
    const source = before.get(volume.copyOf);
    const block = copyBlock(volume, source === undefined ? null : judge(source), observed);
    if (block !== null) after.set(name, { kind: 'blocked', name, block });
    return after.get(name) ?? change;
  };
  return changes.map(judge);
}

type Creation = Extract<VolumeChange, { kind: 'create' }>;
type Copying = Creation & { readonly volume: { readonly copyOf: VolumeName } };

function isCopy(change: VolumeChange): change is Copying {
  return change.kind === 'create' && change.volume.copyOf !== null;
}

function copyBlock(
  volume: Copying['volume'],
  source: VolumeChange | null,
  observed: Observed,
): Block | null {
  const name = volume.copyOf;
  const seen = looked(observed.volumes.get(name));
  if (seen.status === 'unknown')
    return { code: 'HostUnknown', message: `Volume ${name}: ${seen.why}` };
  if (source?.kind === 'blocked' && source.block.code !== 'ShrinkRefused') {
    return partBlocked(`Volume ${name}`, source.block);
  }
  if (source?.kind === 'create') return unlike(volume, source.volume);
  if (seen.status === 'absent' || seen.value.state !== 'ready') {
    return { code: 'NothingToCopy', message: `there is no Volume ${name}` };
  }
  return (
    foreignBlock(`Volume ${name}`, seen.value.owner, observed) ??
    unlike(volume, seen.value) ??
    writtenTo(name, observed)
  );
}

function unlike(volume: Volume, source: Volume | ObservedVolume): Block | null {
  const { name, format, origin, sizeBytes } = source;
  if (format !== volume.format || groundOf(volume) !== groundOf(source)) {
    const lies = origin?.provision === 'Overlay' ? ` on Image ${origin.image}` : '';
    const message = `Volume ${name} is ${format}${lies}, and a copy of it is too`;
    return { code: 'CopyDiffers', message };
  }
  if (sizeBytes <= volume.sizeBytes) return null;
  const message = `Volume ${name} has ${formatSize(sizeBytes)}, which would not fit`;
  return { code: 'ShrinkRefused', message };
}

/** Whoever may write to it, as one word. */
function groundOf(volume: Volume | ObservedVolume): string {
  return joinUses([{ ...useOf(volume), volume: volume.name }]).slice(volume.name.length);
}

/** A saved guest goes on with what it has not written yet. */
function writtenTo(name: VolumeName, observed: Observed): Block | null {
  const dark = unreadUsers(observed);
  if (dark !== null) return { ...dark, message: `Volume ${name}: ${dark.message}` };
  for (const [user, seen] of observed.domains) {
    if (seen.status !== 'present') continue;
    const { live, saved, defined } = seen.value;
    const held = live ?? (saved ? defined : null);
    if (held === null || !volumesOf(held).includes(name)) continue;
    const message = `${user} runs, or is saved, with Volume ${name}: it is copied once that one is halted or lets go of it`;
    return { code: 'VolumeInUse', message };
  }
  return null;
}
