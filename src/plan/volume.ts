/** The operations for one Volume. */
import type { VolumeChange } from '../diff/change.ts';
import { initialVolumeFields } from '../diff/volume.ts';
import type { ObservedDomain } from '../model/domain.ts';
import { Chain } from './chain.ts';
import type { DeletionContext } from './steps.ts';
import type { Steps } from './work.ts';

type Of<K extends VolumeChange['kind']> = Extract<VolumeChange, { kind: K }>;

export function volumeCreateSteps({ name, volume, remains }: Of<'create'>): Steps {
  const chain = new Chain('volume', name);
  // Whatever was being deleted goes first; what was being made is made over.
  if (remains?.state === 'deleting') chain.add('volume.delete', 'release', { volume: name });
  chain.add('volume.create', 'provision', { volume });
  return {
    impact: 'none',
    reasons: [remains === null ? 'not-on-host' : 'half-made'],
    fields: initialVolumeFields(volume),
    waiting: [],
    operations: chain.operations,
  };
}

/** @param isGivenUp whether the guest that has it is shut down by this plan, or lets go of it */
export function volumeUpdateSteps(
  { name, volume, fields, user }: Of<'update'>,
  isGivenUp: boolean,
): Steps {
  const chain = new Chain('volume', name);
  if (fields.some(({ field }) => field === 'deletionPolicy')) {
    const { deletionPolicy } = volume;
    chain.add('volume.set-deletion-policy', 'prepare', { volume: name, deletionPolicy });
  }
  if (fields.some(({ field }) => field === 'sizeBytes')) {
    addGrowth(chain, volume.sizeBytes, name, isGivenUp ? null : user);
  }
  return {
    impact: user === null || isGivenUp ? 'none' : 'live',
    reasons: fields.length > 0 ? ['document-changed'] : [],
    fields: isGivenUp ? fields.map((field) => ({ ...field, impact: 'none' })) : fields,
    waiting: [],
    operations: chain.operations,
  };
}

function addGrowth(
  chain: Chain,
  sizeBytes: number,
  volume: Of<'update'>['name'],
  user: ObservedDomain | null,
): void {
  if (user === null || user.owner === null) {
    chain.add('volume.grow', 'provision', { volume, sizeBytes });
    return;
  }
  const domain = { uuid: user.uuid, domainName: user.domainName };
  chain.add('domain.grow-disk', 'provision', { domain, user: user.owner, volume, sizeBytes });
}

export function volumeDeleteSteps(
  { name, observed }: Of<'delete'>,
  { deletionReason }: DeletionContext,
): Steps {
  const chain = new Chain('volume', name);
  chain.add('volume.delete', 'release', { volume: name });
  const ready = observed.state === 'ready';
  return {
    impact: ready ? 'destroys-data' : 'none',
    reasons: [ready ? deletionReason : 'half-made'],
    fields: [],
    waiting: [],
    operations: chain.operations,
  };
}
