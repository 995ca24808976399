/**
 * What has happened, in order, for as long as there is room: the newest are kept, in a ring. Every
 * listener hears every event once, in the order of `seq`, also when a listener causes an event.
 */
import type { DaemonEvent, EventRecord } from '../../report/event.ts';
import { instantOf } from '../../report/instant.ts';
import type { Clock } from '../runtime.ts';

export type EventListener = (record: EventRecord) => void;

interface Listening {
  readonly hear: EventListener;
  readonly after: number;
}

export interface EventLogOptions {
  readonly clock: Pick<Clock, 'wall'>;
  /** How many are kept; from 1. */
  readonly keptMax?: number;
  /** Told what a listener has thrown: a bug of its own, which costs the others nothing. */
  readonly onListenerError?: (error: unknown) => void;
}

/** A few hundred bytes each; a day of a quiet host, a minute of a fleet being made. */
const keptDefault = 5000;

export class EventLog {
  readonly #clock: Pick<Clock, 'wall'>;
  readonly #keptMax: number;
  readonly #onListenerError: (error: unknown) => void;
  /** The one with `seq` is at `(seq - 1) % keptMax`. */
  readonly #ring: EventRecord[] = [];
  readonly #listeners = new Set<Listening>();
  /** Those that not every listener has heard. */
  readonly #untold: EventRecord[] = [];
  #isTelling = false;
  #seq = 0;

  constructor({ clock, keptMax = keptDefault, onListenerError }: EventLogOptions) {
    if (!Number.isSafeInteger(keptMax) || keptMax < 1) throw new RangeError(`keptMax ${keptMax}`);
    this.#clock = clock;
    this.#keptMax = keptMax;
    this.#onListenerError = onListenerError ?? (() => undefined);
  }

  /** Of the newest; 0: nothing has happened yet. */
  get lastSeq(): number {
    return this.#seq;
  }

  /** Bound, so that it can be handed around as an `Emit`. */
  readonly emit = (event: DaemonEvent): void => {
    this.#seq += 1;
    const record = { seq: this.#seq, at: instantOf(this.#clock.wall()), event };
    this.#ring[(this.#seq - 1) % this.#keptMax] = record;
    this.#untold.push(record);
    if (!this.#isTelling) this.#tell();
  };

  /** Those behind `seq` that are still kept, oldest first. */
  after(seq: number): readonly EventRecord[] {
    const records: EventRecord[] = [];
    const from = Math.max(0, Math.floor(seq), this.#seq - this.#keptMax);
    for (let at = from; at < this.#seq; at += 1) {
      const record = this.#ring[at % this.#keptMax];
      if (record !== undefined) records.push(record);
    }
    return records;
  }

  /** Calls back at every event from now on. @returns how to stop that */
  onEvent(hear: EventListener): () => void {
    // An object of its own: one function may listen twice.
    const listener = { hear, after: this.#seq };
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #tell(): void {
    this.#isTelling = true;
    for (let record = this.#untold.shift(); record !== undefined; record = this.#untold.shift()) {
      for (const listener of this.#listeners) this.#tellOne(listener, record);
    }
    this.#isTelling = false;
  }

  #tellOne({ hear, after }: Listening, record: EventRecord): void {
    // `after(0)` has told it already of what happened before it came.
    if (record.seq <= after) return;
    try {
      hear(record);
    } catch (error) {
      this.#complain(error);
    }
  }

  #complain(error: unknown): void {
    try {
      this.#onListenerError(error);
    } catch {
      // Whom else could it be told?
    }
  }
}
