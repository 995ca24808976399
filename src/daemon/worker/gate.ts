/** Closed while something goes on that nobody may begin beside; who closes it waits for the one before. */
export class Gate {
  #last: Promise<void> = Promise.resolve();
  #closures = 0;

  /** How often it was closed: what was looked up before another time is out of date. */
  get closures(): number {
    return this.#closures;
  }

  /** Closed from this call on until `act` has settled. */
  closedWhile<T>(act: () => Promise<T>): Promise<T> {
    this.#closures += 1;
    const result = this.#last.then(act);
    this.#last = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /** Resolves once it is open, or the signal fires. */
  async opened(until: AbortSignal): Promise<void> {
    if (until.aborted) return;
    let onAbort: () => void = () => undefined;
    const aborted = new Promise<void>((done) => (onAbort = done));
    until.addEventListener('abort', onAbort);
    await Promise.race([this.#last, aborted]);
    until.removeEventListener('abort', onAbort);
  }
}
