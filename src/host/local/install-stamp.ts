/**
 * The first line of every file that `unnest host install` writes: a digest of the rest. So it is
 * known without a list kept elsewhere whether somebody has changed the file since.
 */
import { createHash } from 'node:crypto';

const prefix = '# Made by `unnest host install`. sha256 of what follows: ';

export function stamped(text: string): string {
  return `${prefix}${digestOf(text)}\n${text}`;
}

/** Whether it is, to the last byte, what some version of `unnest host install` has written. */
export function isAsStamped(content: string): boolean {
  const end = content.indexOf('\n');
  if (end === -1 || !content.startsWith(prefix)) return false;
  return content.slice(prefix.length, end) === digestOf(content.slice(end + 1));
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
