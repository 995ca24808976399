/**
 * Aborted after `ms`; keeps no process alive. `AbortSignal.timeout` is no good under `AbortSignal.any`: Node 20
 * may collect it as garbage where nothing else knows of it, and then it never fires. Here the timer holds it.
 */
export function timeoutSignal(ms: number): AbortSignal {
  const late = new AbortController();
  setTimeout(() => late.abort(), ms).unref();
  return late.signal;
}
