/**
 * The consoles of a partition's running Secondaries, kept in files whether somebody reads or not: each log is
 * one more reader of its console. Whoever takes a console from us (`virsh console --force`) has it until they
 * leave. A Secondary that is gone takes its log with it.
 *
 * Rejected: libvirt's own `<log file>`. Its bound is that of virtlogd, which nobody may have, and then there is
 * none, so that a guest could fill the host's disk; and only guests that are defined anew would have one.
 */
import { explainError } from '../host/host-error.ts';
import type { Observed, ObservedDomain } from '../model/domain.ts';
import { type SecondaryName, secondaryName } from '../model/names.ts';
import { ConsoleLog, type LogFiles, type Part, partsIn } from './console-log.ts';
import type { Consoles } from './consoles.ts';
import type { Timers } from './runtime.ts';

export interface ConsoleLogsOptions {
  readonly files: LogFiles;
  /** Of those of all of its Secondaries. */
  readonly folder: string;
  readonly consoles: Consoles;
  readonly timers: Timers;
  /** Told once for as long as it is so. */
  readonly onFailure: (message: string) => void;
}

interface Kept {
  readonly log: ConsoleLog;
  /** What runs, as of the last look; null: it does not run, or has no console. */
  running: ObservedDomain | null;
  /** Of the run whose console is open or was; null: none was. */
  runId: number | null;
  /** Null: nobody listens to it. */
  stop: (() => void) | null;
}

/** Whoever has taken a console may keep it for long. */
const againMs = 10_000;

export class ConsoleLogs {
  readonly #options: ConsoleLogsOptions;
  readonly #kept = new Map<SecondaryName, Kept>();
  /** By name: what was there at the beginning, until its Secondary is gone. */
  readonly #found: Promise<Map<string, readonly Part[]>>;
  #isClosed = false;
  #isSwept = false;

  constructor(options: ConsoleLogsOptions) {
    const { files, folder, onFailure } = options;
    this.#options = options;
    this.#found = partsIn(files, folder).then(
      (parts) => new Map(parts),
      (error: unknown) => {
        onFailure(explainError(error));
        return new Map();
      },
    );
  }

  /** After each look. */
  follow({ domains, unlisted }: Pick<Observed, 'domains' | 'unlisted'>): void {
    if (this.#isClosed) return;
    for (const [name, seen] of domains) {
      if (seen.status === 'present' && seen.value.owner !== null) this.#see(name, seen.value);
      else if (seen.status === 'absent') this.#forget(name);
    }
    // Of what cannot be listed nobody knows that it is gone.
    if (unlisted !== null) return;
    for (const name of this.#kept.keys()) if (!domains.has(name)) this.#forget(name);
    if (!this.#isSwept) void this.#sweep(domains);
  }

  of(name: SecondaryName): ConsoleLog {
    return this.#of(name).log;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const all = [...this.#kept.values()];
    for (const { stop } of all) stop?.();
    await Promise.all(all.map(({ log }) => log.close()));
  }

  #see(name: SecondaryName, domain: ObservedDomain): void {
    const kept = this.#of(name);
    const hasConsole = domain.power.status === 'running' && domain.live?.serialConsole === true;
    kept.running = hasConsole ? domain : null;
    if (hasConsole && kept.stop === null && kept.runId !== domain.runId) this.#open(kept, domain);
  }

  #open(kept: Kept, domain: ObservedDomain): void {
    const { consoles, timers } = this.#options;
    const { log } = kept;
    kept.runId = domain.runId;
    kept.stop = consoles.read(domain, {
      isQuiet: true,
      onOpen: () => log.begin(domain.runId ?? 0),
      onBytes: (bytes) => log.add(bytes),
      onReplaced: () => undefined,
      onEnd: () => {
        log.end();
        kept.stop = null;
        timers.after(againMs, () => this.#openAgain(kept));
      },
    });
  }

  /** Somebody has taken it, or it could not be had: the run goes on all the same. */
  #openAgain(kept: Kept): void {
    const { running, stop } = kept;
    if (!this.#isClosed && running !== null && stop === null) this.#open(kept, running);
  }

  #of(name: SecondaryName): Kept {
    const { files, folder, onFailure } = this.#options;
    const found = this.#kept.get(name);
    if (found !== undefined) return found;
    const parts = this.#found.then((all) => all.get(name) ?? []);
    const log = new ConsoleLog({ files, folder, name, parts, onFailure });
    const kept: Kept = { log, running: null, runId: null, stop: null };
    this.#kept.set(name, kept);
    return kept;
  }

  #forget(name: SecondaryName): void {
    const kept = this.#kept.get(name);
    if (kept === undefined) return;
    this.#kept.delete(name);
    kept.running = null;
    kept.stop?.();
    kept.log.remove();
    // Another of this name has none of it.
    void this.#found.then((found) => found.delete(name));
  }

  /** Those that went while nobody looked. */
  async #sweep(domains: Observed['domains']): Promise<void> {
    this.#isSwept = true;
    for (const name of (await this.#found).keys()) {
      const secondary = secondaryName(name);
      if (secondary === undefined || domains.has(secondary)) continue;
      this.#of(secondary);
      this.#forget(secondary);
    }
  }
}
