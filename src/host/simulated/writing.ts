/** One mutating call to a simulated host: all of it, or the half that a fault leaves. */
import type { CallName } from './calls.ts';
import type { Simulation } from './host.ts';
import type { World } from './world.ts';

export type Act = (world: World) => void;

/** @param half what a call leaves behind that fails half way; where nothing is said, everything */
export type Write = (
  name: CallName,
  subjects: readonly string[],
  signal: AbortSignal,
  whole: Act,
  half?: Act,
) => Promise<void>;

export function writing({ change, faults }: Simulation): Write {
  return (name, subjects, signal, whole, half = whole) =>
    faults.carryOut(name, subjects, signal, {
      whole: () => change(whole, signal),
      half: async ({ error }) => {
        await change(half, signal);
        throw error;
      },
    });
}
