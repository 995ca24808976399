import { type Codec, i32 } from './wire/codec.ts';
import { mapped } from './wire/combinators.ts';

/**
 * Names for the numbers of an enumeration. They grow with libvirt: a number that the list does
 * not have reads as `unknown`, which cannot be sent.
 */
export function named<const T extends string>(names: readonly T[]): Codec<T | 'unknown'> {
  return mapped(
    i32,
    (number) => nameOf(names, number),
    (name) => {
      const number = names.findIndex((candidate) => candidate === name);
      if (number === -1) throw new RangeError(`"${name}" cannot be sent`);
      return number;
    },
  );
}

/** The name at `number`, or `unknown`. */
export function nameOf<const T extends string>(names: readonly T[], number: number): T | 'unknown' {
  return names[number] ?? 'unknown';
}
