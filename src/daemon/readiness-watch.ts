/**
 * Finds out which guests of a partition are ready, beside its passes: some start in the middle of one, and
 * wait for each other there. What is found is written down with that run of the guest and nowhere else, so
 * that the next look, a daemon that starts anew and the CLI see the same. Who is ready once is left alone.
 */
import type { Host } from '../host/ports.ts';
import type { DomainRef, Observed, ObservedDomain } from '../model/domain.ts';
import { domainName, type Owner, sameOwner, secondaryUuid } from '../model/identity.ts';
import type { SecondaryName } from '../model/names.ts';
import { fieldsOfNetwork, gatewayOf } from '../model/network.ts';
import { canPass, checkOf, portOf } from '../model/readiness.ts';
import type { DesiredState } from '../model/secondary.ts';
import type { VmRun } from '../model/vm-run.ts';
import { cidOf } from '../model/vsock.ts';
import type { Plan } from '../plan/plan.ts';
import type { Runtime } from './runtime.ts';

export interface ReadinessWatchOptions {
  readonly host: Pick<Host, 'domains'>;
  readonly runtime: Pick<Runtime, 'clock' | 'timers' | 'sockets'>;
}

/** From one try to the next: at first, and of who takes long. */
const gapMs = 1000;
const longGapMs = 5000;
const patienceMs = 60_000;
/** Of one try. */
const tryMs = 2000;
const triesAtOnceMax = 8;

interface Awaited {
  readonly ref: DomainRef;
  readonly owner: Owner;
  readonly check: string;
  /** Where it is, and where the host is; null: it has no address. */
  readonly place: { readonly address: string; readonly gateway: string } | null;
}

interface Looked {
  readonly observed: Observed;
  readonly plan: Plan;
}

export class ReadinessWatch {
  readonly #options: ReadinessWatchOptions;
  readonly #end = new AbortController();
  /** Who runs or is about to, and is not known to be ready. */
  #awaited: readonly Awaited[] = [];
  /** By vsock address: who may say by vsock that it is ready. */
  #heartbeats: ReadonlyMap<number, Awaited> = new Map();
  #sinceMs = 0;
  #cancelTimer: () => void = () => undefined;
  #isTrying = false;

  constructor(options: ReadinessWatchOptions) {
    this.#options = options;
  }

  /** Of which domains a heartbeat is heard, by their vsock address. */
  get heartbeats(): ReadonlyMap<number, DomainRef> {
    return new Map([...this.#heartbeats].map(([cid, { ref }]) => [cid, ref]));
  }

  /** What a look has seen, and a plan is about to do. */
  follow({ secondaries }: DesiredState, looked: Looked): void {
    const all = [...secondaries.values()].flatMap((secondary) => {
      const check = checkOf(secondary);
      return check === null ? [] : [awaited(secondary.name, check, looked.observed, looked.plan)];
    });
    const heard = all.filter(({ check }) => check === 'Heartbeat');
    this.#heartbeats = new Map(heard.map((each) => [cidOf(each.ref.uuid), each]));
    const before = keysOf(this.#awaited);
    this.#awaited = all.filter(
      (each) => each.check !== 'Heartbeat' && isAwaited(each, looked.observed, looked.plan),
    );
    if (keysOf(this.#awaited) !== before) this.#sinceMs = this.#options.runtime.clock.now();
    this.#tryLater(0);
  }

  /** @returns whether it is written down that this run of a guest has said so */
  async heard({ cid, uuid, runId }: VmRun): Promise<boolean> {
    const { domains } = this.#options.host;
    const awaits = this.#heartbeats.get(cid);
    if (awaits?.ref.uuid !== uuid) return false;
    const look = async () => {
      const [seen] = await this.#read([awaits]);
      return seen?.domain.runId === runId ? seen : null;
    };
    const before = await look();
    if (before === null || !canPass(awaits.check, before.domain)) return false;
    if (before.domain.foundReady === awaits.check) return true;
    await domains.noteReady(awaits.ref, { runId, check: awaits.check }, this.#end.signal);
    return (await look())?.domain.foundReady === awaits.check;
  }

  close(): void {
    this.#end.abort();
    this.#cancelTimer();
  }

  #tryLater(afterMs: number): void {
    if (this.#end.signal.aborted || this.#isTrying) return;
    this.#cancelTimer();
    if (this.#awaited.length === 0) return;
    this.#cancelTimer = this.#options.runtime.timers.after(afterMs, () => void this.#try());
  }

  async #try(): Promise<void> {
    this.#isTrying = true;
    try {
      await this.#tryAll();
    } catch {
      // The host does not answer: its passes say so.
    }
    this.#isTrying = false;
    const { clock } = this.#options.runtime;
    this.#tryLater(clock.now() - this.#sinceMs < patienceMs ? gapMs : longGapMs);
  }

  async #tryAll(): Promise<void> {
    const seen = await this.#read(this.#awaited);
    const left = seen.filter(({ awaits, domain }) => domain.foundReady !== awaits.check);
    for (let at = 0; at < left.length; at += triesAtOnceMax) {
      const some = left.slice(at, at + triesAtOnceMax);
      await Promise.all(some.map((each) => this.#tryOne(each)));
    }
  }

  async #tryOne({ awaits, domain }: Seen): Promise<void> {
    const { runId } = domain;
    const { check, ref } = awaits;
    if (runId === null || !canPass(check, domain) || this.#end.signal.aborted) return;
    if (!(await this.#passes(awaits, domain))) return;
    await this.#options.host.domains.noteReady(ref, { runId, check }, this.#end.signal);
  }

  async #passes({ check, place, ref }: Awaited, { agent }: ObservedDomain): Promise<boolean> {
    const { host, runtime } = this.#options;
    const late = new AbortController();
    const stop = runtime.timers.after(tryMs, () => late.abort());
    const signal = AbortSignal.any([this.#end.signal, late.signal]);
    try {
      if (check === 'GuestAgent') {
        if (agent !== 'connected') return false;
        await host.domains.askAgent(ref, signal);
        return true;
      }
      const port = portOf(check);
      if (port === null || place === null) return false;
      const { address, gateway } = place;
      return await runtime.sockets.takesConnections({ address, port }, gateway, signal);
    } catch {
      return false;
    } finally {
      stop();
    }
  }

  /** Those that run, and are ours. */
  async #read(all: readonly Awaited[]): Promise<readonly Seen[]> {
    const refs = all.map(({ ref }) => ref);
    const seen = await this.#options.host.domains.read(refs, this.#end.signal);
    return all.flatMap((awaits, index): Seen[] => {
      const one = seen[index];
      if (one?.status !== 'present') return [];
      const { owner, power } = one.value;
      const isOurs = owner !== null && sameOwner(owner, awaits.owner);
      return isOurs && power.status === 'running' ? [{ awaits, domain: one.value }] : [];
    });
  }
}

interface Seen {
  readonly awaits: Awaited;
  readonly domain: ObservedDomain;
}

function awaited(name: SecondaryName, check: string, observed: Observed, plan: Plan): Awaited {
  const { installation, partition } = observed;
  const owner = { installation, partition, secondary: name };
  const ref = { uuid: secondaryUuid(owner), domainName: domainName(partition, name) };
  return { ref, owner, check, place: placeOf(name, observed, plan) };
}

/** As it is reserved, or about to be. */
function placeOf(name: SecondaryName, { network }: Observed, plan: Plan): Awaited['place'] {
  let address: string | null = null;
  let cidr: string | null = null;
  if (network.status === 'present') {
    address = network.value.reservations.get(name)?.address ?? null;
    cidr = fieldsOfNetwork(network.value)?.cidr ?? null;
  }
  for (const operation of plan.operations) {
    if (operation.kind === 'network.define') cidr = operation.definition.fields.cidr;
    if (operation.kind === 'network.reserve' && operation.secondary === name) {
      address = operation.reservation.address;
    }
  }
  return address === null || cidr === null ? null : { address, gateway: gatewayOf(cidr) };
}

function isAwaited(
  { owner, check }: Awaited,
  { domains }: Observed,
  { operations }: Plan,
): boolean {
  const isStarted = operations.some(
    ({ kind, resource }) =>
      (kind === 'domain.start' || kind === 'domain.resume') && resource?.name === owner.secondary,
  );
  if (isStarted) return true;
  const seen = domains.get(owner.secondary);
  return (
    seen?.status === 'present' &&
    seen.value.power.status === 'running' &&
    seen.value.foundReady !== check
  );
}

function keysOf(all: readonly Awaited[]): string {
  return all.map(({ ref, check }) => `${ref.uuid} ${check}`).join(',');
}
