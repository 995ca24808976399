/** The newest events of one kind of origin, and up to which number older ones are gone. */
import type { EventRecord } from '../../report/event.ts';

export class EventRing {
  readonly #keptMax: number;
  /** The n-th event that came is at `(n - 1) % keptMax`. */
  readonly #records: EventRecord[] = [];
  #count = 0;
  #lostThrough: number;

  /** @param lostThrough what may have been lost before this ring was made */
  constructor(keptMax: number, lostThrough: number) {
    this.#keptMax = keptMax;
    this.#lostThrough = lostThrough;
  }

  /** Behind this `seq` every event of this ring is kept. */
  get lostThrough(): number {
    return this.#lostThrough;
  }

  /** 0: none has come yet. */
  get newest(): number {
    return this.#records[(this.#count - 1) % this.#keptMax]?.seq ?? 0;
  }

  add(record: EventRecord): void {
    const at = this.#count % this.#keptMax;
    this.#lostThrough = this.#records[at]?.seq ?? this.#lostThrough;
    this.#records[at] = record;
    this.#count += 1;
  }

  /** Oldest first. */
  after(seq: number): readonly EventRecord[] {
    const at = this.#count % this.#keptMax;
    return [...this.#records.slice(at), ...this.#records.slice(0, at)].filter(
      (record) => record.seq > seq,
    );
  }
}
