/**
 * The one choke point: who gets something, and after whom. It is asked for every plan, and only what
 * it has admitted is in one. What it says holds at every prefix and however much of the plan fails:
 * whoever is admitted fits into what is free already, or waits for releases that make room for it.
 *
 * Releases are taken in the plan's order, as levels: who waits for level 2 waits for the first two.
 * So whichever of them have been carried out, those that may go on by then fit together.
 *
 * Rejected: to give room away only once it has been seen to be free, a pass later. It needs no
 * levels, and a guest that is replaced by another would stay away for as long as a pass takes.
 */
import {
  type AmountName,
  type Amounts,
  excess,
  lacking,
  minus,
  nothing,
  plus,
  sum,
} from './amounts.ts';

/** One step that takes. */
export interface Step<Id extends string> {
  readonly id: Id;
  readonly amounts: Amounts;
  /** What it gives back itself before it takes: nobody else gets that meanwhile. */
  readonly instead: Amounts;
}

/** All or nothing. */
export interface Ask<Id extends string> {
  /** Whose it is. */
  readonly owner: string;
  /** No two of them take of the same. */
  readonly steps: readonly Step<Id>[];
  /** Owners without whom it is of no use: where one of them is refused, it takes nothing. */
  readonly needs: readonly string[];
}

/** Something that gives back. */
export interface Release<Id extends string> {
  readonly id: Id;
  readonly amounts: Amounts;
}

export type Verdict<Id extends string> =
  /** `after`: by step, the releases that must have succeeded first, in the plan's order. */
  | {
      readonly status: 'admitted';
      readonly ask: Ask<Id>;
      readonly after: ReadonlyMap<Id, readonly Id[]>;
    }
  /** `lacks` is empty where it has to wait for more releases than one plan waits for. */
  | { readonly status: 'refused'; readonly ask: Ask<Id>; readonly lacks: readonly Lack[] }
  /** Of no use, since somebody else was refused. */
  | { readonly status: 'passed-over'; readonly ask: Ask<Id> };

export interface Admitted<Id extends string> {
  readonly verdicts: readonly Verdict<Id>[];
  /** Of what is free, after every release and all who were admitted; can be negative. */
  readonly left: Amounts;
}

export interface Lack {
  readonly name: AmountName;
  /** What it asks for, beyond what it has. */
  readonly asked: number;
  /** What would be left for it after every release and all who come before it; can be negative. */
  readonly left: number;
}

/** Each is named by everybody who waits for it, so there is an end to them. */
const waitedForMax = 256;

/**
 * @param free what the limits leave over what is allocated; negative where it is more
 * @param asks in the order in which they are to be served
 * @param releases in the order in which they are carried out
 */
export function admit<Id extends string>(
  free: Amounts,
  asks: readonly Ask<Id>[],
  releases: readonly Release<Id>[],
): Admitted<Id> {
  const waitedFor = releases.slice(0, waitedForMax);
  const further = sum(releases.slice(waitedForMax).map((each) => each.amounts));
  const levels = levelsOf(free, waitedFor);
  const ids = waitedFor.map(({ id }) => id);
  const refused = new Set<string>();
  const verdicts = asks.map((ask): Verdict<Id> => {
    if (ask.needs.some((owner) => refused.has(owner))) {
      refused.add(ask.owner);
      return { status: 'passed-over', ask };
    }
    const placed = ask.steps.map((step) => ({ step, level: lowestLevel(levels, moreOf(step)) }));
    const lost = placed.flatMap(({ step, level }) => (level === null ? [step] : []));
    if (lost.length > 0) {
      refused.add(ask.owner);
      const left = plus(levels.at(-1) ?? free, further);
      return { status: 'refused', ask, lacks: lost.flatMap((step) => lacksAt(left, moreOf(step))) };
    }
    const after = new Map<Id, readonly Id[]>();
    for (const { step, level } of placed) {
      take(levels, level ?? 0, moreOf(step));
      after.set(step.id, ids.slice(0, level ?? 0));
    }
    return { status: 'admitted', ask, after };
  });
  return { verdicts, left: plus(levels.at(-1) ?? free, further) };
}

function moreOf({ amounts, instead }: Step<string>): Amounts {
  return minus(amounts, instead);
}

/** What it gives back of its own is for the next look to see. */
function take(levels: Amounts[], from: number, more: Amounts): void {
  const taken = excess(more, nothing);
  for (let at = from; at < levels.length; at += 1) {
    levels[at] = minus(levels[at] ?? nothing, taken);
  }
}

/** By how many releases have been carried out: what is left then for those who wait for no more. */
function levelsOf(free: Amounts, releases: readonly Release<string>[]): Amounts[] {
  const levels = [free];
  let left = free;
  for (const { amounts } of releases) {
    left = plus(left, amounts);
    levels.push(left);
  }
  return levels;
}

/** From which on there is room for it, whatever else is carried out. */
function lowestLevel(levels: readonly Amounts[], more: Amounts): number | null {
  let lowest: number | null = null;
  for (let at = levels.length - 1; at >= 0; at -= 1) {
    const left = levels[at];
    if (left === undefined || lacking(more, left).length > 0) break;
    lowest = at;
  }
  return lowest;
}

function lacksAt(left: Amounts, more: Amounts): readonly Lack[] {
  return lacking(more, left).map((name) => ({ name, asked: more[name], left: left[name] }));
}
