/**
 * What has happened, in order, for as long as there is room: the newest are kept, in a ring for each
 * partition and one for the daemon itself, so that nobody's flood pushes out what others have to be
 * told. Every listener hears every event once, in the order of `seq`, also when a listener causes an
 * event.
 */
import type { PartitionName } from '../../model/names.ts';
import type { DaemonEvent, EventRecord } from '../../report/event.ts';
import { instantOf } from '../../report/instant.ts';
import type { Clock } from '../runtime.ts';
import { EventRing } from './event-ring.ts';

export type EventListener = (record: EventRecord) => void;

interface Listening {
  readonly hear: EventListener;
  readonly after: number;
}

export interface EventLogOptions {
  readonly clock: Pick<Clock, 'wall'>;
  /** How many are kept of each partition, and how many of the daemon's own; from 1. */
  readonly keptMax?: number;
  /** Of how many partitions some are kept; from 1. */
  readonly partitionsMax?: number;
  /** Told what a listener has thrown: a bug of its own, which costs the others nothing. */
  readonly onListenerError?: (error: unknown) => void;
}

/** A few hundred bytes each; days of a quiet partition, the making of a fleet of a hundred. */
const keptDefault = 1000;
/** Those that are gone count as well, until others need the room. */
const partitionsDefault = 128;

export class EventLog {
  readonly #clock: Pick<Clock, 'wall'>;
  readonly #keptMax: number;
  readonly #partitionsMax: number;
  readonly #onListenerError: (error: unknown) => void;
  /** Of the daemon itself. */
  readonly #own: EventRing;
  readonly #rings = new Map<PartitionName, EventRing>();
  /** Of partitions without a ring. */
  #forgottenThrough = 0;
  readonly #listeners = new Set<Listening>();
  /** Those that not every listener has heard. */
  readonly #untold: EventRecord[] = [];
  #isTelling = false;
  #seq = 0;

  constructor(options: EventLogOptions) {
    const { clock, keptMax = keptDefault, partitionsMax = partitionsDefault } = options;
    this.#clock = clock;
    this.#keptMax = fromOne('keptMax', keptMax);
    this.#partitionsMax = fromOne('partitionsMax', partitionsMax);
    this.#onListenerError = options.onListenerError ?? (() => undefined);
    this.#own = new EventRing(keptMax, 0);
  }

  /** Of the newest; 0: nothing has happened yet. */
  get lastSeq(): number {
    return this.#seq;
  }

  /** Bound, so that it can be handed around as an `Emit`. */
  readonly emit = (event: DaemonEvent): void => {
    this.#seq += 1;
    const record = { seq: this.#seq, at: instantOf(this.#clock.wall()), event };
    this.#ringFor(event).add(record);
    this.#untold.push(record);
    if (!this.#isTelling) this.#tell();
  };

  /** Those behind `seq` that are still kept, oldest first. */
  after(seq: number): readonly EventRecord[] {
    return [this.#own, ...this.#rings.values()]
      .flatMap((ring) => ring.after(seq))
      .sort((a, b) => a.seq - b.seq);
  }

  /**
   * Behind this `seq` nothing is missing from `after`: 0 as long as everything is kept.
   * @param partition of it and of the daemon itself; null: of everybody
   */
  lostThrough(partition: PartitionName | null): number {
    if (partition === null) {
      const lost = [...this.#rings.values()].map((ring) => ring.lostThrough);
      return Math.max(this.#own.lostThrough, this.#forgottenThrough, ...lost);
    }
    const ring = this.#rings.get(partition);
    return Math.max(this.#own.lostThrough, ring?.lostThrough ?? this.#forgottenThrough);
  }

  /** Calls back at every event from now on. @returns how to stop that */
  onEvent(hear: EventListener): () => void {
    // An object of its own: one function may listen twice.
    const listener = { hear, after: this.#seq };
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #ringFor(event: DaemonEvent): EventRing {
    if (!('partition' in event)) return this.#own;
    const known = this.#rings.get(event.partition);
    if (known !== undefined) return known;
    if (this.#rings.size >= this.#partitionsMax) this.#forgetQuietest();
    const ring = new EventRing(this.#keptMax, this.#forgottenThrough);
    this.#rings.set(event.partition, ring);
    return ring;
  }

  #forgetQuietest(): void {
    const [quietest] = [...this.#rings].sort(([, a], [, b]) => a.newest - b.newest);
    if (quietest === undefined) return;
    const [partition, { newest }] = quietest;
    this.#forgottenThrough = Math.max(this.#forgottenThrough, newest);
    this.#rings.delete(partition);
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

function fromOne(what: string, count: number): number {
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw new RangeError(`${what} ${count}`);
}
