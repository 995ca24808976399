/** `domain.start`, `domain.resume` and `domain.await-ready`. */
import { HostError } from '../host/host-error.ts';
import type { DomainRef, ObservedDomain } from '../model/domain.ts';
import { slicePath } from '../model/identity.ts';
import { awaitedBy } from '../model/readiness.ts';
import type { OperationOf } from '../plan/operation.ts';
import type { Done, Workbench } from './executors.ts';
import { actAndAwait, requireDomain } from './observe-domain.ts';

/** libvirt answers when the guest runs; this is for its state to be seen. */
const settleMs = 10_000;

export async function startDomain(
  { domain }: OperationOf<'domain.start'>,
  bench: Workbench,
): Promise<Done> {
  const { power, defined } = await requireDomain(domain, bench);
  if (power.status === 'running') return 'already';
  if (power.status !== 'stopped') {
    throw new HostError(
      'Conflict',
      `${domain.domainName} was to be started, and is ${power.status}`,
    );
  }
  const done = await run(domain, () => bench.host.domains.start(domain, bench.signal), bench);
  if (defined.slice === 'Partition') await checkSlice(domain, bench);
  return done;
}

/**
 * Without its slice, libvirt starts a guest that nothing limits. Such a guest is not left running.
 * @throws HostError `Conflict`
 */
async function checkSlice(domain: DomainRef, bench: Workbench): Promise<void> {
  const { host, us, signal } = bench;
  if (await host.slices.contains({ path: slicePath(us) }, domain, signal)) return;
  // It may have ended meanwhile, and then it is in no slice.
  if ((await requireDomain(domain, bench)).power.status === 'stopped') return;
  await host.domains.powerOff(domain, signal);
  const message = `${domain.domainName} came up outside the partition's slice, and was powered off`;
  throw new HostError('Conflict', message);
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

/** One that stops meanwhile will not be ready any more, and whoever waits for it need not go on. */
export async function awaitReady(
  { domain, check, timeoutMs }: OperationOf<'domain.await-ready'>,
  bench: Workbench,
): Promise<Done> {
  const isOver = (now: ObservedDomain | null) => now === null || now.power.status === 'stopped';
  const isReady = (now: ObservedDomain | null) => now?.foundReady === check;
  if (isReady(await requireDomain(domain, bench))) return 'already';
  const look = async () => undefined;
  const reached = async (now: ObservedDomain | null) =>
    isReady(now) || isOver(now) || (check === 'GuestAgent' && (await agentAnswers(now, bench)));
  const isReached = await actAndAwait(domain, look, reached, timeoutMs, bench);
  if (isOver(await requireDomain(domain, bench))) {
    throw new HostError('Conflict', `${domain.domainName} has stopped before it was ready`);
  }
  if (isReached) return 'applied';
  const seconds = timeoutMs / 1000;
  const message = `${domain.domainName} was waited for ${seconds} s, and still is: ${awaitedBy(check)}`;
  throw new HostError('Timeout', message);
}

/** Notes it with the run that has answered, as unnestd does where it finds a guest ready. */
async function agentAnswers(
  domain: ObservedDomain | null,
  { host, signal }: Workbench,
): Promise<boolean> {
  if (domain?.agent !== 'connected' || domain.runId === null) return false;
  try {
    await host.domains.askAgent(domain, signal);
  } catch {
    // It may take a moment from its first word to its first answer.
    return false;
  }
  await host.domains.noteReady(domain, { runId: domain.runId, check: 'GuestAgent' }, signal);
  return true;
}

function isRunning(domain: ObservedDomain | null): boolean {
  return domain?.power.status === 'running';
}
