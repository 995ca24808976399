/** The one way through, as far as a plan: observe, diff, plan. What comes of it, the commands say. */
import { diff } from '../diff/diff.ts';
import type { HostView } from '../host/ports.ts';
import { HostError } from '../host/host-error.ts';
import type { Observed } from '../model/domain.ts';
import type { PartitionName } from '../model/names.ts';
import type { DesiredState } from '../model/secondary.ts';
import { observe } from '../observe/observe.ts';
import { makePlan, type Plan, type PlanOptions } from '../plan/plan.ts';
import type { Environment } from './environment.ts';

export interface Limits {
  /** Ends reading and stops an apply between two operations. */
  readonly stop: AbortSignal;
  readonly timedOut: () => boolean;
}

/** Ctrl-C and `--timeout` together. */
export function limitsOf({ stop }: Environment, timeoutSeconds: number | undefined): Limits {
  if (timeoutSeconds === undefined) return { stop, timedOut: () => false };
  const timeout = AbortSignal.timeout(timeoutSeconds * 1000);
  return { stop: AbortSignal.any([stop, timeout]), timedOut: () => timeout.aborted };
}

export async function observeHost(
  host: HostView,
  partition: PartitionName,
  wanted: DesiredState['secondaries'],
  environment: Environment,
  limits: Limits,
): Promise<Observed> {
  const observed = await observe(host, {
    partition,
    wanted,
    newInstallation: environment.newInstallationId(),
    signal: limits.stop,
  });
  if (!limits.stop.aborted) return observed;
  throw limits.timedOut()
    ? new HostError('Timeout', 'the host could not be read in the time that --timeout gives')
    : new HostError('Cancelled', 'interrupted while the host was read; nothing was done');
}

export async function planFor(
  host: HostView,
  desired: DesiredState,
  options: PlanOptions,
  environment: Environment,
  limits: Limits,
): Promise<Plan> {
  const { partition, secondaries } = desired;
  const observed = await observeHost(host, partition, secondaries, environment, limits);
  return makePlan(diff(desired, observed), observed, options);
}
