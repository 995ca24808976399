import { readEvent } from './events.ts';
import type { EventKind, EventOf, LibvirtEvent } from './event-types.ts';
import { deregisterEvent, registerEvent } from './registration.ts';
import type { CallOn } from './session.ts';
import { runListener } from './state-listeners.ts';

/**
 * Who listens to what. Of each kind there is at most one registration on the server, made for
 * its first listener and undone after its last. Registering and deregistering of one kind are
 * done one after the other, so that a quick change of mind cannot cross itself on the way.
 */
export type Listener<K extends EventKind> = (event: EventOf<K>) => void;

/** Ends a subscription; resolves when libvirtd has stopped sending. Harmless when repeated. */
export type Unsubscribe = () => Promise<void>;

interface Topic {
  readonly listeners: Set<(event: LibvirtEvent) => void>;
  callbackId: number | undefined;
  /** The end of the chain of changes to the registration. */
  settled: Promise<void>;
}

export class Subscriptions {
  readonly #call: CallOn;
  readonly #topics = new Map<EventKind, Topic>();

  constructor(call: CallOn) {
    this.#call = call;
  }

  /** Resolves once libvirtd sends every one of `kinds`; rejects, leaving nothing behind. */
  async subscribe<K extends EventKind>(
    kinds: readonly K[],
    listener: Listener<K>,
  ): Promise<Unsubscribe> {
    // Border: it is added to the topics of `kinds` only, so it gets no other kind. The arrow
    // makes two subscriptions of one function two listeners.
    const added = (event: LibvirtEvent) => listener(event as EventOf<K>);
    const topics = [...new Set<EventKind>(kinds)];
    const unsubscribe = async () => {
      await Promise.all(topics.map((kind) => this.#remove(kind, added)));
    };
    try {
      await Promise.all(topics.map((kind) => this.#add(kind, added)));
      return unsubscribe;
    } catch (error) {
      await unsubscribe().catch(() => {});
      throw error;
    }
  }

  /** Hands an event packet to its listeners; throws `MalformedError`. */
  dispatch(procedure: number, packet: Buffer): void {
    const received = readEvent(procedure, packet);
    if (received === undefined) return;
    const topic = this.#topics.get(received.event.kind);
    // While it is being registered its id is not known here, but events may already come.
    if (topic === undefined || (topic.callbackId ?? received.callbackId) !== received.callbackId)
      return;
    for (const listener of topic.listeners) runListener(() => listener(received.event));
  }

  /** The server that had them is gone, so there is nothing to undo there. */
  forgetRegistrations(): void {
    for (const topic of this.#topics.values()) topic.callbackId = undefined;
  }

  /** Registers on a new socket whatever has listeners. */
  async restore(call: CallOn): Promise<void> {
    for (const [kind, topic] of this.#topics) {
      if (topic.listeners.size > 0) topic.callbackId = await registerEvent(call, kind);
    }
  }

  #add(kind: EventKind, listener: (event: LibvirtEvent) => void): Promise<void> {
    const topic = this.#topics.get(kind) ?? {
      listeners: new Set(),
      callbackId: undefined,
      settled: Promise.resolve(),
    };
    this.#topics.set(kind, topic);
    topic.listeners.add(listener);
    return this.#settle(kind, topic);
  }

  async #remove(kind: EventKind, listener: (event: LibvirtEvent) => void): Promise<void> {
    const topic = this.#topics.get(kind);
    if (topic === undefined || !topic.listeners.delete(listener)) return;
    await this.#settle(kind, topic);
  }

  /** Brings the registration in line with whether there are listeners, after earlier changes. */
  #settle(kind: EventKind, topic: Topic): Promise<void> {
    const change = topic.settled.then(() => this.#adjust(kind, topic));
    topic.settled = change.catch(() => {});
    return change;
  }

  async #adjust(kind: EventKind, topic: Topic): Promise<void> {
    const { callbackId, listeners } = topic;
    if (listeners.size > 0 && callbackId === undefined) {
      topic.callbackId = await registerEvent(this.#call, kind);
    } else if (listeners.size === 0 && callbackId !== undefined) {
      topic.callbackId = undefined;
      await deregisterEvent(this.#call, kind, callbackId);
    }
  }
}
