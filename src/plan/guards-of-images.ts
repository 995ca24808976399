/**
 * What a Volume lies on stays as long as the Volume does, and what a guest was booted with as long as it runs:
 * its bytes are neither deleted nor replaced. Whoever could not be read may have any.
 */
import { bootImagesIn, heldBy } from '../diff/boot-images.ts';
import type { Change, ImageChange, VolumeChange } from '../diff/change.ts';
import { overlaysIn } from '../diff/image.ts';
import { blocked } from '../diff/ownership.ts';
import { unreadUsers } from '../diff/unread-users.ts';
import type { Observed, ObservedDomain } from '../model/domain.ts';
import type { SecondaryName } from '../model/names.ts';
import { isDiskFormat, type ObservedImage } from '../model/volume.ts';
import { keepsRunning } from './disks.ts';

export function guardImages(
  changes: readonly ImageChange[],
  volumes: readonly VolumeChange[],
  secondaries: readonly Change[],
  observed: Observed,
): readonly ImageChange[] {
  const unreadVolume = unreadVolumes(observed);
  const unreadUser = unreadUsers(observed)?.message ?? null;
  const going = new Set(volumes.filter(({ kind }) => kind === 'delete').map(({ name }) => name));
  const overlays = overlaysIn(observed);
  const users = bootUsers(secondaries, observed);
  return changes.map((change) => {
    const taken = takenAway(change);
    if (taken === null) return change;
    // A Volume lies on a disk, and a guest boots what is none.
    const dark = isDiskFormat(taken.format) ? unreadVolume : unreadUser;
    if (dark !== null) return blocked(change.name, 'HostUnknown', dark);
    if (change.kind !== 'delete') {
      const user = users.running.get(change.name);
      return user === undefined || taken.state !== 'ready'
        ? change
        : blocked(change.name, 'ImageInUse', inUse(user, observed));
    }
    const stays = (overlays.get(change.name) ?? []).some(({ name }) => !going.has(name));
    return stays || users.staying.has(change.name) ? { ...change, kind: 'keep' } : change;
  });
}

/** What is there and goes; null: nothing does. What is half made nobody was ever given. */
function takenAway(change: ImageChange): ObservedImage | null {
  if (change.kind === 'delete') return change.observed;
  return change.kind === 'create' ? change.remains : null;
}

function inUse(user: SecondaryName, { domains }: Observed): string {
  const seen = domains.get(user);
  if (seen?.status !== 'present' || seen.value.live !== null) {
    return `${user} runs with the bytes that it has: give the new ones an Image of another name, and boot that (which needs a restart), or halt ${user} first`;
  }
  // Its definition cannot change, nor is there anything to halt.
  return `${user} is saved, and may go on with these bytes: let it run again, and then halt it, put the old digest back, or have the operator give its saved memory up with \`virsh managedsave-remove ${seen.value.domainName}\``;
}

interface BootUsers {
  /** By Image: who keeps it in its definition, or runs with it, after this plan. */
  readonly staying: ReadonlyMap<string, string>;
  /**
   * By Image: who runs with it, or is saved with it, and is not stopped for good by this plan. One that is restarted is stopped only
   * once what it comes up with is there.
   */
  readonly running: ReadonlyMap<string, SecondaryName>;
}

function bootUsers(changes: readonly Change[], observed: Observed): BootUsers {
  const byName = new Map(changes.map((change) => [change.name, change]));
  const staying = new Map<string, string>();
  const running = new Map<string, SecondaryName>();
  for (const [name, seen] of observed.domains) {
    if (seen.status !== 'present') continue;
    const change = byName.get(name);
    for (const image of keptBy(seen.value, change, observed)) staying.set(image, name);
    const stops =
      change?.kind === 'delete' || (change?.kind === 'update' && change.power === 'stop');
    if (!stops) for (const image of heldBy(seen.value, observed)) running.set(image, name);
  }
  return { staying, running };
}

function keptBy(
  domain: ObservedDomain,
  change: Change | undefined,
  observed: Observed,
): Iterable<string> {
  // Whose definition is not changed keeps what is in that, too.
  if (change === undefined || change.kind === 'blocked') return bootImagesIn(domain, observed);
  if (change.kind === 'update' && (domain.live === null || keepsRunning(change))) {
    return heldBy(domain, observed);
  }
  return [];
}

function unreadVolumes({ volumes, unlistedVolumes }: Observed): string | null {
  if (unlistedVolumes !== null) return unlistedVolumes;
  for (const [name, seen] of volumes) {
    if (seen.status === 'unknown') return `Volume ${name} may lie on it, and: ${seen.why}`;
  }
  return null;
}
