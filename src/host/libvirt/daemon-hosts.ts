/**
 * One connection to libvirtd for a whole daemon, made again whenever it is lost, and its events as
 * signs. It need not be there when the daemon starts. `back` is only said once events come again,
 * so that whoever reads the host then misses nothing.
 */
import {
  type Connection,
  connectEventually,
  type ConnectionState,
  type OnCall,
  type Timers,
} from '../../libvirt/index.ts';
import { systemTimers } from '../../libvirt/timers.ts';
import type { PartitionName } from '../../model/names.ts';
import type { ThinPool } from '../../model/thin-pool.ts';
import { explainError } from '../host-error.ts';
import type { DaemonHosts, DomainLister, Host, HostSign, VmRunReader } from '../ports.ts';
import { SignListeners } from '../sign-listeners.ts';
import { domainLister } from './domain-reader.ts';
import { definitionFolders, watchDefinitions } from './definition-files.ts';
import { hostOn } from './open.ts';
import { type SignEvent, signFrom, signKinds } from './signs.ts';
import { vmRunReader } from './vm-runs.ts';

export interface LibvirtHostsTarget {
  readonly uri: string;
  readonly stateDir: string;
  /** Where new Volumes are put; null, or not said: into files. */
  readonly thinPool?: ThinPool | null;
  /** Default: the machine's. */
  readonly timers?: Timers;
  /** Told of every call that has ended. */
  readonly onCall?: OnCall;
}

/** Resolves after the first attempt to connect, whatever came of it. @param signal ends it all */
export async function openLibvirtHosts(
  { uri, stateDir, thinPool = null, timers = systemTimers, onCall }: LibvirtHostsTarget,
  signal: AbortSignal,
): Promise<DaemonHosts> {
  const { connection, failure } = await connectEventually({ uri, signal, timers, onCall });
  const hosts = new LibvirtHosts(connection, { stateDir, thinPool }, timers);
  const end = () => void hosts.close();
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  if (failure === undefined) await hosts.listen();
  else hosts.lose(failure);
  return hosts;
}

/** Before listening is tried again on a connection that is up. */
const listenAgainMs = 1000;

type Store = Required<Pick<LibvirtHostsTarget, 'stateDir' | 'thinPool'>>;

class LibvirtHosts implements DaemonHosts {
  readonly domains: DomainLister;
  readonly vmRuns: VmRunReader;
  readonly #connection: Connection;
  readonly #store: Store;
  readonly #timers: Timers;
  readonly #listeners = new SignListeners();
  readonly #hosts = new Map<PartitionName, Host>();
  #unwatch: () => void;
  #listening: 'no' | 'asked' | 'yes' = 'no';
  #timer: unknown;

  constructor(connection: Connection, store: Store, timers: Timers) {
    this.#connection = connection;
    this.domains = domainLister(connection);
    this.vmRuns = vmRunReader(connection);
    this.#store = store;
    this.#timers = timers;
    connection.onStateChange((state) => this.#onState(state));
    this.#unwatch = this.#watchFiles();
  }

  host(partition: PartitionName): Host {
    const host =
      this.#hosts.get(partition) ?? hostOn(this.#connection, { ...this.#store, partition });
    this.#hosts.set(partition, host);
    return host;
  }

  onSign(listener: (sign: HostSign) => void): () => void {
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    this.#listeners.end();
    this.#unwatch();
    this.#timers.clearTimeout(this.#timer);
    this.#connection.close();
  }

  lose(error: unknown): void {
    this.#listeners.tell({ kind: 'lost', message: explainError(error) });
  }

  /** Asked for once: the connection asks again by itself whenever it has been made again. */
  async listen(): Promise<void> {
    if (this.#listening !== 'no') return;
    this.#listening = 'asked';
    try {
      await this.#connection.subscribe(signKinds, (event) => this.#onEvent(event));
      this.#listening = 'yes';
      this.#listeners.tell({ kind: 'back' });
    } catch (error) {
      this.#listening = 'no';
      if (this.#listeners.isEnded) return;
      this.lose(error);
      this.#timer = this.#timers.setTimeout(() => void this.listen(), listenAgainMs);
    }
  }

  #watchFiles(): () => void {
    const tell = (domainName: string) => this.#listeners.tell({ kind: 'domain-file', domainName });
    return watchDefinitions(definitionFolders, tell, this.#timers);
  }

  #onEvent(event: SignEvent): void {
    const sign = signFrom(event);
    if (sign !== null) this.#listeners.tell(sign);
  }

  #onState(state: ConnectionState): void {
    switch (state.kind) {
      case 'disconnected':
        return this.lose(state.error);
      case 'reconnected':
        // A libvirtd that was started anew may have made its folders anew.
        this.#unwatch();
        this.#unwatch = this.#watchFiles();
        if (this.#listening === 'yes') this.#listeners.tell({ kind: 'back' });
        else void this.listen();
        return;
      case 'closed':
        return;
    }
  }
}
