/**
 * One look at the host for one partition, in as few calls as there can be. Never throws: what could
 * not be read is `unknown`, with the reason. Domains of other partitions and of other people are
 * seen by name only, and dropped.
 */
import type { HostView, KeptReader } from '../host/ports.ts';
import type { DomainRef, HostFacts, Observed, ObservedDomain } from '../model/domain.ts';
import { filterRefOf, type ObservedFilter } from '../model/filter.ts';
import {
  domainName,
  domainNamePrefix,
  type InstallationId,
  networkName,
  networkUuid,
  type PartitionOwner,
  secondaryUuid,
  slicePath,
} from '../model/identity.ts';
import {
  byName,
  type FileName,
  type ImageName,
  type PartitionName,
  type SecondaryName,
  secondaryName,
  type VolumeName,
} from '../model/names.ts';
import type { ObservedNetwork } from '../model/network.ts';
import type { NicWay } from '../model/uplink.ts';
import type { SeedName } from '../model/seed.ts';
import type { ObservedSlice } from '../model/slice.ts';
import { absent, type Observation, unknown } from '../model/observation.ts';
import { attempt } from './attempt.ts';

export interface ObserveRequest {
  readonly partition: PartitionName;
  /** Looked for on the host even under a name or mark that is not ours. */
  readonly wanted: ReadonlySet<SecondaryName>;
  readonly volumes: ReadonlySet<VolumeName>;
  readonly images: ReadonlySet<ImageName>;
  readonly seeds: ReadonlySet<SeedName>;
  /** Looked for in the partition's store. */
  readonly files: ReadonlySet<FileName>;
  /** Looked for in the host's catalogue. */
  readonly catalogue: ReadonlySet<FileName>;
  /** Who is to have a vsock address: whether it is free is looked at where it is not had yet. */
  readonly withCid: ReadonlySet<SecondaryName>;
  /** libvirt's name of the Primary; null: there is none. */
  readonly primary: string | null;
  /** The id to use if the host has recorded none yet. */
  readonly newInstallation: InstallationId;
  readonly signal: AbortSignal;
}

export async function observe(host: HostView, request: ObserveRequest): Promise<Observed> {
  const recorded = await attempt(() => host.installation.read());
  const installation = (recorded.status === 'present' && recorded.value) || request.newInstallation;
  const us = { installation, partition: request.partition };
  const [seen, files, facts, kept, network, slice, filter, operators] = await Promise.all([
    // Without the id nothing can be told ours from foreign.
    recorded.status === 'unknown'
      ? unknownDomains(request, recorded.why)
      : observeDomains(host, request, installation),
    observeFiles(request.files, (file) => host.store.size(request.partition, file)),
    attempt<HostFacts>(() => host.domains.facts(request.signal)),
    observeStore(host, request),
    recorded.status === 'unknown' ? recorded : observeNetwork(host, us, request.signal),
    recorded.status === 'unknown' ? recorded : observeSlice(host, us, request.signal),
    recorded.status === 'unknown' ? recorded : observeFilter(host, us, request.signal),
    observePrimary(host, request),
  ]);
  const imageDisk = await found(() => host.imageDisks.find(request.partition, request.signal));
  const catalogue = await observeFiles(request.catalogue, (file) => host.store.catalogueSize(file));
  const cids = await observeCids(host, seen.domains, request);
  return {
    partition: request.partition,
    installation,
    cids,
    installationRecorded: recorded.status === 'present' && recorded.value !== null,
    ...seen,
    files,
    facts,
    ...kept,
    imageDisk,
    catalogue,
    network,
    slice,
    ...operators,
    filter,
  };
}

type Domains = Pick<Observed, 'domains' | 'unlisted'>;

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
  return { domains: sorted(domains), unlisted: null };
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

type Stored = Pick<
  Observed,
  | 'volumes'
  | 'volumeStore'
  | 'images'
  | 'intakes'
  | 'seeds'
  | 'unlistedVolumes'
  | 'unlistedImages'
  | 'unlistedIntakes'
  | 'unlistedSeeds'
>;

async function observeStore(host: HostView, request: ObserveRequest): Promise<Stored> {
  const [volumes, volumeStore, images, intakes, seeds] = await Promise.all([
    observeKept(host.volumes, request.volumes, request),
    attempt(() => host.volumes.store(request.signal)),
    observeKept(host.images, request.images, request),
    observeKept(host.intakes, request.images, request),
    observeKept(host.seeds, request.seeds, request),
  ]);
  return {
    volumes: volumes.seen,
    volumeStore,
    unlistedVolumes: volumes.unlisted,
    images: images.seen,
    unlistedImages: images.unlisted,
    intakes: intakes.seen,
    unlistedIntakes: intakes.unlisted,
    seeds: seeds.seen,
    unlistedSeeds: seeds.unlisted,
  };
}

interface KeptSeen<Name, Kept> {
  readonly seen: ReadonlyMap<Name, Observation<Kept>>;
  readonly unlisted: string | null;
}

/** What is wanted and what is there. Where that cannot be listed, what is wanted is unknown. */
async function observeKept<Name extends string, Kept>(
  reader: KeptReader<Name, Kept>,
  wanted: ReadonlySet<Name>,
  { partition, signal }: ObserveRequest,
): Promise<KeptSeen<Name, Kept>> {
  const list = await attempt(() => reader.list(partition, signal));
  if (list.status === 'unknown') {
    return { seen: new Map([...wanted].map((name) => [name, list])), unlisted: list.why };
  }
  const there = new Set(list.status === 'present' ? list.value : []);
  const seen = await Promise.all(
    [...new Set([...wanted, ...there])].map(async (name) => {
      if (!there.has(name)) return [name, absent] as const;
      return [name, await found(() => reader.read(partition, name, signal))] as const;
    }),
  );
  return { seen: sorted(seen), unlisted: null };
}

/** So that nothing that comes of it depends on the order of documents. */
function sorted<Name extends string, T>(entries: Iterable<readonly [Name, T]>): Map<Name, T> {
  return new Map([...entries].sort(([a], [b]) => byName(a, b)));
}

/** Who runs with an address has it. Nobody else is asked about anything: all domains there are are read. */
async function observeCids(
  { domains: reader }: HostView,
  domains: Observed['domains'],
  { withCid, signal }: ObserveRequest,
): Promise<Observed['cids']> {
  const has = (name: SecondaryName) => {
    const seen = domains.get(name);
    return seen?.status === 'present' && seen.value.live?.vsock === 'Heartbeat';
  };
  if ([...withCid].every(has)) return absent;
  return attempt(() => reader.cids(signal));
}

async function observeNetwork(
  { networks }: HostView,
  us: PartitionOwner,
  signal: AbortSignal,
): Promise<Observation<ObservedNetwork>> {
  const ref = { uuid: networkUuid(us), networkName: networkName(us.partition) };
  return found(() => networks.find(ref, signal));
}

async function observeSlice(
  { slices }: HostView,
  us: PartitionOwner,
  signal: AbortSignal,
): Promise<Observation<ObservedSlice>> {
  return found(() => slices.find({ path: slicePath(us) }, signal));
}

async function observeFilter(
  { filters }: HostView,
  us: PartitionOwner,
  signal: AbortSignal,
): Promise<Observation<ObservedFilter>> {
  return found(() => filters.find(filterRefOf(us), signal));
}

async function observePrimary(
  { primaries, uplinks }: HostView,
  { primary: domainName, signal }: ObserveRequest,
): Promise<Pick<Observed, 'primary' | 'uplinks'>> {
  if (domainName === null) return { primary: absent, uplinks: absent };
  const primary = await found(() => primaries.find(domainName, signal));
  if (primary.status !== 'present') return { primary, uplinks: primary };
  const ways = await attempt<readonly NicWay[]>(() => uplinks.of(primary.value.nics, signal));
  return { primary, uplinks: ways };
}

async function observeFiles(
  files: ReadonlySet<FileName>,
  sizeOf: (file: FileName) => Promise<Observation<number>>,
): Promise<ReadonlyMap<FileName, Observation<number>>> {
  const sizes = await Promise.all(
    [...files].map(async (file) => [file, await found(() => sizeOf(file))] as const),
  );
  return new Map(sizes);
}

/** What a port has found itself, unless it fails. */
async function found<T>(find: () => Promise<Observation<T>>): Promise<Observation<T>> {
  const seen = await attempt(find);
  return seen.status === 'present' ? seen.value : seen;
}
