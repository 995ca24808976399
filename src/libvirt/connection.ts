import type { Caller } from './caller.ts';
import { type ConnectOptions, resolveOptions } from './connect-options.ts';
import type { ConnectionState } from './connection-state.ts';
import { domainReads } from './domain-reads.ts';
import { domainTuningReads } from './domain-tuning-reads.ts';
import { domainTuningWrites } from './domain-tuning-writes.ts';
import { domainWrites } from './domain-writes.ts';
import type { ConnectionError } from './errors.ts';
import type { EventKind } from './event-types.ts';
import { networkReads, networkWrites } from './networks.ts';
import { nodeReads, nodeWrites } from './node-info.ts';
import { nwfilterReads, nwfilterWrites } from './nwfilters.ts';
import { Session } from './session.ts';
import { StateListeners } from './state-listeners.ts';
import { storageReads, storageWrites } from './storage.ts';
import { type Listener, Subscriptions, type Unsubscribe } from './subscriptions.ts';

/**
 * The public face: methods grouped by noun over one session. A read-only connection is the same
 * object seen through a type without the methods that change things; the session refuses them
 * all the same, for types are gone at run time.
 */
function readGroups(caller: Caller) {
  return {
    domains: { ...domainReads(caller), ...domainTuningReads(caller) },
    networks: networkReads(caller),
    nwfilters: nwfilterReads(caller),
    storage: storageReads(caller),
    node: nodeReads(caller),
  };
}

function writeGroups(caller: Caller) {
  return {
    domains: { ...domainWrites(caller), ...domainTuningWrites(caller) },
    networks: networkWrites(caller),
    nwfilters: nwfilterWrites(caller),
    storage: storageWrites(caller),
    node: nodeWrites(caller),
  };
}

type ReadGroups = ReturnType<typeof readGroups>;
type WriteGroups = ReturnType<typeof writeGroups>;

interface Lifetime {
  /**
   * Has libvirtd push events of these kinds. Resolves once it does: list after that, and nothing
   * is missed in between. Fails while the connection is down; lives through reconnects.
   */
  subscribe<K extends EventKind>(kinds: readonly K[], listener: Listener<K>): Promise<Unsubscribe>;
  /** Tells when the connection is lost, restored or closed; returns how to stop that. */
  onStateChange(listener: (state: ConnectionState) => void): () => void;
  /** Closes every socket; calls without an answer fail with reason `closed`. */
  close(): void;
}

export type ReadOnlyConnection = Lifetime & ReadGroups;
export type Connection = Lifetime & {
  readonly [K in keyof ReadGroups]: ReadGroups[K] & WriteGroups[K];
};

/**
 * Connects to libvirtd. Rejects with `ConnectionError` (`unreachable`, `permission`, `auth`,
 * `protocol`, `timeout`, `aborted`), or with `LibvirtError` if libvirtd will not open the URI.
 */
export function connect(options: ConnectOptions = {}): Promise<Connection> {
  return openConnection(options, false);
}

/** Connects without the right to change anything, to the socket for that. */
export function connectReadOnly(options: ConnectOptions = {}): Promise<ReadOnlyConnection> {
  return openConnection(options, true);
}

/** A connection that may still be on its way, and what has kept it so far; undefined: it is up. */
export interface EventualConnection {
  readonly connection: Connection;
  readonly failure: ConnectionError | undefined;
}

/**
 * As `connect` with `reconnect`, for a program that outlives libvirtd: where the first attempt
 * fails, the connection is like one that was lost, and `reconnected` is told in the end. Resolves
 * after the first attempt.
 */
export async function connectEventually(options: ConnectOptions = {}): Promise<EventualConnection> {
  const { session, connection } = newConnection({ reconnect: true, ...options }, false);
  return { connection, failure: await session.openEventually() };
}

async function openConnection(options: ConnectOptions, isReadOnly: boolean): Promise<Connection> {
  const { session, connection } = newConnection(options, isReadOnly);
  await session.open();
  return connection;
}

function newConnection(options: ConnectOptions, isReadOnly: boolean) {
  const states = new StateListeners();
  const session: Session = new Session(resolveOptions(options, isReadOnly), {
    onEvent: (procedure, packet) => subscriptions.dispatch(procedure, packet),
    onState: (state) => {
      if (state.kind === 'disconnected') subscriptions.forgetRegistrations();
      states.tell(state);
    },
    restore: (call) => subscriptions.restore(call),
  });
  const caller: Caller = {
    call: (procedure, args, callOptions) => session.call(procedure, args, callOptions),
    openStream: (procedure, args, direction, callOptions) =>
      session.openStream(procedure, args, direction, callOptions),
  };
  const subscriptions = new Subscriptions(caller.call);
  const connection: Connection = {
    ...groups(caller),
    ...lifetime(session, subscriptions, states),
  };
  return { session, connection };
}

function groups(caller: Caller) {
  const reads = readGroups(caller);
  const writes = writeGroups(caller);
  return {
    domains: { ...reads.domains, ...writes.domains },
    networks: { ...reads.networks, ...writes.networks },
    nwfilters: { ...reads.nwfilters, ...writes.nwfilters },
    storage: { ...reads.storage, ...writes.storage },
    node: { ...reads.node, ...writes.node },
  };
}

function lifetime(
  session: Session,
  subscriptions: Subscriptions,
  states: StateListeners,
): Lifetime {
  return {
    subscribe: (kinds, listener) => subscriptions.subscribe(kinds, listener),
    onStateChange: (listener) => states.add(listener),
    close: () => session.close(),
  };
}
