/**
 * `domain.set-memory`: the balloon. libvirt answers at once and the guest does as it likes, so it
 * has only been done when the guest has been seen to have done it.
 */
import { HostError } from '../host/host-error.ts';
import { formatSize } from '../model/sizes.ts';
import type { OperationOf } from '../plan/operation.ts';
import type { Done, Workbench } from './executors.ts';
import { actAndAwait, requireDomain } from './observe-domain.ts';

/** A guest under emulation was seen to take 4 s for 200 MiB. */
const balloonMs = 30_000;

export async function setDomainMemory(
  { domain, memoryBytes }: OperationOf<'domain.set-memory'>,
  bench: Workbench,
): Promise<Done> {
  const before = await requireDomain(domain, bench);
  if (before.live === null || before.live.memoryBytes === memoryBytes) return 'already';
  const reached = await actAndAwait(
    domain,
    () => bench.host.domains.setMemory(domain, memoryBytes, bench.signal),
    // One that stopped meanwhile holds no memory any more.
    (now) => now === null || now.live === null || now.live.memoryBytes === memoryBytes,
    balloonMs,
    bench,
  );
  if (reached) return 'applied';
  const size = formatSize(memoryBytes);
  throw new HostError('Timeout', `${domain.domainName}'s guest did not move its memory to ${size}`);
}
