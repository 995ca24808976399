/** The value of a field in the words of a document. */
import type { FieldName, FieldValue } from '../../model/domain.ts';
import { formatSize } from '../../model/sizes.ts';
import { printable } from './paint.ts';

export function formatValue(field: FieldName, value: FieldValue): string {
  if (value === null) return 'none';
  if (typeof value === 'number') {
    if (field === 'stopGraceMs') return `${value / 1000}`;
    return field.startsWith('memory') ? formatSize(value) : `${value}`;
  }
  if (value === '') return 'none';
  return typeof value === 'string' ? printable(JSON.stringify(value)) : `${value}`;
}
