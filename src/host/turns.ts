/** What must not happen to one thing at the same time is done one after the other, whoever asks for it. */
import { HostError } from './host-error.ts';

const last = new Map<string, Promise<unknown>>();

/**
 * @param key of the thing, such as its folder
 * @param signal ends the waiting, and not what has begun
 * @throws HostError `Cancelled` if the signal has fired before its turn came
 */
export function takingTurns<T>(
  key: string,
  act: () => Promise<T>,
  signal: AbortSignal = new AbortController().signal,
): Promise<T> {
  const before = Promise.resolve(last.get(key)).catch(() => undefined);
  let hasBegun = false;
  const mine = before
    .then(() => {
      if (signal.aborted) throw givenUp(key);
      hasBegun = true;
      return act();
    })
    .finally(() => {
      if (last.get(key) === mine) last.delete(key);
    });
  last.set(key, mine);
  let onAbort: () => void = () => undefined;
  const isGivenUp = new Promise<never>((_, fail) => {
    onAbort = () => {
      if (!hasBegun) fail(givenUp(key));
    };
  });
  signal.addEventListener('abort', onAbort, { once: true });
  // Of one that has fired no event comes any more.
  if (signal.aborted) onAbort();
  return Promise.race([mine, isGivenUp]).finally(() =>
    signal.removeEventListener('abort', onAbort),
  );
}

function givenUp(key: string): HostError {
  return new HostError('Cancelled', `waiting for the turn of ${key} was given up`);
}
