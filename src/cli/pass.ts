/** The one way through, as far as a plan: observe, diff, plan. What comes of it, the commands say. */
import { diff } from '../diff/diff.ts';
import type { HostView } from '../host/ports.ts';
import { HostError } from '../host/host-error.ts';
import type { Observed } from '../model/domain.ts';
import { type PartitionName, type SecondaryName, secondaryName } from '../model/names.ts';
import type { DesiredState } from '../model/secondary.ts';
import { observe } from '../observe/observe.ts';
import { nothingWanted, type Wanted, wantedBy } from '../observe/wanted.ts';
import { type Basis, basisOf, moved } from '../plan/basis.ts';
import { makePlan, type PlanOptions } from '../plan/plan.ts';
import type { Environment } from './environment.ts';
import type { SavedPlan } from './saved-plan.ts';
import { timeoutSignal } from '../host/timeout-signal.ts';

export interface Limits {
  /** Ends reading and stops an apply between two operations. */
  readonly stop: AbortSignal;
  readonly timedOut: () => boolean;
}

/** Ctrl-C and `--timeout` together. */
export function limitsOf({ stop }: Environment, timeoutSeconds?: number): Limits {
  if (timeoutSeconds === undefined) return { stop, timedOut: () => false };
  const timeout = timeoutSignal(timeoutSeconds * 1000);
  return { stop: AbortSignal.any([stop, timeout]), timedOut: () => timeout.aborted };
}

/** @param doing such as `the host was read`: what the limits have ended, before anything was done. */
export function endedEarly(limits: Limits, doing: string): HostError {
  return limits.timedOut()
    ? new HostError('Timeout', `the time that --timeout gives was over while ${doing}`)
    : new HostError('Cancelled', `interrupted while ${doing}; nothing was done`);
}

export async function observeHost(
  host: HostView,
  partition: PartitionName,
  { names, ...wanted }: Wanted,
  environment: Environment,
  limits: Limits,
): Promise<Observed> {
  const observed = await observe(host, {
    partition,
    wanted: names,
    ...wanted,
    newInstallation: environment.newInstallationId(),
    signal: limits.stop,
  });
  if (!limits.stop.aborted) {
    checkListed(observed, names);
    return observed;
  }
  throw endedEarly(limits, 'the host was read');
}

/** What is wanted is `Unknown` then, by name; but where nothing was, "nothing is there" is no answer. */
function checkListed({ unlisted }: Observed, wanted: Wanted['names']): void {
  if (unlisted === null || wanted.size > 0) return;
  const cause = new Error(unlisted);
  throw new HostError('Unreachable', 'the Secondaries could not be listed', { cause });
}

export async function planFor(
  host: HostView,
  desired: DesiredState,
  options: PlanOptions,
  environment: Environment,
  limits: Limits,
): Promise<SavedPlan> {
  const { partition } = desired;
  const observed = await observeHost(host, partition, wantedBy(desired), environment, limits);
  const plan = makePlan(diff(desired, observed), observed, options);
  return { plan, basis: basisOf(observed) };
}

/** @throws HostError `Conflict` if the host is not as the plan has seen it, naming what moved */
export async function checkStillTrue(
  host: HostView,
  { plan, basis }: SavedPlan,
  environment: Environment,
  limits: Limits,
): Promise<void> {
  const wanted = { ...nothingWanted, names: namesIn(basis) };
  const observed = await observeHost(host, plan.partition, wanted, environment, limits);
  const changed: string[] = [...moved(basis, basisOf(observed))];
  const records = plan.operations.some(({ kind }) => kind === 'installation.record');
  const recorded = observed.installationRecorded ? observed.installation : null;
  if (recorded !== (records ? null : plan.installation)) {
    changed.unshift('the installation id');
  }
  if (changed.length === 0) return;
  throw new HostError(
    'Conflict',
    `the plan is stale: ${changed.join(', ')} changed since it was made`,
  );
}

/** Volumes and Images are found by looking; a Secondary only under a name that is looked for. */
function namesIn(basis: Basis): ReadonlySet<SecondaryName> {
  return new Set([...basis.keys()].flatMap((key) => secondaryName(key) ?? []));
}
