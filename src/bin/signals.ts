/** Ctrl-C and SIGTERM: the first asks for an orderly end, the second for an immediate one. */

export interface Interruptions {
  readonly stop: AbortSignal;
  readonly abort: AbortSignal;
}

export function interruptions(source: NodeJS.EventEmitter): Interruptions {
  const stop = new AbortController();
  const abort = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) abort.abort();
    else stop.abort();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) source.on(name, onSignal);
  return { stop: stop.signal, abort: abort.signal };
}
