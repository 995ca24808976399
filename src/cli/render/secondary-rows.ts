/** Secondaries as `unnest get` prints them: all at once, or those that have changed. */
import { stringify } from 'yaml';
import type { SecondaryRow, SecondaryRows } from '../secondary-rows.ts';
import { type Output, renderColumns } from './resources.ts';
import { renderTable } from './table.ts';

export function renderSecondaries(all: SecondaryRows, output: Output): string {
  const items = all.rows.map(({ object }) => object);
  if (typeof output !== 'string') return renderColumns(items, output);
  switch (output) {
    case 'table':
    case 'wide':
      return tableOf(all, output);
    case 'name':
      return all.rows.map(({ name }) => `${name}\n`).join('');
    case 'json':
      return `${JSON.stringify({ items }, null, 2)}\n`;
    case 'yaml':
      return stringify({ items });
  }
}

/**
 * The rows that are other than they were, as wide as the whole table would be; those that are gone,
 * by name. The first time all of them, with the titles.
 */
export function renderChanges(
  before: SecondaryRows | null,
  after: SecondaryRows,
  output: Exclude<Output, 'yaml'>,
): string {
  const known = new Map(before?.rows.map((row) => [row.name, JSON.stringify(row.object)]));
  const changed = after.rows.map(({ name, object }) => known.get(name) !== JSON.stringify(object));
  const gone = (before?.rows ?? []).filter(
    ({ name }) => !after.rows.some((row) => row.name === name),
  );
  if (output === 'json') {
    const lines = after.rows.filter((_, index) => changed[index]).map(({ object }) => object);
    return [...lines, ...gone.map(goneObject)].map((each) => `${JSON.stringify(each)}\n`).join('');
  }
  const lines = renderSecondaries(after, output).split('\n').slice(0, -1);
  const titles = output === 'name' ? 0 : 1;
  const shown = lines.filter((_, index) =>
    index < titles ? before === null : changed[index - titles],
  );
  return [...shown, ...gone.map(({ name }) => `${name}   Gone`)]
    .map((line) => `${line}\n`)
    .join('');
}

const goneObject = ({ name }: SecondaryRow) => ({ name, status: 'Gone' });

function tableOf(all: SecondaryRows, output: 'table' | 'wide'): string {
  return output === 'table'
    ? renderTable(
        all.titles,
        all.rows.map(({ cells }) => cells),
      )
    : renderTable(
        all.wideTitles,
        all.rows.map(({ wideCells }) => wideCells),
      );
}
