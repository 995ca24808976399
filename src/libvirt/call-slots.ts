import type { PacketHeader } from './wire/packet.ts';

/**
 * The calls of one socket: those that wait, those that libvirtd has, and those that the caller
 * has given up on. A call given up on keeps its slot until its answer comes, because libvirtd
 * is still at work on it; were the slot filled again, a sixth call would make libvirtd stop
 * reading the socket, pings included.
 */
export interface Call {
  readonly serial: number;
  readonly packet: Buffer;
  /** Settles the call; throws `MalformedError`, with the call unsettled, if the answer is bad. */
  answer(header: PacketHeader, packet: Buffer): void;
  fail(error: Error): void;
}

/** Makes the error for a call, knowing whether libvirtd may have carried it out. */
export type FailureOf = (mayHaveRun: boolean) => Error;

export class CallSlots {
  readonly #inFlightMax: number;
  readonly #send: (packet: Buffer) => void;
  /** A Set, since it keeps order and lets a call in the middle leave at once. */
  readonly #waiting = new Set<Call>();
  readonly #inFlight = new Map<number, Call>();
  readonly #abandoned = new Set<number>();

  constructor(inFlightMax: number, send: (packet: Buffer) => void) {
    this.#inFlightMax = inFlightMax;
    this.#send = send;
  }

  add(call: Call): void {
    this.#waiting.add(call);
    this.#fill();
  }

  /** Hands an answer to its call; false if no call has that serial. */
  answer(header: PacketHeader, packet: Buffer): boolean {
    const call = this.#inFlight.get(header.serial);
    if (call !== undefined) {
      call.answer(header, packet);
      this.#inFlight.delete(header.serial);
    } else if (!this.#abandoned.delete(header.serial)) {
      return false;
    }
    this.#fill();
    return true;
  }

  /**
   * The caller no longer waits for this call. False if it was still waiting for a slot while
   * calls given up on hold every one of them, so that nothing can move any more.
   */
  abandon(call: Call, failure: FailureOf): boolean {
    const wasSent = this.#inFlight.delete(call.serial);
    if (wasSent) this.#abandoned.add(call.serial);
    else this.#waiting.delete(call);
    call.fail(failure(wasSent));
    return wasSent || this.#abandoned.size < this.#inFlightMax;
  }

  failAll(failure: FailureOf): void {
    const sent = [...this.#inFlight.values()];
    const waiting = [...this.#waiting];
    this.#inFlight.clear();
    this.#waiting.clear();
    for (const call of sent) call.fail(failure(true));
    for (const call of waiting) call.fail(failure(false));
  }

  #fill(): void {
    for (const call of this.#waiting) {
      if (this.#inFlight.size + this.#abandoned.size >= this.#inFlightMax) return;
      this.#waiting.delete(call);
      this.#inFlight.set(call.serial, call);
      this.#send(call.packet);
    }
  }
}
