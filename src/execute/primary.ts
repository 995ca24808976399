/**
 * Operations on the Primary: its guest is asked, and it is only done when the host has seen it.
 * libvirt's "done" means that the guest was asked; one that is busy gives part of it, later, or nothing.
 */
import { HostError } from '../host/host-error.ts';
import type { DomainRef } from '../model/domain.ts';
import type { ObservedPrimary, PrimaryHas } from '../model/primary.ts';
import { formatSize } from '../model/sizes.ts';
import type { OperationOf } from '../plan/operation.ts';
import { amounts, askUntil, type Request } from './ask-until.ts';
import type { Done, Workbench } from './executors.ts';
import { valueIn } from './value-in.ts';

/**
 * QEMU tells of a memory device's size at most once a second (monitor/monitor.c), and libvirt shows what it was
 * told last: of a guest that has just begun to plug memory in, less than it has. So what is seen must stay so.
 */
const steadyMs = 1500;

export function setPrimaryVcpus(
  { primary, vcpus }: OperationOf<'primary.set-vcpus'>,
  bench: Workbench,
): Promise<Done> {
  const ask = () => bench.host.primaries.setVcpus(primary, vcpus, bench.signal);
  return askAndAwait(primary, ['vcpus', vcpus, 0], ask, bench);
}

export function setPrimaryMemory(
  { primary, pluggedBytes }: OperationOf<'primary.set-memory'>,
  bench: Workbench,
): Promise<Done> {
  const ask = () => bench.host.primaries.setMemory(primary, pluggedBytes, bench.signal);
  return askAndAwait(primary, ['pluggedBytes', pluggedBytes, steadyMs], ask, bench);
}

async function askAndAwait(
  ref: DomainRef,
  [field, goal, forMs]: readonly [field: keyof PrimaryHas, goal: number, forMs: number],
  ask: () => Promise<void>,
  bench: Workbench,
): Promise<Done> {
  const isSo = ({ live, defined }: ObservedPrimary) =>
    defined[field] === goal && (live === null || live[field] === goal);
  const read = () => readPrimary(ref, bench);
  const refusal = notReleased(field, goal);
  return askUntil(ref, { read, ask, isSo, patience: amounts, forMs, refusal }, bench);
}

function notReleased(field: keyof PrimaryHas, goal: number): Request<ObservedPrimary>['refusal'] {
  const show = (value: number) => (field === 'vcpus' ? `${value} vCPUs` : formatSize(value));
  return (before, { domainName, live, defined }) => {
    const had = (before.live ?? before.defined)[field];
    const has = (live ?? defined)[field];
    return `${domainName} was asked to go from ${show(had)} to ${show(goal)}, and has ${show(has)}`;
  };
}

/** @throws HostError if it is gone, or that cannot be known */
export async function readPrimary(
  ref: DomainRef,
  { host, signal }: Workbench,
): Promise<ObservedPrimary> {
  const seen = valueIn(ref.domainName, await host.primaries.find(ref.domainName, signal));
  if (seen?.uuid === ref.uuid) return seen;
  throw new HostError('Conflict', `${ref.domainName} is no longer the domain that it was`);
}
