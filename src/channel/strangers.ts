/**
 * Who is turned away at the channel's door, without a word: counted, and told of now and then. Whoever
 * was found to be nobody is not looked up again for a moment, so that knocking costs the host nothing.
 */
import type { Clock } from '../daemon/runtime.ts';
import type { StrangerReason } from '../report/event.ts';

/** How long somebody stays unknown without being looked up again. */
const unknownMs = 1000;
/** How often is said that somebody still knocks. */
const tellMs = 60_000;
/** CIDs are the host's to give, so there are as many as VMs; this is against surprises. */
const rememberedMax = 4096;

export interface Refusal {
  readonly cid: number;
  readonly reason: StrangerReason;
  /** Since it was told last. */
  readonly times: number;
}

interface Stranger {
  times: number;
  unknownUntil: number;
  tellAt: number;
}

export class Strangers {
  readonly #tell: (refusal: Refusal) => void;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #known = new Map<string, Stranger>();

  constructor(tell: (refusal: Refusal) => void, clock: Pick<Clock, 'now'>) {
    this.#tell = tell;
    this.#clock = clock;
  }

  /** Why it was not known when it was looked up just now; null: it was not, or it was somebody. */
  recently(cid: number): StrangerReason | null {
    const reasons = ['UnknownCid', 'HostUnknown'] as const;
    const isRecent = (reason: StrangerReason) => {
      const stranger = this.#known.get(keyOf(cid, reason));
      return stranger !== undefined && this.#clock.now() < stranger.unknownUntil;
    };
    return reasons.find(isRecent) ?? null;
  }

  note(cid: number, reason: StrangerReason): void {
    const key = keyOf(cid, reason);
    const now = this.#clock.now();
    const before = this.#known.get(key);
    if (before === undefined && this.#known.size >= rememberedMax) this.#known.clear();
    const stranger = before ?? { times: 0, unknownUntil: 0, tellAt: now };
    this.#known.set(key, stranger);
    stranger.times += 1;
    // What is asked during that moment does not make it longer.
    if (now >= stranger.unknownUntil) stranger.unknownUntil = now + unknownMs;
    if (now < stranger.tellAt) return;
    this.#tell({ cid, reason, times: stranger.times });
    stranger.times = 0;
    stranger.tellAt = now + tellMs;
  }
}

const keyOf = (cid: number, reason: StrangerReason) => `${reason} ${cid}`;
