/**
 * What has to be known before anybody is promised anything of a host: what it has, what is on it,
 * and whose documents are in force. What cannot be read is unknown, and never throws.
 */
import { join } from 'node:path';
import type { DaemonHosts } from '../host/ports.ts';
import type { HostSize } from '../model/domain.ts';
import { partitionOfDomain } from '../model/identity.ts';
import type { PartitionName } from '../model/names.ts';
import type { Observation } from '../model/observation.ts';
import { attempt } from '../observe/attempt.ts';
import type { HostAddress } from '../partition/host-fit.ts';
import { hasAccepted } from './accepted/accepted-folder.ts';
import type { Runtime } from './runtime.ts';

export interface HostLook {
  readonly host: Observation<HostSize>;
  readonly addresses: Observation<readonly HostAddress[]>;
  /** Who has domains there by their names, defined or running. */
  readonly onHost: Observation<ReadonlySet<PartitionName>>;
  /** Of those who were asked about. */
  readonly accepted: ReadonlySet<PartitionName>;
}

export interface HostLookTools {
  readonly hosts: Pick<DaemonHosts, 'domains'>;
  readonly runtime: Pick<Runtime, 'files' | 'addresses'>;
  readonly stateDir: string;
}

export async function lookAtHost(
  { hosts: { domains }, runtime, stateDir }: HostLookTools,
  names: readonly PartitionName[],
  signal: AbortSignal,
): Promise<HostLook> {
  const [host, onHost, accepted] = await Promise.all([
    attempt<HostSize>(() => domains.facts(signal)),
    attempt(async () => partitionsOf(await domains.list(signal))),
    Promise.all(names.map((name) => hasAccepted(runtime.files, join(stateDir, name, 'accepted')))),
  ]);
  return {
    host,
    onHost,
    addresses: await attempt(async () => runtime.addresses()),
    accepted: new Set(names.filter((_name, index) => accepted[index])),
  };
}

function partitionsOf(all: readonly { readonly domainName: string }[]): ReadonlySet<PartitionName> {
  return new Set(all.flatMap(({ domainName }) => partitionOfDomain(domainName) ?? []));
}
