import type { ConnectionState } from './connection-state.ts';

/** Who wants to know what becomes of a connection. */
export class StateListeners {
  readonly #listeners = new Set<(state: ConnectionState) => void>();

  add(listener: (state: ConnectionState) => void): () => void {
    // The arrow makes two subscriptions of one function two listeners.
    const added = (state: ConnectionState) => listener(state);
    this.#listeners.add(added);
    return () => {
      this.#listeners.delete(added);
    };
  }

  tell(state: ConnectionState): void {
    for (const listener of this.#listeners) {
      runListener(() => listener(state));
    }
  }
}

/** A listener's own failure is its program's bug: it surfaces there, and not in our parser. */
export function runListener(run: () => void): void {
  try {
    run();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
