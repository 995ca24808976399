/** `domain.start`, `domain.resume` and `domain.stop`. */
import { HostError } from '../host/host-error.ts';
import type { DomainRef, ObservedDomain } from '../model/domain.ts';
import type { OperationOf } from '../plan/operation.ts';
import type { Done, Workbench } from './executors.ts';
import { actAndAwait, checkBasis, isRefusal, readDomain, requireDomain } from './observe-domain.ts';

/** libvirt answers when the guest runs; this is for its state to be seen. */
const settleMs = 10_000;

export async function startDomain(
  { domain }: OperationOf<'domain.start'>,
  bench: Workbench,
): Promise<Done> {
  const { power } = await requireDomain(domain, bench);
  if (power.status === 'running') return 'already';
  if (power.status !== 'stopped') {
    throw new HostError(
      'Conflict',
      `${domain.domainName} was to be started, and is ${power.status}`,
    );
  }
  return run(domain, () => bench.host.domains.start(domain, bench.signal), bench);
}

export async function resumeDomain(
  { domain }: OperationOf<'domain.resume'>,
  bench: Workbench,
): Promise<Done> {
  const { power } = await requireDomain(domain, bench);
  if (power.status !== 'paused') return 'already';
  return run(domain, () => bench.host.domains.resume(domain, bench.signal), bench);
}

async function run(domain: DomainRef, act: () => Promise<void>, bench: Workbench): Promise<Done> {
  const runs = await actAndAwait(domain, act, isRunning, settleMs, bench);
  if (runs) return 'applied';
  throw new HostError('Timeout', `${domain.domainName} was told to run, and does not`);
}

const pressEveryMs = 5000;

/** A missing domain is a stopped one: a transient domain vanishes when it stops. */
export async function stopDomain(
  { domain, graceMs, basis }: OperationOf<'domain.stop'>,
  bench: Workbench,
): Promise<Done> {
  const before = await readDomain(domain, bench);
  if (isStopped(before)) return 'already';
  if (basis !== null) checkBasis(domain, before, basis);
  const { domains } = bench.host;
  const press = () => pressButton(domain, bench);
  // A guest that is still booting does not hear the button, so it is pressed again.
  for (let leftMs = graceMs; leftMs > 0; leftMs -= pressEveryMs) {
    const timeMs = Math.min(leftMs, pressEveryMs);
    if (await actAndAwait(domain, press, isStopped, timeMs, bench)) return 'applied';
  }
  const cut = () => domains.powerOff(domain, bench.signal);
  if (await actAndAwait(domain, cut, isStopped, settleMs, bench)) return 'applied';
  throw new HostError('Timeout', `${domain.domainName} was powered off, and still runs`);
}

/**
 * libvirt lets nobody press the button of a paused guest, so it is woken to hear it. If it cannot
 * be, or still does not hear, that is for the grace period to end.
 */
async function pressButton(domain: DomainRef, bench: Workbench): Promise<void> {
  const { domains } = bench.host;
  const now = await readDomain(domain, bench);
  try {
    if (now?.power.status === 'paused') await domains.resume(domain, bench.signal);
    await domains.shutdown(domain, bench.signal);
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
}

function isRunning(domain: ObservedDomain | null): boolean {
  return domain?.power.status === 'running';
}

function isStopped(domain: ObservedDomain | null): boolean {
  return domain === null || domain.power.status === 'stopped';
}
