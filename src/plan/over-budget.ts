/** Why there is no room for something, so that its reader knows what to do about it. */
import type { Observed } from '../model/domain.ts';
import { formatSize } from '../model/sizes.ts';
import type { Limits } from '../model/share.ts';
import type { Ask, Lack } from '../partition/admission.ts';
import { holdersOf } from '../partition/allocation.ts';
import type { AmountName } from '../partition/amounts.ts';

export interface Budgeted {
  readonly limits: Limits;
  readonly observed: Observed;
  /** What this plan gives to those before it. */
  readonly taken: readonly Ask<string>[];
}

export function overBudget(
  { owner }: Ask<string>,
  lacks: readonly Lack[],
  budgeted: Budgeted,
): string {
  if (lacks.length === 0) {
    return 'there is room for it once what this plan gives back has been given back';
  }
  return lacks.map((lack) => sentence(owner, lack, budgeted)).join('; ');
}

function sentence(owner: string, { name, asked, left }: Lack, budgeted: Budgeted): string {
  const { path, show } = words[name];
  const limit = budgeted.limits[name];
  const parts = [
    `limits.${path} is ${show(limit)}: ${show(limit - left)} ${name === 'vcpus' || name === 'secondaries' ? 'are' : 'is'} used`,
    `it asks for ${show(asked)}${name === 'memoryBytes' ? ' with its virtual machine' : ''}`,
    `${show(asked - left)} too much`,
  ];
  const others = othersWith(owner, name, budgeted);
  const whose = others.length === 0 ? '' : ` (${others.join(', ')})`;
  return `${parts[0]}${whose}, ${parts[1]}, which is ${parts[2]}`;
}

const holdersShownMax = 5;

/** Whoever would have to shrink for it, most first. */
function othersWith(owner: string, name: AmountName, { observed, taken }: Budgeted): string[] {
  // Each counts for one of them, which says nothing.
  if (name === 'secondaries') return [];
  const has = new Map(holdersOf(observed).map((each) => [each.owner, each.amounts[name]]));
  for (const ask of taken) {
    const asked = Math.max(...ask.steps.map(({ amounts }) => amounts[name]));
    has.set(ask.owner, Math.max(has.get(ask.owner) ?? 0, asked));
  }
  const most = [...has]
    .filter(([holder, amount]) => holder !== owner && amount > 0)
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  const shown = most
    .slice(0, holdersShownMax)
    .map(([holder, amount]) => `${holder.replace(/^secondary\//, '')} ${words[name].show(amount)}`);
  const more = most.length - shown.length;
  return more > 0 ? [...shown, `${more} more`] : shown;
}

const words: {
  readonly [Name in AmountName]: {
    /** In a document. */
    readonly path: string;
    readonly show: (amount: number) => string;
  };
} = {
  vcpus: { path: 'vcpus', show: String },
  memoryBytes: { path: 'memory', show: formatSize },
  storageBytes: { path: 'storage', show: formatSize },
  secondaries: { path: 'secondaries', show: String },
};
