/** The operations for the NIC of a Primary on its partition's network. */
import type { NicChange } from '../diff/change.ts';
import type { FieldChange } from '../diff/fields.ts';
import type { DomainRef } from '../model/domain.ts';
import type { ObservedPrimary } from '../model/primary.ts';
import { Chain } from './chain.ts';
import { reasonsOfNone } from './reasons.ts';
import type { DeletionContext } from './steps.ts';
import type { Steps } from './work.ts';

type Of<K extends NicChange['kind']> = Extract<NicChange, { kind: K }>;

export function nicPlugSteps(change: Of<'create' | 'update'>): Steps {
  const { name, observed, plug, isChanged, isSo, kind } = change;
  const chain = new Chain('nic', name);
  const primary = refOf(observed);
  if (isChanged) chain.add('primary.unplug', 'release', { primary, alias: plug.alias });
  // The network has to run by then, and its filter to be in force.
  if (!isSo) chain.add('primary.plug', 'provision', { primary, plug });
  return {
    impact: observed.live === null ? 'none' : 'live',
    reasons: isSo ? [] : [kind === 'create' ? 'not-on-host' : 'changed-outside'],
    fields: isSo
      ? []
      : [fieldOf(observed, kind === 'create' ? null : 'changed by somebody', plug.mac)],
    waiting: [],
    operations: chain.operations,
  };
}

export function nicUnplugSteps(
  { name, observed, alias }: Of<'delete'>,
  context: DeletionContext,
): Steps {
  const chain = new Chain('nic', name);
  chain.add('primary.unplug', 'release', { primary: refOf(observed), alias });
  return {
    impact: observed.live === null ? 'none' : 'live',
    reasons: reasonsOfNone(context),
    fields: [],
    waiting: [],
    operations: chain.operations,
  };
}

function fieldOf(
  { live }: ObservedPrimary,
  from: FieldChange['from'],
  to: FieldChange['to'],
): FieldChange {
  const impact = live === null ? 'none' : 'live';
  return { field: 'network', path: 'spec.primary.grants', from, to, impact, origin: 'document' };
}

function refOf({ uuid, domainName }: ObservedPrimary): DomainRef {
  return { uuid, domainName };
}
