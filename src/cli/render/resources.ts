/** What a partition has besides Secondaries, as `unnest get` prints it. */
import { stringify } from 'yaml';
import { cellOf, type Column } from '../columns.ts';
import { type OtherKind, type ResourceRow, titles } from '../resource-rows.ts';
import { renderTable } from './table.ts';

export type Output = 'table' | 'wide' | 'json' | 'yaml' | 'name' | readonly Column[];

export function renderResources(
  kind: OtherKind,
  rows: readonly ResourceRow[],
  output: Output,
): string {
  const items = rows.map(({ object }) => object);
  if (typeof output !== 'string') return renderColumns(items, output);
  switch (output) {
    case 'table':
    case 'wide':
      return renderTable(
        ['NAME', 'STATUS', ...titles[kind]],
        rows.map(({ name, status, cells: more }) => [name, status, ...more]),
      );
    case 'name':
      return rows.map(({ name }) => `${name}\n`).join('');
    case 'json':
      return `${JSON.stringify({ items }, null, 2)}\n`;
    case 'yaml':
      return stringify({ items });
  }
}

export function renderColumns(items: readonly object[], columns: readonly Column[]): string {
  return renderTable(
    columns.map(({ title }) => title),
    items.map((item) => columns.map((column) => cellOf(item, column))),
  );
}
