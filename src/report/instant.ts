/** Moments as reports write them. The one place that makes a text of a clock's number, and back. */

/** @param wallMs milliseconds since the epoch. @returns ISO 8601, UTC */
export function instantOf(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

/** Milliseconds since the epoch. @param instant as `instantOf` writes it */
export function wallMsOf(instant: string): number {
  return Date.parse(instant);
}
