/** Reading domains: bulk calls, pipelined, on whatever right the connection has. */
import { createHash } from 'node:crypto';
import {
  type BulkResult,
  ConnectionError,
  type Domain,
  type DomainState,
  domainState,
  LibvirtError,
  type ParamMap,
  type ReadOnlyConnection,
} from '../../libvirt/index.ts';
import type { DomainFields, DomainRef, ObservedDomain, Power } from '../../model/domain.ts';
import { domainUuid } from '../../model/identity.ts';
import { absent, type Observation, present, unknown } from '../../model/observation.ts';
import { explainError } from '../host-error.ts';
import type { VolumeName } from '../../model/names.ts';
import type { DiskPlaces, Located } from '../local/disk-places.ts';
import type { StoreLayout } from '../local/layout.ts';
import type { DomainLister, DomainReader } from '../ports.ts';
import { isPluggedIn } from '../local/tap.ts';
import { readCids } from './cids.ts';
import { domainWatches } from './domain-watch.ts';
import { volumesNamedIn } from './domain-parts.ts';
import { readFacts } from './facts.ts';
import { readGuestUsage, statsOf } from './domain-stats.ts';
import { calling } from './host-error-from.ts';
import { type ReadDomain, readDomainXml } from './read-domain-xml.ts';

/** What concerns no partition. */
export function domainLister(connection: ReadOnlyConnection): DomainLister {
  return {
    facts: (signal) => calling('reading what the host can do', () => readFacts(connection, signal)),
    list: (signal) =>
      calling('listing the domains', async () => {
        const domains = await connection.domains.list({ signal });
        return domains.flatMap(({ name, uuid }) => {
          const known = domainUuid(uuid);
          return known === undefined ? [] : [{ domainName: name, uuid: known }];
        });
      }),
  };
}

/** @param places where the disks are that documents name */
export function domainReader(connection: ReadOnlyConnection, places: DiskPlaces): DomainReader {
  return {
    ...domainLister(connection),
    read: (refs, signal) =>
      calling('reading domains', () => readAll(connection, places, refs, signal)),
    usage: (refs, signal) =>
      calling('reading what guests use', () =>
        readGuestUsage(connection, refs.map(handleOf), signal),
      ),
    watch: domainWatches(connection),
    cids: (signal) => calling('reading vsock addresses', () => readCids(connection, signal)),
  };
}

export function handleOf({ domainName, uuid }: DomainRef): Domain {
  // libvirt finds domains by UUID; the id is for its own messages.
  return { name: domainName, uuid, id: -1 };
}

async function readAll(
  connection: ReadOnlyConnection,
  places: DiskPlaces,
  refs: readonly DomainRef[],
  signal: AbortSignal,
): Promise<readonly Observation<ObservedDomain>[]> {
  if (refs.length === 0) return [];
  const handles = refs.map(handleOf);
  const [states, transient, saved, inactive] = await Promise.all([
    readStates(connection, handles, signal),
    connection.domains.list({ transient: true, signal }),
    connection.domains.list({ managedSave: true, signal }),
    collect(connection.domains.xmlAll(handles, { inactive: true, signal })),
  ]);
  const running = handles.filter(({ uuid }) => isUp(states.get(uuid)));
  const live = await collect(connection.domains.xmlAll(running, { signal }));
  const located = await places.located([...inactive.values(), ...live.values()].flatMap(volumesIn));
  const transientUuids = new Set(transient.map(({ uuid }) => uuid));
  const savedUuids = new Set(saved.map(({ uuid }) => uuid));
  return refs.map((ref) =>
    observation(ref, located, {
      state: states.get(ref.uuid),
      isTransient: transientUuids.has(ref.uuid),
      isSaved: savedUuids.has(ref.uuid),
      inactive: inactive.get(ref.uuid),
      live: live.get(ref.uuid),
    }),
  );
}

function volumesIn(result: BulkResult<string>): readonly VolumeName[] {
  return 'ok' in result ? volumesNamedIn(result.ok) : [];
}

type Results = ReadonlyMap<string, BulkResult<string>>;

async function collect(results: AsyncIterable<BulkResult<string>>): Promise<Results> {
  const byUuid = new Map<string, BulkResult<string>>();
  for await (const result of results) {
    // That we gave up says nothing about the domain.
    if ('error' in result && isGivenUp(result.error)) throw result.error;
    byUuid.set(result.domain.uuid, result);
  }
  return byUuid;
}

function isGivenUp(error: unknown): boolean {
  return error instanceof ConnectionError && error.reason === 'aborted';
}

/** With libvirt's id of the run. */
type State = DomainState & { readonly id: number };

async function readStates(
  connection: ReadOnlyConnection,
  handles: readonly Domain[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, State>> {
  const records = await statsOf(connection, handles, { groups: ['state'], signal });
  return new Map(
    records.map(({ domain, params }) => [domain.uuid, { ...stateFrom(params), id: domain.id }]),
  );
}

function stateFrom(params: ParamMap): DomainState {
  return domainState(Number(params.get('state.state')), Number(params.get('state.reason')));
}

interface Parts {
  readonly state: State | undefined;
  readonly isTransient: boolean;
  readonly isSaved: boolean;
  readonly inactive: BulkResult<string> | undefined;
  readonly live: BulkResult<string> | undefined;
}

function observation(
  ref: DomainRef,
  { layout, unknown: lost }: Located,
  { state, isTransient, isSaved, inactive, live }: Parts,
): Observation<ObservedDomain> {
  if (inactive === undefined || isGone(inactive) || (live !== undefined && isGone(live))) {
    return absent;
  }
  if ('error' in inactive) return unknown(explainError(inactive.error));
  if (live !== undefined && 'error' in live) return unknown(explainError(live.error));
  if (state === undefined) return unknown('libvirt did not say in which state it is');
  const [why] = [inactive, ...(live === undefined ? [] : [live])]
    .flatMap(volumesIn)
    .flatMap((volume) => lost.get(volume) ?? []);
  if (why !== undefined) return unknown(`it cannot be known where its disks are: ${why}`);
  const power = powerOf(state);
  if (power === null) return unknown(`libvirt says that it is in state ${state.state}`);
  try {
    const definition = readDomainXml(inactive.ok, layout);
    const { owner, fields, stopAsked, lastApplied } = definition;
    const guest = live === undefined ? null : readLive(live.ok, layout, lastApplied);
    return present({
      uuid: ref.uuid,
      domainName: ref.domainName,
      owner,
      power,
      persistent: !isTransient,
      defined: fields,
      stopAsked,
      saved: isSaved,
      lastApplied,
      live: guest?.fields ?? null,
      portsFree: guest?.portsFree ?? 0,
      agent: guest?.agent ?? 'none',
      foundReady: guest?.foundReady ?? null,
      foreignCid: definition.foreignCid,
      translationCacheBytes: (guest ?? definition).translationCacheBytes,
      runId: guest === null || state.id < 0 ? null : state.id,
      fingerprint: fingerprintOf(inactive.ok),
    });
  } catch (error) {
    return unknown(`its XML cannot be read: ${explainError(error)}`);
  }
}

/** In the order of the definition's mark: another order of the same disks is no other guest. */
function readLive(xml: string, layout: StoreLayout, lastApplied: DomainFields | null): ReadDomain {
  return readDomainXml(xml, layout, lastApplied?.volumes, isPluggedIn);
}

/**
 * Without our own note of a stop, which is written between the check of a plan's basis and the next:
 * it is no change of the definition.
 */
function fingerprintOf(xml: string): string {
  const text = xml.replace(/ stop=(?:"asked"|'asked')/, '');
  return createHash('sha256').update(text).digest('hex');
}

/** It was listed and has vanished since, which is not the same as unreadable. */
function isGone(result: BulkResult<string>): boolean {
  return (
    'error' in result && result.error instanceof LibvirtError && result.error.code === 'NO_DOMAIN'
  );
}

function isUp(state: DomainState | undefined): boolean {
  const power = state === undefined ? null : powerOf(state);
  return power !== null && power.status !== 'stopped';
}

/** Null for a state that is no answer. */
function powerOf({ state, reason }: DomainState): Power | null {
  switch (state) {
    case 'running':
    case 'blocked':
    // The guest has put itself to sleep, and wakes by itself.
    case 'pm-suspended':
      return { status: 'running' };
    case 'paused':
      return { status: 'paused' };
    case 'shutdown':
      return { status: 'stopping' };
    case 'crashed':
      return { status: 'stopped', reason: 'crashed' };
    case 'shutoff':
      return { status: 'stopped', reason: stopReasons.get(reason) ?? 'unknown' };
    case 'no-state':
    case 'unknown':
      return null;
  }
}

const stopReasons = new Map<string, Extract<Power, { status: 'stopped' }>['reason']>([
  ['shutdown', 'guest-shutdown'],
  ['destroyed', 'powered-off'],
  ['crashed', 'crashed'],
  ['failed', 'failed'],
]);
