/** Rows for people. */
import type { Row, Target } from './row.ts';

const headings = ['row', 'ours', 'baseline', '', 'ratio', 'target', ''];

export function renderTable(rows: readonly Row[]): string {
  const lines = [headings, ...rows.map(cells)];
  const widths = headings.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function cells({ name, value, baseline, baselineValue, ratio, target, ok }: Row): string[] {
  return [
    name,
    milliseconds(value),
    milliseconds(baselineValue),
    baseline ?? '',
    ratio === null ? '' : ratio.toFixed(2),
    target === null ? '' : targetText(target),
    ok === null ? '' : ok ? 'ok' : 'missed',
  ];
}

function milliseconds(value: number | null): string {
  return value === null ? '' : `${value.toFixed(value < 100 ? 1 : 0)} ms`.padStart(9);
}

function targetText({ of, max }: Target): string {
  return of === 'value' ? `<= ${max} ms` : `ratio <= ${max}`;
}
