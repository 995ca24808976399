/** Commands about one Secondary: find it on the host, or say which there are. */
import type { HostView } from '../host/ports.ts';
import type { Observed } from '../model/domain.ts';
import type { PartitionName, SecondaryName } from '../model/names.ts';
import { closest } from '../documents/closest.ts';
import { type CommandError, usageError } from './command-error.ts';
import type { Environment, Target } from './environment.ts';
import { nothingWanted } from '../observe/wanted.ts';
import { type Limits, observeHost } from './pass.ts';
import { type SecondaryStatus, statusOf } from './status.ts';

/** @throws CommandError `usage` if the partition has none of that name */
export async function findSecondary(
  name: string,
  host: HostView,
  target: Target,
  environment: Environment,
  limits: Limits,
): Promise<SecondaryStatus> {
  return (await lookForSecondary(name, host, target, environment, limits)).status;
}

/** The same, with everything else that was seen. */
export async function lookForSecondary(
  name: string,
  host: HostView,
  { partition }: Target,
  environment: Environment,
  limits: Limits,
): Promise<{ readonly status: SecondaryStatus; readonly observed: Observed }> {
  const observed = await observeHost(host, partition, nothingWanted, environment, limits);
  const all = statusOf(observed);
  const found = all.find((status) => status.name === name);
  if (found !== undefined) return { status: found, observed };
  throw noSuchSecondary(
    partition,
    name,
    all.map((status) => status.name),
  );
}

export function noSuchSecondary(
  partition: PartitionName,
  name: string,
  all: readonly SecondaryName[],
): CommandError {
  const meant = closest(name, all);
  return usageError(
    `partition ${partition} has no Secondary ${name}`,
    meant === null ? `it has: ${all.join(', ') || 'none'}` : `did you mean ${meant}?`,
  );
}
