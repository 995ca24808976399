/**
 * Consoles that somebody reads: each is opened once, for as long as one reads it, since libvirt lets only one
 * have it. Whoever comes later is given the last of what was said, and one of those who read may type. Guests
 * that write without end are held back, all of a partition together, so that they do not decide what it costs.
 */
import { explainError } from '../host/host-error.ts';
import type { DomainConsole, OpenConsole } from '../host/ports.ts';
import type { DomainRef } from '../model/domain.ts';
import type { Runtime, Timers } from './runtime.ts';

export interface ConsoleListener {
  /** Nobody waits for what it hears, so that it can come in fewer pieces. */
  readonly isQuiet?: boolean;
  /** It is open. @param reader names this listener to whoever types */
  readonly onOpen: (reader: string) => void;
  readonly onBytes: (bytes: Uint8Array) => void;
  /** It does not type any more. @param by who does, for people */
  readonly onReplaced: (by: string) => void;
  /** Nothing more comes. @param failure for people; null: the guest has ended it */
  readonly onEnd: (failure: string | null) => void;
}

export type Claimed =
  | { readonly status: 'claimed' }
  /** @property by for people */
  | { readonly status: 'taken'; readonly by: string }
  | { readonly status: 'no-reader' };

export type Typed = 'typed' | 'not-its-writer' | 'not-taken';

/** What a newcomer is given. */
const scrollBackBytesMax = 64 * 2 ** 10;
/** A serial line of today's fastest kind is a tenth of it. */
const bytesPerMsMax = 1024;
/** A guest that writes byte by byte costs as much for each. */
const chunkMsMin = 2;
const quietMs = 100;
/** How long a guest may leave what is typed where it is. */
const typeMsMax = 10_000;

interface Writer {
  readonly reader: string;
  /** For people. */
  readonly who: string;
}

interface Hub {
  /** By what they are called. */
  readonly listeners: Map<string, ConsoleListener>;
  readonly stop: AbortController;
  said: Uint8Array;
  /** Null: it is being opened. */
  console: OpenConsole | null;
  writer: Writer | null;
  isTyping: boolean;
}

export class Consoles {
  readonly #host: Pick<DomainConsole, 'console'>;
  readonly #runtime: Pick<Runtime, 'timers' | 'random'>;
  /** By the domain's name. */
  readonly #hubs = new Map<string, Hub>();
  readonly #pace: Pace;
  #readers = 0;

  constructor(host: Pick<DomainConsole, 'console'>, runtime: Pick<Runtime, 'timers' | 'random'>) {
    this.#host = host;
    this.#runtime = runtime;
    this.#pace = new Pace(runtime.timers);
  }

  /** @returns how to stop reading */
  read(ref: DomainRef, listener: ConsoleListener): () => void {
    const hub = this.#hubs.get(ref.domainName) ?? this.#open(ref);
    const reader = this.#newReader();
    if (hub.console !== null) welcome(hub, reader, listener);
    hub.listeners.set(reader, listener);
    return () => {
      hub.listeners.delete(reader);
      if (hub.writer?.reader === reader) hub.writer = null;
      if (hub.listeners.size === 0) this.#close(ref, hub);
    };
  }

  /** Makes a reader the one that types. @param force also where another does */
  claim(domain: string, { reader, who }: Writer, force: boolean): Claimed {
    const hub = this.#hubs.get(domain);
    if (hub?.listeners.has(reader) !== true) return { status: 'no-reader' };
    const { writer } = hub;
    if (writer !== null && writer.reader !== reader) {
      if (!force) return { status: 'taken', by: writer.who };
      hub.listeners.get(writer.reader)?.onReplaced(who);
    }
    hub.writer = { reader, who };
    return { status: 'claimed' };
  }

  /** One piece at a time: the next one when this is on its way. */
  async type(domain: string, reader: string, bytes: Uint8Array): Promise<Typed> {
    const hub = this.#hubs.get(domain);
    if (hub?.writer?.reader !== reader || hub.console === null) return 'not-its-writer';
    if (hub.isTyping) return 'not-taken';
    hub.isTyping = true;
    const typing = hub.console.type(bytes).then(
      () => 'typed' as const,
      // It has broken off; its readers are told why.
      () => 'not-its-writer' as const,
    );
    void typing.finally(() => (hub.isTyping = false));
    return this.#inTime(typing, hub.stop.signal);
  }

  close(): void {
    for (const { stop } of this.#hubs.values()) stop.abort();
  }

  async #inTime(typing: Promise<Typed>, signal: AbortSignal): Promise<Typed> {
    const over = new AbortController();
    const late = this.#runtime.timers
      .sleep(typeMsMax, AbortSignal.any([over.signal, signal]))
      .then((): Typed => (signal.aborted ? 'not-its-writer' : 'not-taken'));
    try {
      return await Promise.race([typing, late]);
    } finally {
      over.abort();
    }
  }

  #open(ref: DomainRef): Hub {
    const hub: Hub = {
      listeners: new Map(),
      stop: new AbortController(),
      said: new Uint8Array(),
      console: null,
      writer: null,
      isTyping: false,
    };
    this.#hubs.set(ref.domainName, hub);
    void this.#pump(ref, hub);
    return hub;
  }

  #close(ref: DomainRef, hub: Hub): void {
    hub.stop.abort();
    if (this.#hubs.get(ref.domainName) === hub) this.#hubs.delete(ref.domainName);
  }

  async #pump(ref: DomainRef, hub: Hub): Promise<void> {
    const { signal } = hub.stop;
    let failure: string | null = null;
    try {
      hub.console = await this.#host.console(ref, signal);
      for (const [reader, listener] of hub.listeners) welcome(hub, reader, listener);
      for await (const bytes of hub.console) {
        if (signal.aborted) break;
        hub.said = Buffer.concat([hub.said, bytes]).subarray(-scrollBackBytesMax);
        for (const { onBytes } of hub.listeners.values()) onBytes(bytes);
        await this.#pace.after(bytes.length, signal);
        if (isQuiet(hub)) await this.#runtime.timers.sleep(quietMs, signal);
      }
    } catch (error) {
      failure = explainError(error);
    }
    this.#close(ref, hub);
    for (const { onEnd } of hub.listeners.values()) onEnd(failure);
  }

  /** No other has been or will be called so, also after a restart. */
  #newReader(): string {
    this.#readers += 1;
    return `${this.#readers}-${Math.floor(this.#runtime.random() * 2 ** 52).toString(36)}`;
  }
}

function isQuiet({ listeners }: Hub): boolean {
  return [...listeners.values()].every((listener) => listener.isQuiet === true);
}

function welcome({ said }: Hub, reader: string, { onOpen, onBytes }: ConsoleListener): void {
  onOpen(reader);
  if (said.length > 0) onBytes(said);
}

/** Each waits for those before: so many bytes and pieces there may be of all together. */
class Pace {
  readonly #timers: Timers;
  #last: Promise<void> = Promise.resolve();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  after(bytes: number, signal: AbortSignal): Promise<void> {
    const ms = Math.max(chunkMsMin, bytes / bytesPerMsMax);
    this.#last = this.#last.then(() => this.#timers.sleep(ms, signal));
    return this.#last;
  }
}
