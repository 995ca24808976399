/**
 * What is said of a partition: its status, kept up with what was seen and done last. Whatever was
 * not seen is not said to be so.
 */
import type { Observed } from '../model/domain.ts';
import type { PartitionName } from '../model/names.ts';
import { resourceKey } from '../model/resource.ts';
import type { Emit } from '../report/event.ts';
import { instantOf } from '../report/instant.ts';
import { type FailureFacts, type Look, partitionReport } from '../report/partition-report.ts';
import type { PartitionStatus, PassReport } from '../report/partition-status.ts';
import { unlistedKept } from '../report/unlisted.ts';
import { conditionEvents } from './happenings.ts';
import type { Clock } from './runtime.ts';
import {
  drainStatements,
  fitStatements,
  gaveUpStatements,
  hostStatement,
  pauseStatements,
} from './statements.ts';
import type { TurnInput } from './turn-input.ts';

export interface PartitionSaidOptions {
  readonly partition: PartitionName;
  readonly clock: Clock;
  readonly onStatus: (status: PartitionStatus) => void;
  /** The host has all that the documents of this generation ask for. */
  readonly onSynced: (generation: number) => void;
  readonly emit: Emit;
  /** What has failed, by `resourceKey`. */
  readonly failures: () => ReadonlyMap<string, FailureFacts>;
}

const nothingDescribed = {
  share: 'unspoken',
  primary: 'unspoken',
  network: 'unspoken',
} as const;

export class PartitionSaid {
  readonly #options: PartitionSaidOptions;
  #status: PartitionStatus | null = null;
  #lastPass: PassReport | null = null;
  #look: Look | null = null;
  /** Looks in a row that found no host. */
  #unreachable = 0;
  /** What could not be listed, or be seen, and since which look it is just that. */
  #unseen: { readonly what: string; readonly sinceMs: number } | null = null;

  constructor(options: PartitionSaidOptions) {
    this.#options = options;
  }

  /** Null: nothing was said yet. */
  get status(): PartitionStatus | null {
    return this.#status;
  }

  /** As of the last look. */
  get observed(): Observed | null {
    return this.#look?.observed ?? null;
  }

  /** Whether somebody waits for a file of the store. */
  get filesMissing(): boolean {
    const entries = this.#look?.entries ?? [];
    return entries.some((entry) => entry.kind === 'blocked' && entry.block.code === 'FileMissing');
  }

  /** For how long something could not be listed, or be seen; null: all is. */
  get unseenForMs(): number | null {
    return this.#unseen === null ? null : this.#options.clock.now() - this.#unseen.sinceMs;
  }

  #follow(what: string | null): void {
    if (what === null) this.#unseen = null;
    else if (this.#unseen?.what !== what)
      this.#unseen = { what, sinceMs: this.#options.clock.now() };
  }

  /** Null: all is seen, or nothing of the host. */
  #unseenNow({ observed, entries }: Look): string | null {
    if (observed.unlisted !== null) return null;
    const unseen = entries.flatMap((entry) =>
      entry.kind === 'blocked' && entry.block.code === 'HostUnknown'
        ? [resourceKey(entry.resource)]
        : [],
    );
    const unlisted = unlistedKept(observed);
    const all = unlisted === null ? unseen : [unlisted, ...unseen];
    return all.length === 0 ? null : all.join('\n');
  }

  get unreachable(): number {
    return this.#unreachable;
  }

  looked(look: Look): void {
    this.#unreachable = look.observed.unlisted === null ? 0 : this.#unreachable + 1;
    this.#look = look;
    this.#follow(this.#unseenNow(look));
  }

  /** What was seen last need not be so any more. */
  lookedAway(): void {
    this.#look = null;
  }

  passed(report: PassReport): void {
    this.#lastPass = report;
  }

  /** @param nextTryInMs null: nothing is to be tried again */
  say(input: TurnInput, nextTryInMs: number | null): void {
    this.#tell(this.report(input, nextTryInMs === null ? null : this.#at(nextTryInMs)));
  }

  /** After another word of somebody's, without another look. */
  sayAnew(input: TurnInput): void {
    this.#tell(this.report(input, this.#status?.nextTryAt ?? null));
  }

  /** @param nextTryAt ISO 8601, UTC */
  report(input: TurnInput, nextTryAt: string | null): PartitionStatus {
    const { generation, digest } = input;
    const failures = this.#options.failures();
    const facts = {
      partition: this.#options.partition,
      generation,
      digest,
      described: input.desired ?? nothingDescribed,
      look: this.#look,
      failures,
      statements: [
        ...input.statements,
        hostStatement(this.#unreachable, this.observed),
        ...pauseStatements(input.holdAll),
        ...fitStatements(input.unfit),
        ...drainStatements(input.drain, this.#look),
        ...gaveUpStatements(failures),
      ],
      lastPass: this.#lastPass,
      nextTryAt,
    };
    return partitionReport(facts, this.#status, this.#at());
  }

  #tell(status: PartitionStatus): void {
    const { emit, onStatus, onSynced } = this.#options;
    for (const event of conditionEvents(this.#status, status)) emit(event);
    this.#status = status;
    onStatus(status);
    if (status.sync === 'Synced') onSynced(status.observedGeneration);
  }

  #at(laterMs = 0): string {
    return instantOf(this.#options.clock.wall() + laterMs);
  }
}
