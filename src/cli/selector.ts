/**
 * Label selectors as kubectl writes them: `app=web,tier!=db,env,!old`. All parts must hold.
 */
import { usageError } from './command-error.ts';

export type Selector = (labels: ReadonlyMap<string, string>) => boolean;

/** @throws CommandError `usage` for what is no selector */
export function parseSelector(text: string): Selector {
  const parts = text.split(',').map((part) => parsePart(part.trim()));
  return (labels) => parts.every((holds) => holds(labels));
}

const partPattern = /^(!?)([A-Za-z0-9][A-Za-z0-9._/-]*)(?:(==?|!=)([A-Za-z0-9._-]*))?$/;

function parsePart(part: string): Selector {
  const match = partPattern.exec(part);
  const [, not = '', key = '', operator, value = ''] = match ?? [];
  if (match === null || (not !== '' && operator !== undefined)) {
    throw usageError(
      `"${part}" is not a selector`,
      'write key=value, key!=value, key or !key, with commas between',
    );
  }
  if (operator === undefined) return (labels) => labels.has(key) === (not === '');
  return (labels) => (labels.get(key) === value) === (operator !== '!=');
}
