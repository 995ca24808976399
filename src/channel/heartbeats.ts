/**
 * Where guests say by vsock that they are ready, as Nitro Enclaves do: one connects, sends one byte and gets
 * it back. Only a Secondary that runs and whose document asks for it is heard, of each one at a time; it is
 * answered once it is written down that this run of it is ready. Nothing else can be said or asked here.
 */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Runtime, VmPeer } from '../daemon/runtime.ts';
import type { VmRunReader } from '../host/ports.ts';
import type { DomainRef } from '../model/domain.ts';
import { HEARTBEAT_BYTE, HEARTBEAT_PORT } from '../model/readiness.ts';
import type { VmRun } from '../model/vm-run.ts';
import type { Emit, StrangerReason } from '../report/event.ts';
import { RequestRate } from './request-rate.ts';
import { Strangers } from './strangers.ts';
import { VmDoor } from './vm-door.ts';

/** Who may be heard by that address, and what becomes of it. */
export interface Heard {
  readonly ref: DomainRef;
  /** @returns whether it is written down */
  readonly heard: (run: VmRun) => Promise<boolean>;
}

export interface HeartbeatsOptions {
  readonly runtime: Runtime;
  readonly vmRuns: VmRunReader;
  /** Null: nobody with that address is waited for. */
  readonly whose: (cid: number) => Heard | null;
  readonly emit: Emit;
  readonly onBug: (error: unknown) => void;
}

/** Of one CID, in the long run and at once: a guest tries again until it is heard. */
const connectionRate = { perSecond: 1, burst: 5 };
/** Of all together. */
const underWayMax = 64;
/** CIDs are the host's to give, so there are as many as VMs; this is against surprises. */
const ratesMax = 4096;
/** For the byte to come; and to go. */
const byteMs = 2000;
/** libvirt may be starting a hundred guests. */
const answerMs = 10_000;

export class Heartbeats {
  readonly #options: HeartbeatsOptions;
  readonly #door: VmDoor;
  readonly #strangers: Strangers;
  readonly #underWay = new Map<number, Duplex>();
  readonly #rates = new Map<number, RequestRate>();
  readonly #end = new AbortController();

  constructor(options: HeartbeatsOptions) {
    const { runtime, emit, onBug } = options;
    this.#options = options;
    this.#strangers = new Strangers(
      ({ cid, reason, times }) => emit({ kind: 'heartbeat-refused', cid, reason, times }),
      runtime.clock,
    );
    this.#door = new VmDoor({
      runtime,
      port: HEARTBEAT_PORT,
      onConnection: (stream, peer) => this.#take(stream, peer),
      onOpen: (port) => emit({ kind: 'heartbeats-open', port }),
      onUnavailable: (message) => emit({ kind: 'heartbeats-unavailable', message }),
      onBug,
    });
  }

  /** Nobody listens while nobody is waited for. */
  listen(isWanted: boolean): void {
    if (this.#end.signal.aborted) return;
    if (isWanted) this.#door.open();
    else void this.#door.shut();
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#door.shut();
    for (const stream of this.#underWay.values()) stream.destroy();
  }

  async #take(stream: Duplex, peer: VmPeer): Promise<void> {
    const { cid } = peer;
    const refusal = this.#refusalAtOnce(cid);
    if (refusal !== null) return this.#refuse(stream, cid, refusal);
    this.#underWay.set(cid, stream);
    try {
      const reason = await this.#hear(stream, peer);
      if (reason !== null) this.#strangers.note(cid, reason);
    } finally {
      this.#underWay.delete(cid);
      stream.destroy();
    }
  }

  #refuse(stream: Duplex, cid: number, reason: StrangerReason): void {
    this.#strangers.note(cid, reason);
    stream.destroy();
  }

  /** What needs no look at the host. */
  #refusalAtOnce(cid: number): StrangerReason | null {
    const recent = this.#strangers.recently(cid);
    if (recent !== null) return recent;
    if (this.#options.whose(cid) === null) return 'UnknownCid';
    const isTooMuch = this.#underWay.has(cid) || this.#underWay.size >= underWayMax;
    return isTooMuch || !this.#rateOf(cid).take() ? 'TooMany' : null;
  }

  /** Null: it was heard, or there is nobody left to be told anything. */
  async #hear(stream: Duplex, { cid, isAlive }: VmPeer): Promise<StrangerReason | null> {
    const { vmRuns, whose } = this.#options;
    const who = whose(cid);
    if (who === null) return 'UnknownCid';
    const { domainName, uuid } = who.ref;
    const asked = this.#within(answerMs);
    const seen = await vmRuns.of([domainName], asked.signal).catch(() => null);
    asked.stop();
    const run = seen?.runs.find((each) => each.cid === cid && each.uuid === uuid);
    if (run === undefined) {
      return seen === null || seen.unread.length > 0 ? 'HostUnknown' : 'UnknownCid';
    }
    const byte = await this.#firstByte(stream);
    if (byte !== HEARTBEAT_BYTE) return 'NoHeartbeat';
    // Or it was another run that has said so, and what has its address by now is not ready yet.
    if (!isAlive()) return null;
    const isNoted = await who.heard(run).catch(() => false);
    if (!isNoted) return 'HostUnknown';
    await this.#answer(stream);
    return null;
  }

  /** Null: none has come in time. */
  async #firstByte(stream: Duplex): Promise<number | null> {
    const late = this.#within(byteMs);
    try {
      for (;;) {
        const chunk: Buffer | null = stream.read(1);
        if (chunk !== null) return chunk[0] ?? null;
        if (stream.readableEnded || stream.destroyed) return null;
        await Promise.race([
          once(stream, 'readable', { signal: late.signal }),
          once(stream, 'end', { signal: late.signal }),
          once(stream, 'close', { signal: late.signal }),
        ]);
      }
    } catch {
      return null;
    } finally {
      late.stop();
    }
  }

  async #answer(stream: Duplex): Promise<void> {
    const late = this.#within(byteMs);
    stream.end(Buffer.of(HEARTBEAT_BYTE));
    // What it says besides nobody hears.
    stream.resume();
    await once(stream, 'close', { signal: late.signal }).catch(() => undefined);
    late.stop();
  }

  #within(ms: number): { readonly signal: AbortSignal; readonly stop: () => void } {
    const late = new AbortController();
    const stop = this.#options.runtime.timers.after(ms, () => late.abort());
    return { signal: AbortSignal.any([this.#end.signal, late.signal]), stop };
  }

  #rateOf(cid: number): RequestRate {
    const { clock } = this.#options.runtime;
    if (this.#rates.size > ratesMax) this.#rates.clear();
    const rate = this.#rates.get(cid) ?? new RequestRate(connectionRate, clock);
    this.#rates.set(cid, rate);
    return rate;
  }
}
