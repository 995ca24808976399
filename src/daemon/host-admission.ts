/**
 * Who of the partitions is let in: whose share the host has room for beside those of the others
 * (`partition/host-fit.ts` says how that is decided). It is judged anew whenever a description comes,
 * goes or changes, when the host is back or may have changed, and when somebody has given back what
 * others wait for. Whoever is not let in is held as a whole, as by a pause.
 *
 * A promise is written down before anything is done upon it. Whoever asks for nothing that somebody
 * else could have is let in without being judged, and so without waiting for anything.
 */
import type { PlainDocument } from '../documents/plain-document.ts';
import { cpusBeside } from '../model/cpu-set.ts';
import type { Block } from '../diff/change.ts';
import { explainError } from '../host/host-error.ts';
import type { HostSize } from '../model/domain.ts';
import type { DesiredState } from '../model/secondary.ts';
import { byName, type PartitionName } from '../model/names.ts';
import { type Observation, unknown } from '../model/observation.ts';
import {
  type Claim,
  covers,
  type Held,
  isNothing,
  isSameClaim,
  noClaim,
} from '../partition/claim.ts';
import type { Conflict } from '../partition/host-conflict.ts';
import { type Claims, hostFit } from '../partition/host-fit.ts';
import type { HostRules } from '../partition/host-room.ts';
import { type HostSum, hostSum } from '../report/host-sum.ts';
import { readPromises, writePromises } from './accepted/promises.ts';
import { type Claimed, claimedBy } from './claims.ts';
import { fitBlock, type HostProblem, hostProblems, unjudged } from './host-words.ts';
import { type HostLook, type HostLookTools, lookAtHost } from './host-look.ts';
import type { Runtime } from './runtime.ts';

export interface HostAdmissionOptions extends HostLookTools {
  readonly runtime: Runtime;
  readonly hostRules: HostRules;
  readonly resyncMs: number;
  /** What a partition's guests have by now; null: not known. */
  readonly heldBy: (partition: PartitionName) => Held | null;
  /** Whether it is let in, or why it is not, is another word now. */
  readonly onStanding: (partition: PartitionName) => void;
  /** What the operator has to mend, all of it. */
  readonly onProblems: (problems: readonly HostProblem[]) => void;
}

interface Waiting {
  /** The one that was judged. */
  readonly claim: Claim;
  readonly conflicts: readonly Conflict[];
}

/** What could not be read or written is tried again. */
const againMs = 5000;
/** What is seen of a partition its guests decide, so it waits: they are not to decide what this costs. */
const lessMs = 1000;

export class HostAdmission {
  readonly #options: HostAdmissionOptions;
  readonly #closing = new AbortController();
  #claimed: ReadonlyMap<PartitionName, Claimed> = new Map();
  #files: ReadonlyMap<PartitionName, string> = new Map();
  /** Null: not read back yet. */
  #promised: Claims | null = null;
  #waiting: ReadonlyMap<PartitionName, Waiting> = new Map();
  #host: Observation<HostSize> = unknown('nobody has looked yet');
  /** Why promises could not be read, or written; null: they could. */
  #unwritten: string | null = null;
  #lost: string | null = null;
  /** By name: the last word, so that only another one is told. */
  readonly #told = new Map<PartitionName, string>();
  #judging: Promise<void> | null = null;
  #isToJudge = false;
  /** It will be, as somebody may have given something back. */
  #isSoon = false;
  #cancelTimer: () => void = () => undefined;

  constructor(options: HostAdmissionOptions) {
    this.#options = options;
  }

  /** These, and no others. */
  describe(descriptions: ReadonlyMap<PartitionName, PlainDocument>): void {
    const before = this.#claimed;
    const all = [...descriptions].map(
      ([name, description]) => [name, claimedBy(description, before.get(name))] as const,
    );
    this.#claimed = new Map(all);
    this.#files = new Map([...descriptions].map(([name, { file }]) => [name, file]));
    for (const name of this.#told.keys()) if (!descriptions.has(name)) this.#told.delete(name);
    if (isDifferent(before, this.#claimed)) this.review();
    this.#tell();
  }

  /** Null: it is let in. */
  standing(name: PartitionName): Block | null {
    const { claim } = this.#claimed.get(name) ?? { claim: noClaim };
    if (isNothing(claim) || covers(this.#promised?.get(name) ?? noClaim, claim)) return null;
    const waiting = this.#waiting.get(name);
    if (waiting !== undefined && isSameClaim(waiting.claim, claim)) {
      return fitBlock(waiting.conflicts);
    }
    return unjudged(this.#unwritten);
  }

  /** False only until it was looked into for the first time. */
  isJudged(name: PartitionName): boolean {
    const standing = this.standing(name);
    return standing === null || standing.message !== unjudged(null).message;
  }

  /** What is left for those who have none of their own; as `DesiredState` says it. */
  get commonCpus(): DesiredState['commonCpus'] {
    const sets = [...(this.#promised ?? [])].flatMap(([, { cpuset }]) => cpuset ?? []);
    if (this.#promised === null) return 'unspoken';
    if (sets.length === 0) return { cpuset: null };
    const host = this.#host;
    if (host.status !== 'present') return 'unspoken';
    // Nobody without any was let in who could run: where none is left, there is nothing to say.
    const cpuset = cpusBeside(host.value.cpus, sets);
    return cpuset === '' ? 'unspoken' : { cpuset };
  }

  get sum(): HostSum {
    const names = [...this.#claimed.keys()].sort(byName);
    return hostSum(this.#promised ?? new Map(), this.#host, this.#options.hostRules, {
      unlimited: names.filter((name) => this.#claimed.get(name)?.isLimited === false),
      waiting: names.filter((name) => this.standing(name) !== null),
    });
  }

  /** The host, or what is on it, may be another. */
  review(): void {
    this.#isToJudge = true;
    this.#isSoon = false;
    if (this.#judging !== null || this.#closing.signal.aborted) return;
    if (!this.#isOfUse) return this.#rest();
    this.#judging = this.#judge().finally(() => {
      this.#judging = null;
      // What came after the last look, and before this was known to be over.
      if (this.#isToJudge) this.review();
    });
  }

  /** Nobody asks for anything, so that there is nothing to say either. */
  #rest(): void {
    this.#isToJudge = false;
    this.#cancelTimer();
    this.#waiting = new Map();
    this.#options.onProblems(this.#problems());
  }

  /** Something has been seen of a partition: it may use less than it was promised. */
  reviewIfLess(): void {
    const gives = [...(this.#promised ?? [])].some(([name, promise]) => {
      const claim = this.#claimed.get(name)?.claim;
      return claim === undefined || !isSameClaim(claim, promise);
    });
    if (!gives || this.#isSoon) return;
    this.#isSoon = true;
    this.#cancelTimer();
    this.#cancelTimer = this.#options.runtime.timers.after(lessMs, () => this.review());
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#cancelTimer();
    await this.#judging;
  }

  /** Where nobody asks for anything the host is not asked either. */
  get #isOfUse(): boolean {
    const asks = [...this.#claimed.values()].some(({ claim }) => !isNothing(claim));
    return asks || (this.#promised?.size ?? 0) > 0;
  }

  async #judge(): Promise<void> {
    this.#cancelTimer();
    this.#isSoon = false;
    let isUnsure = false;
    while (this.#isToJudge && !this.#closing.signal.aborted) {
      this.#isToJudge = false;
      isUnsure = await this.#once().catch((error: unknown) => this.#failed(error));
      if (this.#closing.signal.aborted) return;
      this.#tell();
      this.#options.onProblems(this.#problems());
    }
    if (this.#isSoon) return;
    const { runtime, resyncMs } = this.#options;
    const afterMs = isUnsure ? Math.min(againMs, resyncMs) : resyncMs;
    this.#cancelTimer = runtime.timers.after(afterMs, () => this.review());
  }

  /** A mistake of ours: nobody gets anything more by it, and nobody loses anything. */
  #failed(error: unknown): true {
    this.#unwritten = explainError(error);
    return true;
  }

  /** @returns whether it is worth trying again soon */
  async #once(): Promise<boolean> {
    const before = await this.#readPromised();
    if (before === null) return true;
    const claimed = this.#claimed;
    const asking = [...claimed.keys()].filter((name) => !before.has(name));
    const look = await lookAtHost(this.#options, asking, this.#closing.signal);
    // Who was described meanwhile was not asked about.
    if (this.#claimed !== claimed || this.#closing.signal.aborted) {
      this.#isToJudge = true;
      return false;
    }
    const wanted = new Map([...claimed].map(([name, { claim }]) => [name, claim]));
    const { promised, waiting } = hostFit({ ...this.#factsOf(look, wanted, before), wanted });
    this.#host = look.host;
    const isWritten = await this.#write(before, promised);
    this.#waiting = new Map(
      [...waiting].map(([name, conflicts]) => [
        name,
        { claim: wanted.get(name) ?? noClaim, conflicts },
      ]),
    );
    return !isWritten || look.host.status !== 'present' || look.addresses.status !== 'present';
  }

  #factsOf({ host, addresses, onHost, accepted }: HostLook, wanted: Claims, promised: Claims) {
    const { hostRules: rules, heldBy } = this.#options;
    const isThere = (name: PartitionName) => onHost.status !== 'present' || onHost.value.has(name);
    const names = [...promised.keys()];
    const guests = onHost.status === 'present' ? onHost.value : [];
    return {
      promised,
      rules,
      host,
      addresses,
      held: new Map(names.map((name) => [name, isThere(name) ? heldBy(name) : nothingHeld])),
      leftBehind: new Set(names.filter((name) => !wanted.has(name) && isThere(name))),
      seniors: new Set([...accepted, ...guests]),
    };
  }

  async #readPromised(): Promise<Claims | null> {
    if (this.#promised !== null) return this.#promised;
    const { runtime, stateDir } = this.#options;
    try {
      const { promises, problem } = await readPromises(runtime.files, stateDir);
      this.#promised = promises;
      this.#lost = problem;
      this.#unwritten = null;
    } catch (error) {
      this.#unwritten = explainError(error);
    }
    return this.#promised;
  }

  async #write(before: Claims, promised: Claims): Promise<boolean> {
    if (isSame(before, promised)) {
      this.#promised = promised;
      this.#unwritten = null;
      return true;
    }
    const { runtime, stateDir } = this.#options;
    // Whoever wants back what is being given to others has to ask for it.
    this.#promised = inBoth(before, promised);
    this.#unwritten = await writePromises(runtime.files, stateDir, promised);
    this.#promised = this.#unwritten === null ? promised : before;
    if (this.#unwritten !== null) return false;
    this.#lost = null;
    return true;
  }

  #problems(): readonly HostProblem[] {
    const waiting = [...this.#waiting]
      .filter(([name]) => this.#claimed.has(name))
      .map(([name, { conflicts }]) => ({ file: this.#files.get(name) ?? name, conflicts }));
    return hostProblems(waiting, this.sum, [this.#unwritten, this.#lost]);
  }

  #tell(): void {
    const { commonCpus } = this;
    for (const name of this.#claimed.keys()) {
      const { cpuset } = this.#claimed.get(name)?.claim ?? noClaim;
      const cpus = cpuset ?? commonCpus;
      const word = JSON.stringify([this.standing(name), cpus]);
      const before = this.#told.get(name);
      this.#told.set(name, word);
      // Whoever is described for the first time asks by itself.
      if (before !== undefined && before !== word) this.#options.onStanding(name);
    }
  }
}

/** What holds while it is being written: what grows and who is new, not before it is written. */
function inBoth(before: Claims, after: Claims): Claims {
  return new Map(
    [...after].flatMap(([name, claim]) => {
      const had = before.get(name);
      if (had === undefined) return [];
      return [[name, covers(had, claim) ? claim : had] as const];
    }),
  );
}

const nothingHeld: Held = { vcpus: 0, memoryBytes: 0 };

function isDifferent(
  a: ReadonlyMap<PartitionName, Claimed>,
  b: ReadonlyMap<PartitionName, Claimed>,
): boolean {
  const claims = (all: ReadonlyMap<PartitionName, Claimed>) =>
    new Map([...all].map(([name, { claim }]) => [name, claim]));
  return !isSame(claims(a), claims(b));
}

function isSame(a: Claims, b: Claims): boolean {
  return (
    a.size === b.size &&
    [...a].every(([name, claim]) => {
      const other = b.get(name);
      return other !== undefined && isSameClaim(claim, other);
    })
  );
}
