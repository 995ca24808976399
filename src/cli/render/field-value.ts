/** The value of a field in the words of a document. */
import type { FieldChange } from '../../diff/fields.ts';
import type { FieldValue } from '../../model/domain.ts';
import { formatSize } from '../../model/sizes.ts';
import { splitUses } from '../../model/volume.ts';
import { printable } from './paint.ts';

export function formatValue(field: FieldChange['field'], value: FieldValue): string {
  if (field === 'egress' && !value) return value === null ? 'anywhere' : 'nowhere';
  if (value === null) return 'none';
  if (typeof value === 'number') {
    if (field === 'stopGraceMs') return `${value / 1000}`;
    return /Bytes(?:PerSecond)?$/.test(field) ? formatSize(value) : `${value}`;
  }
  if (value === '') return 'none';
  if (field === 'volumes' || field === 'bootVolume') return formatVolumes(`${value}`);
  return typeof value === 'string' ? printable(JSON.stringify(value)) : `${value}`;
}

/** Their names are what the document has; what somebody else has put there is shown as it is. */
function formatVolumes(joined: string): string {
  const uses = splitUses(joined);
  if (uses.length < joined.split(',').length) return printable(JSON.stringify(joined));
  return uses.map(({ volume }) => JSON.stringify(volume)).join(', ');
}
