/** What was begun and has to end before others may write: so that somebody can wait for all of it. */
export class InFlight {
  readonly #working = new Set<Promise<unknown>>();

  async while<T>(work: () => Promise<T>): Promise<T> {
    const working = work();
    this.#working.add(working);
    try {
      return await working;
    } finally {
      this.#working.delete(working);
    }
  }

  /** Resolves when all that goes on now has ended, however it ends. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#working);
  }
}
