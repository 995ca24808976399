/**
 * Consoles that somebody reads: each is opened once, for as long as one reads it, since libvirt lets only one
 * have it. Whoever comes later is given the last of what was said. A guest that writes without end is held
 * back to a rate, so that it does not decide what its readers cost.
 */
import { explainError } from '../host/host-error.ts';
import type { DomainConsole } from '../host/ports.ts';
import type { DomainRef } from '../model/domain.ts';
import type { Timers } from './runtime.ts';

export interface ConsoleListener {
  readonly onBytes: (bytes: Uint8Array) => void;
  /** Nothing more comes. @param failure for people; null: the guest has ended it */
  readonly onEnd: (failure: string | null) => void;
}

/** What a newcomer is given. */
const scrollBackBytesMax = 64 * 2 ** 10;
/** A serial line of today's fastest kind is a tenth of it. */
const bytesPerMsMax = 1024;

interface Hub {
  readonly listeners: Set<ConsoleListener>;
  readonly stop: AbortController;
  said: Uint8Array;
}

export class Consoles {
  readonly #host: Pick<DomainConsole, 'console'>;
  readonly #timers: Timers;
  /** By UUID. */
  readonly #hubs = new Map<string, Hub>();

  constructor(host: Pick<DomainConsole, 'console'>, timers: Timers) {
    this.#host = host;
    this.#timers = timers;
  }

  /** @returns how to stop reading */
  read(ref: DomainRef, listener: ConsoleListener): () => void {
    const hub = this.#hubs.get(ref.uuid) ?? this.#open(ref);
    if (hub.said.length > 0) listener.onBytes(hub.said);
    hub.listeners.add(listener);
    return () => {
      hub.listeners.delete(listener);
      if (hub.listeners.size === 0) this.#close(ref, hub);
    };
  }

  close(): void {
    for (const { stop } of this.#hubs.values()) stop.abort();
  }

  #open(ref: DomainRef): Hub {
    const hub: Hub = { listeners: new Set(), stop: new AbortController(), said: new Uint8Array() };
    this.#hubs.set(ref.uuid, hub);
    void this.#pump(ref, hub);
    return hub;
  }

  #close(ref: DomainRef, hub: Hub): void {
    hub.stop.abort();
    if (this.#hubs.get(ref.uuid) === hub) this.#hubs.delete(ref.uuid);
  }

  async #pump(ref: DomainRef, hub: Hub): Promise<void> {
    const { signal } = hub.stop;
    let failure: string | null = null;
    try {
      for await (const bytes of await this.#host.console(ref, signal)) {
        if (signal.aborted) break;
        hub.said = Buffer.concat([hub.said, bytes]).subarray(-scrollBackBytesMax);
        for (const { onBytes } of hub.listeners) onBytes(bytes);
        await this.#timers.sleep(bytes.length / bytesPerMsMax, signal);
      }
    } catch (error) {
      failure = explainError(error);
    }
    this.#close(ref, hub);
    for (const { onEnd } of hub.listeners) onEnd(failure);
  }
}
