/**
 * Asking a guest to give something back, until it is seen to have. libvirt's "done" means that the guest was
 * asked; one that is busy gives later, or nothing, and is never forced.
 */
import { HostError } from '../host/host-error.ts';
import type { DomainRef } from '../model/domain.ts';
import type { Done, Workbench } from './executors.ts';

/** How often a guest is asked, and how long it is waited for. */
export interface Patience {
  /** Infinity: once. */
  readonly askEveryMs: number;
  readonly releaseMs: number;
}

/** Of CPUs and memory: a guest under emulation was seen to take 5 s for each vCPU. */
export const amounts: Patience = { askEveryMs: 10_000, releaseMs: 60_000 };

/**
 * Of a device: it is not asked again while it may be about to let go (`host/libvirt/let-go.ts` says why). One
 * that had not booted has not heard, and is asked by the next pass, at a time that no guest can tell.
 */
export const device: Patience = { askEveryMs: Number.POSITIVE_INFINITY, releaseMs: 20_000 };

const lookEveryMs = 1000;

/** What is asked of a guest that may take its time, or not do it at all. */
export interface Request<T> {
  /** @throws HostError if it cannot be known */
  readonly read: () => Promise<T>;
  readonly ask: () => Promise<void>;
  readonly isSo: (seen: T) => boolean;
  readonly patience: Patience;
  /** How long it has to be so before it counts. */
  readonly forMs: number;
  /** What is said in the end if it has not. */
  readonly refusal: (before: T, now: T) => string;
}

export async function askUntil<T>(
  ref: DomainRef,
  { read, ask, isSo, patience, forMs, refusal: says }: Request<T>,
  bench: Workbench,
): Promise<Done> {
  const { askEveryMs, releaseMs } = patience;
  const before = await read();
  if (isSo(before)) return 'already';
  const watch = await bench.host.domains.watch(ref);
  try {
    const deadlineMs = bench.now() + releaseMs;
    let refusal = await unlessSlow(ask);
    // What is refused at once is refused, unless it had become so by then; later the guest may still be at it.
    if (refusal !== null && refusal.code !== 'Timeout' && !isSo(await read())) throw refusal;
    let sinceMs: number | null = null;
    for (let askAtMs = bench.now() + askEveryMs; ;) {
      if (bench.now() >= askAtMs) {
        refusal = await unlessSlow(ask);
        askAtMs = bench.now() + askEveryMs;
      }
      const now = await read();
      sinceMs = isSo(now) ? (sinceMs ?? bench.now()) : null;
      if (sinceMs !== null && bench.now() - sinceMs >= forMs) return 'applied';
      if (bench.now() >= deadlineMs) {
        const message = `${says(before, now)} after ${releaseMs / 1000} s`;
        throw new HostError('Timeout', message, refusal === null ? {} : { cause: refusal });
      }
      await watch.next(lookEveryMs, bench.signal);
    }
  } finally {
    watch.close();
  }
}

/** libvirt gives up waiting for the guest long before the guest gives up. @returns what it said */
async function unlessSlow(ask: () => Promise<void>): Promise<HostError | null> {
  try {
    await ask();
    return null;
  } catch (error) {
    const isAnswer = error instanceof HostError && answers.has(error.code);
    if (!isAnswer) throw error;
    return error;
  }
}

const answers: ReadonlySet<string> = new Set(['Timeout', 'Refused']);
