/** `UNNEST_TEST_THOROUGH=1`, as CI has it: all that there is to try. Without it some of it, the same each time. */
const isThorough = process.env['UNNEST_TEST_THOROUGH'] === '1';

/** Every third, and the last. */
export function someOf<T>(all: readonly T[]): readonly T[] {
  if (isThorough) return all;
  return all.filter((_, at) => at % 3 === 0 || at === all.length - 1);
}
