/**
 * Operations on the Primary: its guest is asked, and it is only done when the host has seen it.
 * libvirt's "done" means that the guest was asked; one that is busy gives part of it, later, or nothing.
 */
import { HostError } from '../host/host-error.ts';
import type { DomainRef } from '../model/domain.ts';
import type { ObservedPrimary, PrimaryHas } from '../model/primary.ts';
import { formatSize } from '../model/sizes.ts';
import type { OperationOf } from '../plan/operation.ts';
import type { Done, Workbench } from './executors.ts';
import { valueIn } from './value-in.ts';

/** A guest under emulation was seen to take 5 s for each vCPU. */
const releaseMs = 60_000;
const askEveryMs = 10_000;
const lookEveryMs = 1000;
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
  return askUntil(ref, { ask, isSo, forMs, refusal: notReleased(field, goal) }, bench);
}

/** What is asked of a guest that may take its time, or not do it at all. */
export interface Request {
  readonly ask: () => Promise<void>;
  readonly isSo: (primary: ObservedPrimary) => boolean;
  /** How long it has to be so before it counts. */
  readonly forMs: number;
  /** What is said in the end if it has not. */
  readonly refusal: (before: ObservedPrimary, now: ObservedPrimary) => string;
}

export async function askUntil(
  ref: DomainRef,
  { ask, isSo, forMs, refusal: says }: Request,
  bench: Workbench,
): Promise<Done> {
  const before = await readPrimary(ref, bench);
  if (isSo(before)) return 'already';
  const watch = await bench.host.domains.watch(ref);
  try {
    const deadlineMs = bench.now() + releaseMs;
    let refusal = await unlessSlow(ask);
    // What is refused at once is refused; later it may be that the guest is still at it.
    if (refusal !== null && refusal.code !== 'Timeout') throw refusal;
    let sinceMs: number | null = null;
    for (let askAtMs = bench.now() + askEveryMs; ;) {
      if (bench.now() >= askAtMs) {
        refusal = await unlessSlow(ask);
        askAtMs = bench.now() + askEveryMs;
      }
      const now = await readPrimary(ref, bench);
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

function notReleased(field: keyof PrimaryHas, goal: number): Request['refusal'] {
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
