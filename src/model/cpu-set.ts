/** Sets of CPUs as the kernel lists them (cpuset(7)): `4-7,12`, ascending and without overlap. */

interface Range {
  readonly from: number;
  readonly to: number;
}

export function cpusIn(text: string): number {
  return rangesOf(text).reduce((sum, { from, to }) => sum + to - from + 1, 0);
}

/** Those that are in both, in the same form; empty: none is. */
export function sharedCpus(a: string, b: string): string {
  const others = rangesOf(b);
  return textOf(
    rangesOf(a).flatMap(({ from, to }) =>
      others.map((other) => ({ from: Math.max(from, other.from), to: Math.min(to, other.to) })),
    ),
  );
}

/** Of a host with `count` CPUs those that are in none of `sets`; empty: every one is in one. */
export function cpusBeside(count: number, sets: readonly string[]): string {
  let free: readonly Range[] = [{ from: 0, to: count - 1 }];
  for (const taken of sets.flatMap(rangesOf)) {
    free = free.flatMap(({ from, to }) => [
      { from, to: Math.min(to, taken.from - 1) },
      { from: Math.max(from, taken.to + 1), to },
    ]);
    free = free.filter(({ from, to }) => from <= to);
  }
  return textOf(free);
}

/** As the kernel itself would write it, which writes neighbours as one range. */
export function plainCpus(text: string): string {
  const plain: Range[] = [];
  for (const range of rangesOf(text)) {
    const last = plain.at(-1);
    if (last !== undefined && range.from === last.to + 1) {
      plain[plain.length - 1] = { from: last.from, to: range.to };
    } else {
      plain.push(range);
    }
  }
  return textOf(plain);
}

export function eachCpu(text: string): readonly number[] {
  return rangesOf(text).flatMap(({ from, to }) =>
    Array.from({ length: to - from + 1 }, (_, index) => from + index),
  );
}

/** The highest number in it. */
export function lastCpu(text: string): number {
  return rangesOf(text).at(-1)?.to ?? -1;
}

function rangesOf(text: string): readonly Range[] {
  if (text === '') return [];
  return text.split(',').map((range) => {
    const [from = 0, to = from] = range.split('-').map(Number);
    return { from, to };
  });
}

function textOf(ranges: readonly Range[]): string {
  return ranges
    .filter(({ from, to }) => from <= to)
    .map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`))
    .join(',');
}
