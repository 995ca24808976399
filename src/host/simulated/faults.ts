/**
 * What can go wrong between us and a host, at any call, on purpose. One `Faults` belongs to one
 * host object, as a process's connection does: it counts the calls, and after a crash it answers
 * none of them any more. A run without faults tells which calls there are to spoil.
 */
import { HostError } from '../host-error.ts';
import { type Call, type CallName, isWrite } from './calls.ts';

export type { Call, CallName } from './calls.ts';

export type Fault =
  /** Fails before it has any effect. */
  | { readonly kind: 'error'; readonly error: Error }
  /** Never answers and has no effect. A call without a signal ends as a `Timeout`. */
  | { readonly kind: 'hang'; readonly onHang?: () => void }
  | PartialFault
  /** Done, but nobody hears of it. */
  | { readonly kind: 'lost-reply'; readonly code: 'Timeout' | 'Unreachable' }
  /** Our process ends: before it has sent the call, or when the host has carried it out. */
  | { readonly kind: 'crash'; readonly when: 'before' | 'after' }
  /** Somebody else does something just before. */
  | { readonly kind: 'meanwhile'; readonly act: () => void };

/** Fails half way, where a host can; everywhere else after the whole. */
export interface PartialFault {
  readonly kind: 'partial';
  readonly error: Error;
  /** Of a bulk read: the domains that cannot be read. The later half where none is named. */
  readonly unreadable?: readonly string[];
}

/** The first one that is not null decides. */
export type FaultRule = (call: Call) => Fault | null;

/** Not a `HostError`: nobody is there to handle it. */
class SimulatedCrash extends Error {
  override readonly name = 'SimulatedCrash';
}

export class Faults {
  readonly calls: Call[] = [];
  readonly #rules: readonly FaultRule[];
  readonly #latency: (call: Call) => Promise<void>;
  #crashed = false;

  /** @param latency waits as long as the call is to take, before it reaches the host */
  constructor(
    rules: readonly FaultRule[] = [],
    latency: (call: Call) => Promise<void> = async () => undefined,
  ) {
    this.#rules = rules;
    this.#latency = latency;
  }

  /** @throws SimulatedCrash once there has been a crash */
  checkAlive(): void {
    if (this.#crashed) throw new SimulatedCrash('the process is no more');
  }

  async carryOut<T>(
    name: CallName,
    subjects: readonly string[],
    signal: AbortSignal | null,
    work: Work<T>,
  ): Promise<T> {
    this.checkAlive();
    const call = { index: this.calls.length, name, subjects, writes: isWrite(name) };
    this.calls.push(call);
    await this.#latency(call);
    this.checkAlive();
    if (signal?.aborted) throw cancelled(call);
    const result = await this.#spoil(this.#faultFor(call), call, signal, work);
    // Its effect is there, but there is nobody left for its reply.
    this.checkAlive();
    return result;
  }

  #faultFor(call: Call): Fault | null {
    for (const rule of this.#rules) {
      const fault = rule(call);
      if (fault !== null) return fault;
    }
    return null;
  }

  async #spoil<T>(
    fault: Fault | null,
    call: Call,
    signal: AbortSignal | null,
    { whole, half }: Work<T>,
  ): Promise<T> {
    switch (fault?.kind) {
      case undefined:
        return whole();
      case 'error':
        throw fault.error;
      case 'hang':
        fault.onHang?.();
        return hang(call, signal);
      case 'partial':
        if (half !== undefined) return half(fault);
        await whole();
        throw fault.error;
      case 'lost-reply':
        await whole();
        throw new HostError(fault.code, `${call.name}: the reply was lost`);
      case 'crash':
        if (fault.when === 'after') await whole();
        this.#crashed = true;
        throw new SimulatedCrash(`crashed ${fault.when} ${call.name}`);
      case 'meanwhile':
        fault.act();
        return whole();
    }
  }
}

export interface Work<T> {
  readonly whole: () => Promise<T>;
  /** What `partial` leaves behind: rejects with the error, or answers in part. */
  readonly half?: (fault: PartialFault) => Promise<T>;
}

function hang(call: Call, signal: AbortSignal | null): Promise<never> {
  if (signal === null) return Promise.reject(new HostError('Timeout', `${call.name}: no answer`));
  return new Promise((_, fail) => {
    const giveUp = () => fail(cancelled(call));
    // What `onHang` has just set off counts too.
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
  });
}

function cancelled({ name }: Call): HostError {
  return new HostError('Cancelled', `${name} was given up`);
}
