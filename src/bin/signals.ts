/** Ctrl-C and SIGTERM: the first asks for an orderly end, the second for an immediate one. */

import { exitCodes } from '../cli/exit-codes.ts';

/** A safety net: whoever insists is not kept waiting by something that hears no signal. */
const patienceMs = 2000;

export interface Interruptions {
  readonly stop: AbortSignal;
  readonly abort: AbortSignal;
}

export function interruptions(source: NodeJS.EventEmitter): Interruptions {
  const stop = new AbortController();
  const abort = new AbortController();
  const onSignal = () => {
    if (!stop.signal.aborted) return stop.abort();
    abort.abort();
    setTimeout(() => process.exit(exitCodes.interrupted), patienceMs).unref();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) source.on(name, onSignal);
  return { stop: stop.signal, abort: abort.signal };
}
