/** Reading one domain while something is done to it. Here a failed read is an error, not a value. */
import { HostError } from '../host/host-error.ts';
import type { DomainRef, Fingerprint, ObservedDomain } from '../model/domain.ts';
import { unknown } from '../model/observation.ts';
import type { Workbench } from './executors.ts';
import { checkOwner } from './identity.ts';
import { valueIn } from './value-in.ts';

/** Null if it is not there. @throws HostError if that cannot be known, or it is not ours. */
export async function readDomain(
  ref: DomainRef,
  { host, owner, signal }: Workbench,
): Promise<ObservedDomain | null> {
  const [observation] = await host.domains.read([ref], signal);
  const domain = valueIn(`domain ${ref.domainName}`, observation ?? unknown('no answer'));
  if (domain === null) return null;
  checkOwner(domain, owner);
  return domain;
}

/** @throws HostError `Conflict` if it is gone. */
export async function requireDomain(ref: DomainRef, bench: Workbench): Promise<ObservedDomain> {
  const domain = await readDomain(ref, bench);
  if (domain !== null) return domain;
  throw new HostError('Conflict', `domain ${ref.domainName} has gone since it was planned for`);
}

/** Nobody else's write is lost: what is overwritten is exactly what the plan has seen. */
export function checkBasis(
  { domainName }: DomainRef,
  before: ObservedDomain | null,
  basis: Fingerprint | null,
): void {
  if ((before?.fingerprint ?? null) === basis) return;
  const moved = before === null ? 'has gone' : basis === null ? 'has appeared' : 'was changed';
  throw new HostError('Conflict', `domain ${domainName} ${moved} since it was planned for`);
}

/** How often the domain is read again even if no event comes: an event can be lost, a read cannot. */
const rereadMs = 1000;

export function isRefusal(error: unknown): boolean {
  return error instanceof HostError && error.code === 'Refused';
}

/** Null: the domain is gone. */
type Reached = (domain: ObservedDomain | null) => boolean | Promise<boolean>;

/** A host refuses what is so already, and it may have become so since we looked. */
async function actUnlessSo(
  ref: DomainRef,
  act: () => Promise<void>,
  reached: Reached,
  bench: Workbench,
): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!isRefusal(error) || !(await reached(await readDomain(ref, bench)))) throw error;
  }
}

/**
 * Acts, then reads until `reached` says so. Listens before it acts, so that nothing is missed.
 * @returns whether it was reached within `timeoutMs`.
 */
export async function actAndAwait(
  ref: DomainRef,
  act: () => Promise<void>,
  reached: Reached,
  timeoutMs: number,
  bench: Workbench,
): Promise<boolean> {
  const watch = await bench.host.domains.watch(ref);
  try {
    await actUnlessSo(ref, act, reached, bench);
    const deadlineMs = bench.now() + timeoutMs;
    for (;;) {
      if (await reached(await readDomain(ref, bench))) return true;
      const leftMs = deadlineMs - bench.now();
      if (leftMs <= 0) return false;
      await watch.next(Math.min(leftMs, rereadMs), bench.signal);
    }
  } finally {
    watch.close();
  }
}
