/** Where a Secondary is on its partition's network: said by unnestd, or read from the host. */
import type { Command } from 'commander';
import { CommandError } from './command-error.ts';
import { askDaemonFirst } from './daemon-first.ts';
import type { Environment } from './environment.ts';
import { exitCodes } from './exit-codes.ts';
import { findSecondary, noSuchSecondary } from './one-secondary.ts';
import { type HostOptions, requireSecondary } from './options.ts';
import { type Limits, limitsOf } from './pass.ts';
import { targetFor } from './place.ts';
import { using } from './using.ts';

export interface Reachable {
  /** IPv4. */
  readonly address: string;
  /** Of its domain: another one of the same name is not it. */
  readonly uuid: string;
}

interface Found {
  readonly status: string;
  readonly address: string | null;
  readonly uuid: string | null;
}

/** @throws CommandError where there is none, or no way to it */
export async function reachable(
  name: string,
  command: Command,
  options: HostOptions,
  environment: Environment,
): Promise<Reachable> {
  const secondary = requireSecondary(name);
  const limits = limitsOf(environment, options.timeout);
  const found =
    (await askDaemonFirst(command, options, environment, limits, async (client, { partition }) => {
      const { secondaries } = await client.status(partition, limits.stop);
      const one = secondaries.find((each) => each.name === secondary);
      if (one !== undefined) return one;
      throw noSuchSecondary(
        partition,
        name,
        secondaries.map((each) => each.name),
      );
    })) ?? (await onHost(name, command, options, environment, limits));
  return reachableAt(name, found);
}

async function onHost(
  name: string,
  command: Command,
  options: HostOptions,
  environment: Environment,
  limits: Limits,
): Promise<Found> {
  const target = await targetFor(command, options, environment, limits);
  return using(environment.openView, target, limits, async (host) => {
    const { status, address, domain } = await findSecondary(
      name,
      host,
      target,
      environment,
      limits,
    );
    return { status, address, uuid: domain?.uuid ?? null };
  });
}

const ipv4 = /^(?:\d{1,3}\.){3}\d{1,3}$/;

function reachableAt(name: string, { status, address, uuid }: Found): Reachable {
  if (address === null || uuid === null || !ipv4.test(address)) {
    const remedy =
      'it needs `network: Partition` in its document, and the Partition a `spec.network`';
    throw new CommandError(exitCodes.partial, `${name} has no address`, { remedy });
  }
  if (status === 'Stopped') {
    throw new CommandError(exitCodes.partial, `${name} does not run: it is ${status}`, {
      remedy: '`unnest get` says how it is',
    });
  }
  return { address, uuid };
}
