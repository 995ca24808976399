/** Rows for people. */
import type { Row, Target, Unit } from './row.ts';

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

function cells(row: Row): string[] {
  const { name, unit, value, baseline, baselineValue, ratio, target, ok } = row;
  return [
    name,
    figure(value, unit),
    figure(baselineValue, unit),
    baseline ?? '',
    ratio === null ? '' : ratio.toFixed(2),
    target === null ? '' : targetText(target, unit),
    ok === null ? '' : ok ? 'ok' : 'missed',
  ];
}

function figure(value: number | null, unit: Unit): string {
  return value === null ? '' : `${value.toFixed(digitsOf(value, unit))} ${unit}`.padStart(9);
}

function digitsOf(value: number, unit: Unit): number {
  return unit === '%' ? 3 : value < 100 ? 1 : 0;
}

function targetText({ of, max }: Target, unit: Unit): string {
  switch (of) {
    case 'value':
      return `<= ${max} ${unit}`;
    case 'ratio':
      return `ratio <= ${max}`;
    case 'excess':
      return `<= baseline + ${max} ${unit}`;
  }
}
