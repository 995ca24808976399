/** What a partition's limits are counted in, and sums of it. */

/** Each from 0. Nothing here is negative but what is free of a limit that is exceeded. */
export interface Amounts {
  /** Virtual CPUs of guests that run, pinned or not. */
  readonly vcpus: number;
  /** Memory of guests that run, with what their virtual machines need besides (`overhead.ts`). */
  readonly memoryBytes: number;
  /** Volumes by what their guests see of them, Images by what their bytes take. */
  readonly storageBytes: number;
  /** Secondaries that are defined, whether they run or not. */
  readonly secondaries: number;
}

export type AmountName = keyof Amounts;

export const AMOUNT_NAMES = [
  'vcpus',
  'memoryBytes',
  'storageBytes',
  'secondaries',
] as const satisfies readonly AmountName[];

export const nothing: Amounts = { vcpus: 0, memoryBytes: 0, storageBytes: 0, secondaries: 0 };

export function amounts(some: Partial<Amounts>): Amounts {
  return { ...nothing, ...some };
}

export function plus(a: Amounts, b: Amounts): Amounts {
  return combined(a, b, (x, y) => x + y);
}

export function minus(a: Amounts, b: Amounts): Amounts {
  return combined(a, b, (x, y) => x - y);
}

/** What `a` has more than `b`, of each; never negative. */
export function excess(a: Amounts, b: Amounts): Amounts {
  return combined(a, b, (x, y) => Math.max(0, x - y));
}

export function sum(all: readonly Amounts[]): Amounts {
  return all.reduce(plus, nothing);
}

/**
 * Of what is asked for, whatever there is not enough of. That something else is used up, or more than
 * used up, is in nobody's way who does not ask for it.
 */
export function lacking(asked: Amounts, free: Amounts): readonly AmountName[] {
  return AMOUNT_NAMES.filter((name) => asked[name] > 0 && asked[name] > free[name]);
}

function combined(a: Amounts, b: Amounts, of: (x: number, y: number) => number): Amounts {
  return {
    vcpus: of(a.vcpus, b.vcpus),
    memoryBytes: of(a.memoryBytes, b.memoryBytes),
    storageBytes: of(a.storageBytes, b.storageBytes),
    secondaries: of(a.secondaries, b.secondaries),
  };
}
