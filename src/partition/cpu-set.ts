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
  return rangesOf(a)
    .flatMap(({ from, to }) =>
      others.map((other) => ({ from: Math.max(from, other.from), to: Math.min(to, other.to) })),
    )
    .filter(({ from, to }) => from <= to)
    .map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`))
    .join(',');
}

function rangesOf(text: string): readonly Range[] {
  if (text === '') return [];
  return text.split(',').map((range) => {
    const [from = 0, to = from] = range.split('-').map(Number);
    return { from, to };
  });
}
