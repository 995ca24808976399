/**
 * Who wants to know of signs. Knows whether the host is lost, so that nobody is told twice that it
 * is, or that it is back when it never was gone, and so that who comes late is told.
 */
import type { HostSign } from './ports.ts';

export class SignListeners {
  readonly #listeners = new Set<(sign: HostSign) => void>();
  #lost: HostSign | null = null;
  #isEnded = false;

  get isEnded(): boolean {
    return this.#isEnded;
  }

  add(listener: (sign: HostSign) => void): () => void {
    // The arrow makes two subscriptions of one function two listeners.
    const added = (sign: HostSign) => listener(sign);
    this.#listeners.add(added);
    if (this.#lost !== null) added(this.#lost);
    return () => void this.#listeners.delete(added);
  }

  tell(sign: HostSign): void {
    if (this.#isEnded) return;
    if (sign.kind === 'lost') {
      if (this.#lost !== null) return;
      this.#lost = sign;
    }
    if (sign.kind === 'back') {
      if (this.#lost === null) return;
      this.#lost = null;
    }
    for (const listener of this.#listeners) listener(sign);
  }

  /** Nobody is told anything any more. */
  end(): void {
    this.#isEnded = true;
    this.#listeners.clear();
  }
}
