/**
 * The channel to the host's Primaries, over vsock. Who speaks is what the hypervisor says (the CID), which
 * libvirt says whose it is now; a connection belongs to one run of one VM, and ends with it. Each
 * partition has an API of its own, bounds included. Nobody listens while no partition has a channel.
 */
import type { Duplex } from 'node:stream';
import type { Runtime, VmPeer } from '../daemon/runtime.ts';
import type { HostSign, VmRunReader } from '../host/ports.ts';
import type { PartitionName } from '../model/names.ts';
import { isSameRun, type VmRun } from '../model/vm-run.ts';
import type { Emit } from '../report/event.ts';
import { type ApiServer, makeApiServer } from './api-server.ts';
import type { Control } from './control.ts';
import { primaryConnectionRate, primaryLimits } from './limits.ts';
import { RequestRate } from './request-rate.ts';
import { primaryScope } from './scope.ts';
import { Strangers } from './strangers.ts';
import { VmDoor } from './vm-door.ts';
import { WhoRuns } from './who-runs.ts';

export interface PrimaryChannelOptions {
  readonly control: Control;
  readonly runtime: Runtime;
  /** Of vsock. */
  readonly port: number;
  readonly vmRuns: VmRunReader;
  readonly emit: Emit;
  readonly onBug: (error: unknown) => void;
}

/** Only root of a VM can have a port below it (vsock(7)). */
const privilegedPortsEnd = 1024;
/** Of one CID, before it is known whose it is. */
const unknownConnectionsMax = 8;
/** Of one CID: beyond these its API turns away, with an answer that somebody would have to take. */
const { connectionsMax } = primaryLimits;
/** CIDs are the host's to give, so there are as many as VMs; this is against surprises. */
const ratesMax = 4096;

interface Session {
  readonly stream: Duplex;
  readonly run: VmRun;
  readonly partition: PartitionName;
}

export class PrimaryChannel {
  readonly #options: PrimaryChannelOptions;
  readonly #who: WhoRuns;
  readonly #strangers: Strangers;
  readonly #apis = new Map<PartitionName, Promise<ApiServer>>();
  readonly #sessions = new Set<Session>();
  /** How many of each CID wait for its name. */
  readonly #waiting = new Map<number, number>();
  /** By CID, how often it may connect. */
  readonly #rates = new Map<number, RequestRate>();
  readonly #ending = new AbortController();
  readonly #door: VmDoor;
  #users: ReadonlyMap<string, PartitionName> = new Map();

  constructor(options: PrimaryChannelOptions) {
    const { runtime, vmRuns, emit, port, onBug } = options;
    this.#options = options;
    this.#strangers = new Strangers(
      (refusal) => emit({ kind: 'channel-refused', ...refusal }),
      runtime.clock,
    );
    this.#door = new VmDoor({
      runtime,
      port,
      onConnection: (stream, peer) => this.#take(stream, peer),
      onOpen: () => emit({ kind: 'channel-open', port }),
      onUnavailable: (message) => emit({ kind: 'channel-unavailable', message }),
      onBug,
    });
    this.#who = new WhoRuns({
      candidates: () => [...this.#users.keys()],
      read: (names, signal) => vmRuns.of(names, signal),
      timers: runtime.timers,
      clock: runtime.clock,
    });
  }

  /** These Primaries may speak, each for its partition, and no others any more. */
  admit(users: ReadonlyMap<string, PartitionName>): void {
    this.#users = users;
    const partitions = new Set(users.values());
    for (const session of this.#sessions) {
      if (users.get(session.run.domainName) !== session.partition) session.stream.destroy();
    }
    for (const [partition, api] of this.#apis) {
      if (partitions.has(partition)) continue;
      this.#apis.delete(partition);
      this.#closeSoon(api);
    }
    if (users.size > 0) this.#door.open();
    else void this.#door.shut();
  }

  #closeSoon(api: Promise<ApiServer>): void {
    void api.then((each) => each.close()).catch((error: unknown) => this.#options.onBug(error));
  }

  /** Whoever does not run any more, or runs anew, has no connection left. */
  onSign(sign: HostSign): void {
    const concerned =
      sign.kind === 'back' || (sign.kind === 'domain' && this.#users.has(sign.domainName));
    if (concerned && this.#sessions.size > 0) void this.#checkSessions();
  }

  async close(): Promise<void> {
    this.#ending.abort();
    this.#who.close();
    await this.#door.shut();
    const apis = await Promise.all(this.#apis.values());
    await Promise.all(apis.map((api) => api.close()));
    for (const { stream } of this.#sessions) stream.destroy();
  }

  async #take(stream: Duplex, peer: VmPeer): Promise<void> {
    const session = await this.#sessionOf(stream, peer);
    if (session === null) {
      stream.destroy();
      return;
    }
    const { partition, run } = session;
    const api = await this.#apiOf(partition);
    // Whatever has become of it meanwhile is known by now.
    const isOver = stream.destroyed || this.#ending.signal.aborted;
    if (isOver || this.#users.get(run.domainName) !== partition) {
      stream.destroy();
      return;
    }
    this.#sessions.add(session);
    stream.once('close', () => this.#sessions.delete(session));
    const party = `the Primary of ${partition}`;
    api.take(stream, { words: `Primary ${run.domainName}, CID ${run.cid}`, party });
  }

  /** Null: nobody who may speak. Not a byte was read then. */
  async #sessionOf(stream: Duplex, peer: VmPeer): Promise<Session | null> {
    const { cid, port, isAlive } = peer;
    if (this.#ending.signal.aborted) return null;
    if (port >= privilegedPortsEnd) return this.#refuse(cid, 'UnprivilegedPort');
    const recent = this.#strangers.recently(cid);
    if (recent !== null) return this.#refuse(cid, recent);
    const waiting = this.#waiting.get(cid) ?? 0;
    const isTooMuch =
      waiting >= unknownConnectionsMax || this.#connectionsOf(cid) >= connectionsMax;
    if (isTooMuch || !this.#rateOf(cid).take()) return this.#refuse(cid, 'TooMany');
    this.#waiting.set(cid, waiting + 1);
    try {
      const { runs, unread } = await this.#who.ask();
      const run = runs.find((each) => each.cid === cid);
      const partition = run && this.#users.get(run.domainName);
      if (partition === undefined) {
        return this.#refuse(cid, unread.length === 0 ? 'UnknownCid' : 'HostUnknown');
      }
      // Or the VM that has connected is gone, and what has its CID by now is another one.
      return isAlive() ? { stream, run: run as VmRun, partition } : null;
    } catch {
      return this.#refuse(cid, 'HostUnknown');
    } finally {
      this.#doneWaiting(cid);
    }
  }

  #connectionsOf(cid: number): number {
    return [...this.#sessions].filter(({ run }) => run.cid === cid).length;
  }

  #rateOf(cid: number): RequestRate {
    const { clock } = this.#options.runtime;
    if (this.#rates.size > ratesMax) this.#rates.clear();
    const rate = this.#rates.get(cid) ?? new RequestRate(primaryConnectionRate, clock);
    this.#rates.set(cid, rate);
    return rate;
  }

  #doneWaiting(cid: number): void {
    const left = (this.#waiting.get(cid) ?? 1) - 1;
    if (left > 0) this.#waiting.set(cid, left);
    else this.#waiting.delete(cid);
  }

  #refuse(cid: number, reason: Parameters<Strangers['note']>[1]): null {
    this.#strangers.note(cid, reason);
    return null;
  }

  #apiOf(partition: PartitionName): Promise<ApiServer> {
    const { control, runtime, onBug } = this.#options;
    const scope = primaryScope(partition);
    const before = this.#apis.get(partition);
    if (before !== undefined) return before;
    const api = makeApiServer({ control, runtime, scope, limits: primaryLimits, onBug });
    this.#apis.set(partition, api);
    api.catch(() => this.#apis.delete(partition));
    return api;
  }

  /** Where the host cannot be read, nothing is concluded. */
  async #checkSessions(): Promise<void> {
    const sessions = [...this.#sessions];
    const seen = await this.#who.ask().catch(() => null);
    if (seen === null) return;
    const { runs, unread } = seen;
    for (const { stream, run } of sessions) {
      if (unread.includes(run.domainName)) continue;
      if (!runs.some((each) => isSameRun(each, run))) stream.destroy();
    }
  }
}
