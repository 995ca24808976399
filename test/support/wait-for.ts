/** Until nothing is thrown any more. A time that is short enough for here is too short for a machine that has other work. */
import { vi } from 'vitest';

const patience = { timeout: 15_000, interval: 20 };

/** @returns what it gives in the end. Throws what it has thrown last if that goes on for too long */
export function waitFor<T>(look: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(look, patience);
}
