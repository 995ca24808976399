/**
 * Bit flags as named booleans: `flagSet({ live: 1, config: 2 })` gives a function from
 * `{ live: true }` to the number on the wire, and the options type along with it.
 */
export type FlagOptions<T> = { readonly [K in keyof T]?: boolean | undefined };

export type FlagSet<T> = (options: FlagOptions<T>) => number;

export function flagSet<const T extends Readonly<Record<string, number>>>(bits: T): FlagSet<T> {
  const entries = Object.entries(bits);
  return (options) => {
    let flags = 0;
    for (const [name, bit] of entries) {
      // Border: Object.entries forgets that `name` is a key of T.
      if (options[name as keyof T] === true) flags += bit;
    }
    return flags;
  };
}

/** The options that a flag set takes. */
export type OptionsOf<F> = F extends FlagSet<infer T> ? FlagOptions<T> : never;
