/** The operations for the packet filter of a partition's network. */
import type { FilterChange, Reason } from '../diff/change.ts';
import type { FieldChange } from '../diff/fields.ts';
import { initialFilterFields, isOpen } from '../diff/filter.ts';
import { filterRefOf } from '../model/filter.ts';
import type { PartitionOwner } from '../model/identity.ts';
import type { SecondaryName } from '../model/names.ts';
import { Chain } from './chain.ts';
import { operationId } from './operation.ts';
import { reasonsOfFields, reasonsOfNone } from './reasons.ts';
import type { DeletionContext } from './steps.ts';
import type { Steps } from './work.ts';

type Of<K extends FilterChange['kind']> = Extract<FilterChange, { kind: K }>;

/** @param closing who loses their address by this plan */
export function filterCreateSteps(
  change: Of<'create'>,
  owner: PartitionOwner,
  closing: readonly SecondaryName[],
): Steps {
  const chain = new Chain('filter', change.name);
  addApply(chain, change, owner);
  for (const secondary of closing) addClose(chain, change, secondary, owner);
  return {
    impact: 'none',
    reasons: ['not-on-host'],
    fields: initialFilterFields(change.fields, change.ports),
    waiting: [],
    operations: chain.operations,
  };
}

/** All at once for what is not as it is to be, and port by port for those who go. */
export function filterUpdateSteps(
  change: Of<'update'>,
  owner: PartitionOwner,
  closing: readonly SecondaryName[],
): Steps {
  const { name, ports, observed, changes } = change;
  const chain = new Chain('filter', name);
  if (changes.length > 0) addApply(chain, change, owner);
  const open = closing.filter((secondary) => {
    const port = ports.get(secondary);
    return port !== undefined && (changes.length > 0 || isOpen(observed, port));
  });
  for (const secondary of open) addClose(chain, change, secondary, owner);
  return {
    impact: 'live',
    reasons: reasonsOf(changes, open),
    fields: [...changes, ...open.map((secondary) => closed(secondary, change))],
    waiting: [],
    operations: chain.operations,
  };
}

function reasonsOf(changes: readonly FieldChange[], closing: readonly SecondaryName[]): Reason[] {
  const moves = closing.length > 0 || changes.some(({ field }) => field === 'port');
  const rules = changes.filter(({ field }) => field !== 'port');
  const tampered = rules.some(({ field }) => field === 'rules');
  return [
    ...(tampered ? (['changed-outside'] as const) : reasonsOfFields(rules)),
    ...(moves ? (['reservations-changed'] as const) : []),
  ];
}

function closed(secondary: SecondaryName, { ports }: Of<'update'>): FieldChange {
  const port = ports.get(secondary);
  return {
    field: 'port',
    path: `ports.${secondary}`,
    from: port === undefined ? null : `${port.address} from ${port.mac}`,
    to: null,
    impact: 'live',
    origin: 'document',
  };
}

export function filterDeleteSteps(
  { name }: Of<'delete'>,
  owner: PartitionOwner,
  context: DeletionContext,
): Steps {
  const chain = new Chain('filter', name);
  chain.add('filter.remove', 'release', { filter: filterRefOf(owner) });
  return {
    impact: 'none',
    reasons: reasonsOfNone(context),
    fields: [],
    waiting: [],
    operations: chain.operations,
  };
}

/** Before anything starts: rules for what is not there yet do no harm. */
function addApply(
  chain: Chain,
  { fields, ports }: Of<'create' | 'update'>,
  owner: PartitionOwner,
): void {
  const all = [...ports].map(([secondary, port]) => ({ secondary, ...port }));
  chain.add('filter.apply', 'prepare', { filter: filterRefOf(owner), fields, ports: all });
}

function addClose(
  chain: Chain,
  { name, ports }: Of<'create' | 'update'>,
  secondary: SecondaryName,
  owner: PartitionOwner,
): void {
  const port = ports.get(secondary);
  if (port === undefined) return;
  const apply = operationId('filter.apply', name);
  const after = chain.operations.some(({ id }) => id === apply) ? [apply] : [];
  const args = { filter: filterRefOf(owner), secondary, tap: port.tap };
  chain.addAfter(after, 'filter.close', secondary, 'release', args);
}
