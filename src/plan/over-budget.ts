/** Why there is no room for something, so that its reader knows what to do about it. */
import type { Block, PrimaryChange } from '../diff/change.ts';
import { formatSize } from '../model/sizes.ts';
import type { Limits } from '../model/share.ts';
import type { Ask, Lack } from '../partition/admission.ts';
import type { AmountName } from '../partition/amounts.ts';
import { carvableOf } from '../partition/carving.ts';
import type { MostHolding } from './most-holding.ts';

export interface Budgeted {
  readonly limits: Limits;
  readonly primary: PrimaryChange | null;
  /** With what this plan gives to those before it. */
  readonly holding: MostHolding;
}

/** How many of those who would have to shrink are named. */
export const holdersShownMax = 5;

export function overBudget(
  { owner }: Ask<string>,
  lacks: readonly Lack[],
  budgeted: Budgeted,
): Block {
  if (lacks.length === 0) {
    const message = 'there is room for it once what this plan gives back has been given back';
    return { code: 'OverBudget', message };
  }
  const message = lacks.map((lack) => sentence(owner, lack, budgeted)).join('; ');
  const refusal = heldBack(lacks, budgeted);
  if (refusal === null) return { code: 'OverBudget', message };
  return { code: 'PrimaryNotReleasing', message: `${refusal}; ${message}` };
}

/** Where the Primary could make room and does not; null: that is not why. */
function heldBack(lacks: readonly Lack[], { primary }: Budgeted): string | null {
  if (primary?.kind !== 'present' || primary.held === null) return null;
  const { shrink } = carvableOf(primary.wanted, primary.observed);
  const isEnough = lacks.every(({ name, asked, left }) => asked - left <= shrink[name]);
  return isEnough ? `the Primary does not release: ${primary.held.message}` : null;
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

/** Whoever would have to shrink for it, most first. */
function othersWith(owner: string, name: AmountName, { holding }: Budgeted): string[] {
  // Each counts for one of them, which says nothing.
  if (name === 'secondaries') return [];
  const { most, more } = holding.besides(owner, name);
  const shown = most.map(([holder, amount]) => `${shownAs(holder)} ${words[name].show(amount)}`);
  return more > 0 ? [...shown, `${more} more`] : shown;
}

/** A Secondary by its name alone. */
function shownAs(holder: string): string {
  return holder.replace(/^secondary\//, '').replace(/^primary\/.*/, 'the Primary');
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
