/** What the schemas of the daemon's own files are made of, and how a mistake in one is said. */
import * as z from 'zod';
import { NAME_PATTERN } from '../../model/names.ts';

export const named = <T extends string>() =>
  z.custom<T>((value) => typeof value === 'string' && NAME_PATTERN.test(value), 'not a name');

/** Text that may be shown as it is: no control characters, no halves of characters. */
export const shownText = (charactersMax: number) =>
  z
    .string()
    .max(charactersMax)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'control characters in it');

/** ISO 8601, UTC. In this one form an earlier time is also a lesser text; see `isBefore`. */
export const time = z
  .string()
  .regex(
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/,
    'not a time in UTC such as 2026-01-31T12:00:00Z',
  );

/** Whether one time comes before another, both of the form above. */
export function isBefore(a: string, b: string): boolean {
  // Without the Z, which is greater than the dot of a fraction.
  return a.slice(0, -1) < b.slice(0, -1);
}

/** The first thing that is wrong, on one line. */
export function firstIssue({ issues: [issue] }: z.ZodError): string {
  if (issue === undefined) return 'it is not of that form';
  const place = issue.path.map(String).join('.');
  return place === '' ? issue.message : `${place}: ${issue.message}`;
}
