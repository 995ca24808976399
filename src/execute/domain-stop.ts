/**
 * `domain.stop`: a ladder, gentlest first. The guest's agent is asked, then the power button pressed,
 * then the power cut, as far as the plan allows; which step was under way when the guest had stopped
 * is part of the outcome.
 */
import { HostError } from '../host/host-error.ts';
import type { DomainRef, ObservedDomain } from '../model/domain.ts';
import type { OperationOf } from '../plan/operation.ts';
import type { Done, Workbench } from './executors.ts';
import { actAndAwait, checkBasis, isRefusal, readDomain } from './observe-domain.ts';

/** libvirt answers when the guest is gone; this is for its state to be seen. */
const settleMs = 10_000;
const pressEveryMs = 5000;

type Stop = OperationOf<'domain.stop'>;

/** A missing domain is a stopped one: a transient domain vanishes when it stops. */
export async function stopDomain(operation: Stop, bench: Workbench): Promise<Done> {
  const { domain, basis, steps, graceMs } = operation;
  const before = await readDomain(domain, bench);
  if (isStopped(before)) return 'already';
  if (basis !== null) checkBasis(domain, before, basis);
  const startedMs = bench.now();
  // Half of the time is left for the button: an agent can answer and then do nothing.
  if (steps.includes('agent') && (await stopByAgent(domain, graceMs / 2, bench))) {
    return { status: 'applied', how: 'agent' };
  }
  const leftMs = steps.includes('agent') ? graceMs - (bench.now() - startedMs) : graceMs;
  if (steps.includes('acpi') && (await stopByButton(domain, leftMs, bench))) {
    return { status: 'applied', how: 'acpi' };
  }
  if (!steps.includes('power-off')) throw notInTime(operation);
  const cut = () => bench.host.domains.powerOff(domain, bench.signal);
  if (await actAndAwait(domain, cut, isStopped, settleMs, bench)) {
    return { status: 'applied', how: 'power-off' };
  }
  throw new HostError('Timeout', `${domain.domainName} was powered off, and still runs`);
}

function notInTime({ domain, graceMs }: Stop): HostError {
  const message = `${domain.domainName} did not shut down in ${graceMs / 1000} s, and its document forbids powering it off`;
  return new HostError('Timeout', message);
}

/**
 * libvirt may answer only when the guest is down, a minute later, or never; so it is not waited for.
 * An agent that is not there, or will not, ends this step at once, and the next one follows.
 */
async function stopByAgent(domain: DomainRef, forMs: number, bench: Workbench): Promise<boolean> {
  const step = new AbortController();
  const failed = new AbortController();
  const ask = async () => {
    const signal = AbortSignal.any([bench.signal, step.signal]);
    bench.host.domains
      .shutdownByAgent(domain, signal)
      .catch((error: unknown) => failed.abort(error));
  };
  const waiting = { ...bench, signal: AbortSignal.any([bench.signal, failed.signal]) };
  const isOver = (now: ObservedDomain | null) => failed.signal.aborted || isStopped(now);
  try {
    await actAndAwait(domain, ask, isOver, forMs, waiting);
  } catch (error) {
    // Reading was broken off by the failure itself.
    if (!failed.signal.aborted || !isCancelled(error)) throw error;
  } finally {
    // Nobody waits for its answer any more.
    step.abort();
  }
  if (failed.signal.aborted && !isAgentsNo(failed.signal.reason)) throw failed.signal.reason;
  return isStopped(await readDomain(domain, bench));
}

function isCancelled(error: unknown): boolean {
  return error instanceof HostError && error.code === 'Cancelled';
}

/** That of an agent, and not of the way to the host. */
function isAgentsNo(error: unknown): boolean {
  if (!(error instanceof HostError)) return false;
  return error.code === 'Refused' || error.code === 'Timeout' || error.code === 'Unsupported';
}

async function stopByButton(domain: DomainRef, forMs: number, bench: Workbench): Promise<boolean> {
  const press = () => pressButton(domain, bench);
  // A guest that is still booting does not hear the button, so it is pressed again.
  for (let leftMs = forMs; leftMs > 0; leftMs -= pressEveryMs) {
    const timeMs = Math.min(leftMs, pressEveryMs);
    if (await actAndAwait(domain, press, isStopped, timeMs, bench)) return true;
  }
  return false;
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

function isStopped(domain: ObservedDomain | null): boolean {
  return domain === null || domain.power.status === 'stopped';
}
