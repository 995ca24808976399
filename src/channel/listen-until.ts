/** Listening at a place that may not be there yet: a module of the kernel, or the folder of a VM. */
import type { Listening, Timers } from '../daemon/runtime.ts';
import { explainError } from '../host/host-error.ts';

export interface ListenUntil {
  readonly listen: () => Promise<Listening>;
  readonly timers: Timers;
  /** Told once of each reason in a row. */
  readonly onUnavailable: (message: string) => void;
}

/** Before another attempt to listen. */
const listenAgainMs = 10_000;

/** Why it cannot is said once, for as long as it is the same. @returns null: the signal has fired */
export async function listenUntil(
  { listen, timers, onUnavailable }: ListenUntil,
  ends: AbortSignal,
): Promise<Listening | null> {
  let said = '';
  for (;;) {
    try {
      return await listen();
    } catch (error) {
      const message = explainError(error);
      if (message !== said) onUnavailable(message);
      said = message;
    }
    await timers.sleep(listenAgainMs, ends);
    if (ends.aborted) return null;
  }
}
