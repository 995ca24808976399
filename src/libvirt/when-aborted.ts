/**
 * Listening to an AbortSignal that many calls share. A signal gets one listener, however many
 * calls are under way with it: Node warns of a leak from the eleventh on, and finding one of a
 * thousand listeners to remove it takes a walk through all of them.
 */
const shared = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `listener` once when the signal fires; returns how to stop that. */
export function whenAborted(signal: AbortSignal, listener: () => void): () => void {
  const listeners = shared.get(signal) ?? share(signal);
  // A wrapper of its own, so that the same function may be given twice.
  const entry = () => listener();
  listeners.add(entry);
  return () => void listeners.delete(entry);
}

function share(signal: AbortSignal): Set<() => void> {
  const listeners = new Set<() => void>();
  shared.set(signal, listeners);
  signal.addEventListener('abort', () => listeners.forEach((listener) => listener()), {
    once: true,
  });
  return listeners;
}
