/** Who has most of what is limited, so that whoever is refused learns who would have to shrink. */
import type { Ask } from '../partition/admission.ts';
import type { Holder } from '../partition/allocation.ts';
import { AMOUNT_NAMES, type AmountName } from '../partition/amounts.ts';

/** @param amount positive */
type Has = readonly [owner: string, amount: number];

interface Most {
  /** Everybody who has some of it. */
  readonly all: Map<string, number>;
  /** Those of them who have most. */
  most: readonly Has[];
}

/**
 * Kept up while room is given away: a plan that refuses many asks for the few that have most each
 * time, and there may be many thousands.
 */
export class MostHolding {
  readonly #count: number;
  readonly #of: ReadonlyMap<AmountName, Most>;

  /** @param count how many are to be told of at once */
  constructor(holders: readonly Holder[], count: number) {
    this.#count = count;
    this.#of = new Map(AMOUNT_NAMES.map((name) => [name, this.#mostOf(name, holders)]));
  }

  /** Whoever was admitted has it from now on. */
  take({ owner, steps }: Ask<string>): void {
    for (const [name, of] of this.#of) {
      const asked = Math.max(...steps.map(({ amounts }) => amounts[name]));
      if (asked <= (of.all.get(owner) ?? 0)) continue;
      of.all.set(owner, asked);
      // Nobody ever has less, so that whoever is not among them yet comes in by an own step.
      of.most = this.#first([...of.most.filter(([other]) => other !== owner), [owner, asked]]);
    }
  }

  /** Most first, and how many more there are. */
  besides(
    owner: string,
    name: AmountName,
  ): { readonly most: readonly Has[]; readonly more: number } {
    const { all, most } = this.#of.get(name) ?? { all: new Map<string, number>(), most: [] };
    const others = most.filter(([other]) => other !== owner).slice(0, this.#count);
    return { most: others, more: all.size - (all.has(owner) ? 1 : 0) - others.length };
  }

  #mostOf(name: AmountName, holders: readonly Holder[]): Most {
    const all = new Map(
      holders
        .filter(({ amounts }) => amounts[name] > 0)
        .map(({ owner, amounts }) => [owner, amounts[name]]),
    );
    return { all, most: this.#first([...all]) };
  }

  /** One more than are told of: whoever asks is not. */
  #first(has: readonly Has[]): readonly Has[] {
    return has.toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, this.#count + 1);
  }
}
