/**
 * One look at the host for one partition, in as few calls as there can be. Never throws: what could
 * not be read is `unknown`, with the reason. Domains of other partitions and of other people are
 * seen by name only, and dropped.
 */
import { explainError } from '../host/host-error.ts';
import type { HostView } from '../host/ports.ts';
import type { DomainRef, HostFacts, Observed, ObservedDomain } from '../model/domain.ts';
import {
  domainName,
  domainNamePrefix,
  type InstallationId,
  secondaryUuid,
} from '../model/identity.ts';
import {
  type FileName,
  type PartitionName,
  type SecondaryName,
  secondaryName,
} from '../model/names.ts';
import { absent, type Observation, present, unknown } from '../model/observation.ts';

export interface ObserveRequest {
  readonly partition: PartitionName;
  /** Looked for on the host even under a name or mark that is not ours. */
  readonly wanted: ReadonlySet<SecondaryName>;
  /** Looked for in the partition's store. */
  readonly files: ReadonlySet<FileName>;
  /** The id to use if the host has recorded none yet. */
  readonly newInstallation: InstallationId;
  readonly signal: AbortSignal;
}

export interface ObservedHost extends Observed {
  /** Why there may be more of ours than `domains` holds; null: these are all. */
  readonly unlisted: string | null;
}

export async function observe(host: HostView, request: ObserveRequest): Promise<ObservedHost> {
  const recorded = await attempt(() => host.installation.read());
  const installation = (recorded.status === 'present' && recorded.value) || request.newInstallation;
  const [seen, files, facts] = await Promise.all([
    // Without the id nothing can be told ours from foreign.
    recorded.status === 'unknown'
      ? unknownDomains(request, recorded.why)
      : observeDomains(host, request, installation),
    observeFiles(host, request),
    attempt<HostFacts>(() => host.domains.facts(request.signal)),
  ]);
  return {
    partition: request.partition,
    installation,
    installationRecorded: recorded.status === 'present' && recorded.value !== null,
    ...seen,
    files,
    facts,
  };
}

type Domains = Pick<ObservedHost, 'domains' | 'unlisted'>;

async function observeDomains(
  host: HostView,
  request: ObserveRequest,
  installation: InstallationId,
): Promise<Domains> {
  const list = await attempt(() => host.domains.list(request.signal));
  if (list.status !== 'present') {
    return unknownDomains(request, list.status === 'unknown' ? list.why : '');
  }
  const refs = select(list.value, request, installation);
  const domains = new Map<SecondaryName, Observation<ObservedDomain>>();
  for (const name of request.wanted) domains.set(name, absent);
  const names = [...refs.keys()];
  const read = await attempt(() => host.domains.read([...refs.values()], request.signal));
  names.forEach((name, index) => {
    const missing = unknown(
      read.status === 'unknown' ? read.why : 'the host did not answer for it',
    );
    domains.set(name, read.status === 'present' ? (read.value[index] ?? missing) : missing);
  });
  return { domains, unlisted: null };
}

/** By name: ours by their prefix, and whatever bears a name or a UUID that is wanted. */
function select(
  list: readonly DomainRef[],
  { partition, wanted }: ObserveRequest,
  installation: InstallationId,
): ReadonlyMap<SecondaryName, DomainRef> {
  const prefix = domainNamePrefix(partition);
  const found = new Map<SecondaryName, DomainRef>();
  for (const ref of list) {
    if (!ref.domainName.startsWith(prefix)) continue;
    const name = secondaryName(ref.domainName.slice(prefix.length));
    if (name !== undefined) found.set(name, ref);
  }
  const byUuid = new Map(list.map((ref) => [ref.uuid, ref]));
  for (const secondary of wanted) {
    // One that was renamed by hand is still found.
    const ref = byUuid.get(secondaryUuid({ installation, partition, secondary }));
    if (ref !== undefined && ref.domainName !== domainName(partition, secondary)) {
      found.set(secondary, ref);
    }
  }
  return found;
}

async function unknownDomains({ wanted }: ObserveRequest, why: string): Promise<Domains> {
  return { domains: new Map([...wanted].map((name) => [name, unknown(why)])), unlisted: why };
}

async function observeFiles(
  host: HostView,
  { partition, files }: ObserveRequest,
): Promise<ReadonlyMap<string, Observation<number>>> {
  const sizes = await Promise.all(
    [...files].map(async (file) => {
      const size = await attempt(() => host.store.size(partition, file));
      return [file, size.status === 'present' ? size.value : size] as const;
    }),
  );
  return new Map(sizes);
}

async function attempt<T>(read: () => Promise<T>): Promise<Observation<T>> {
  try {
    return present(await read());
  } catch (error) {
    return unknown(explainError(error));
  }
}
