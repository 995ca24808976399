/** One mutating call to a simulated host: all of it, or the half that a fault leaves. */
import type { CallName } from './calls.ts';
import type { Simulation } from './host.ts';
import { signsOf } from './signs.ts';
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

export function writing({ change, faults, onSign }: Simulation): Write {
  return (name, subjects, signal, whole, half = whole) => {
    const send = (act: Act) =>
      change((world) => {
        // Of what goes, it is only known before.
        const before = signsOf(name, world, subjects);
        act(world);
        const after = signsOf(name, world, subjects);
        for (const sign of after.length > 0 ? after : before) onSign(sign);
      }, signal);
    return faults.carryOut(name, subjects, signal, {
      whole: () => send(whole),
      half: async ({ error }) => {
        await send(half);
        throw error;
      },
    });
  };
}
