/** What may be asked of the daemon, answered by the partition that it is about. */
import type {
  Answer,
  Control,
  OrderKey,
  PlannedFiles,
  PlanResult,
  PowerAction,
  SubmittedFiles,
} from '../channel/control.ts';
import type { PartitionName, SecondaryName } from '../model/names.ts';
import type { EventRecord } from '../report/event.ts';
import type { PartitionStatus } from '../report/partition-status.ts';
import type { SubmissionResult } from '../report/submission.ts';
import { instantOf } from '../report/instant.ts';
import type { UsageSample } from '../report/usage-sample.ts';
import type { Authority } from './authority.ts';
import { answered, type Asked, asking, notOpenMessage } from './asking.ts';
import { consoleControl } from './console-control.ts';
import type { KeptPartition } from './kept-partition.ts';
import { imageControl } from './image-control.ts';
import { OnceOnly } from './once-only.ts';
import { refusedName, refusedPower } from './power-rules.ts';
import type { Problems } from './problems.ts';
import type { GivenFiles } from './receive.ts';
import { closedRefusal, refused } from './refusals.ts';
import type { Clock, Timers } from './runtime.ts';
import type { Supervisor } from './supervisor.ts';
import type { AuditLog } from './watching/audit-log.ts';
import type { PartitionMetrics } from './watching/partition-metrics.ts';

export interface ControlOptions {
  readonly version: string;
  /** Of the configuration. */
  readonly places: Pick<Control, 'host' | 'stateDir' | 'thinPool' | 'partitionsDir'>;
  readonly problems: Pick<Problems, 'now'>;
  readonly supervisor: Supervisor;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly events: Pick<Control, 'onEvent'> & {
    readonly lastSeq: number;
    after(seq: number): readonly EventRecord[];
    lostThrough(partition: PartitionName | null): number;
  };
  readonly audit: Pick<AuditLog, 'record' | 'last'>;
  readonly metrics: Pick<PartitionMetrics, 'text'>;
  readonly onStatus: Control['onStatus'];
  /** Ends what waits for a worker. */
  readonly stop: AbortSignal;
}

export function controlOf(options: ControlOptions): Control {
  const { supervisor, events, audit, version, stop } = options;
  const { host, stateDir, thinPool, partitionsDir } = options.places;
  const authorityOf = (name: PartitionName) => supervisor.partition(name)?.authority ?? null;
  return {
    version,
    host,
    stateDir,
    thinPool,
    partitionsDir,
    problems: () =>
      options.problems.now.map(({ file, code, message }) => ({ file, code, message })),
    hostSum: () => supervisor.sum,
    partitions: () => supervisor.statuses,
    status: (name): PartitionStatus | null => supervisor.partition(name)?.status ?? null,
    onStatus: options.onStatus,
    description: (name) => supervisor.partition(name)?.description ?? null,
    accepted: (name) => authorityOf(name)?.accepted ?? null,
    history: (name) => authorityOf(name)?.history ?? null,
    audit: (entry) => audit.record(entry),
    audited: (partition, last) =>
      audit.last(last, (entry) => partition === null || entry.partition === partition),
    events: (after) => events.after(after),
    eventsKept: (partition) => ({
      lostThrough: events.lostThrough(partition),
      newest: events.lastSeq,
    }),
    onEvent: (listener) => events.onEvent(listener),
    usage: (name, secondaries) => usageOf(supervisor.partition(name), secondaries, options.clock),
    metrics: (name) => (supervisor.partition(name) === null ? null : options.metrics.text(name)),
    submit: (name, submitted) =>
      submitting(supervisor.partition(name), (authority) =>
        authority.submit(givenBy(submitted), stop),
      ),
    rollback: (name, rollback, submitter) =>
      submitting(supervisor.partition(name), (authority) =>
        authority.rollback(rollback, submitter),
      ),
    plan: (name, files) => planning(supervisor.partition(name), files, stop),
    ...consoleControl(supervisor),
    agent: (name) => authorityOf(name)?.agent ?? null,
    attachAgent: (name, who) => authorityOf(name)?.attachAgent(who) ?? null,
    ...imageControl(options),
    ...wishing(options),
  };
}

/** Of what could not be opened yet nothing is known. */
async function usageOf(
  kept: KeptPartition | null,
  secondaries: boolean,
  clock: Clock,
): Promise<UsageSample | null> {
  if (kept === null) return null;
  const { loop } = kept;
  if (loop === null) return { atMs: clock.now(), slice: null, secondaries: null };
  return loop.usage.read(secondaries ? 'all' : 'slice');
}

function givenBy({ folder, ...submitted }: SubmittedFiles): GivenFiles {
  return { ...submitted, isFolder: folder !== null, isComplete: folder?.isComplete ?? true };
}

async function planning(
  kept: KeptPartition | null,
  files: PlannedFiles,
  stop: AbortSignal,
): Promise<PlanResult | null> {
  if (kept === null) return null;
  const { authority, loop } = kept;
  if (authority === null || loop === null) return refused('NotStored', notOpenMessage(kept));
  const draft = await authority.draft(files, stop);
  if (draft.status === 'refused') return draft;
  const plan = await loop.planFor(draft.input, stop);
  if (plan === null) return closedRefusal;
  return { status: 'planned', plan, generation: draft.input.generation };
}

/** How long whoever has heard no answer may ask again. */
const answersKeptMs = 3_600_000;

type Wishing = Pick<Control, 'pause' | 'resume' | 'power' | 'retry' | 'drain'>;

function wishing({ supervisor, clock }: ControlOptions): Wishing {
  const once = new OnceOnly();
  const at = () => instantOf(clock.wall());
  return {
    pause: async (name, hold) =>
      asking(supervisor.partition(name), async ({ authority, loop }) => {
        const unknown = refusedName(authority, loop, hold.secondary);
        if (unknown !== null) return unknown;
        const answer = await authority.wish((wishes) => wishes.addHold(hold));
        const since = loop.isAtWork ? ' as soon as what is under way has ended' : '';
        return answered(answer, `${hold.secondary ?? `partition ${name}`} is left alone${since}`);
      }),
    resume: async (name, secondary) =>
      asking(supervisor.partition(name), async ({ kept, authority, loop }) => {
        // To drain is to accept that there be nothing, which stays in force.
        const isEmptied = secondary === null && authority.wishes.drain !== null;
        const isHeld = authority.wishes.holds.some((hold) => hold.secondary === secondary);
        const unknown = isHeld ? null : refusedName(authority, loop, secondary);
        if (unknown !== null) return unknown;
        // Whoever ends a pause does not wait for what went wrong during it.
        loop.forgive(secondary === null ? null : { kind: 'secondary', name: secondary });
        const answer = await authority.wish((wishes) =>
          secondary === null ? wishes.resume() : wishes.removeHold(secondary),
        );
        kept.readFolder();
        const gone = isEmptied
          ? '; its documents are gone: `unnest rollback` brings them back'
          : '';
        return answered(answer, `${secondary ?? `partition ${name}`} is looked after again${gone}`);
      }),
    power: async (name, secondary, action, submitter, key = null) =>
      asking(supervisor.partition(name), ({ authority, loop }) => {
        const order = { partition: name, key, request: `${action} ${secondary}` };
        const answered = authority.wishes.answeredSince(instantOf(clock.wall() - answersKeptMs));
        return once.give(order, answered, () =>
          powering({ authority, loop, at: at() }, secondary, action, { submitter, key }),
        );
      }),
    retry: async (name) =>
      asking(supervisor.partition(name), async ({ kept, loop }) => {
        loop.forgive(null);
        loop.wake('request');
        kept.readFolder();
        return { status: 'ok', message: `partition ${name} is looked at anew` };
      }),
    drain: async (name, submitter) =>
      asking(supervisor.partition(name), async ({ authority, loop }) => {
        loop.forgive(null);
        const answer = await authority.drain(submitter);
        return answered(answer, `partition ${name} is being emptied`);
      }),
  };
}

async function powering(
  { authority, loop, at }: Pick<Asked, 'authority' | 'loop'> & { readonly at: string },
  secondary: SecondaryName,
  action: PowerAction,
  { submitter, key }: { readonly submitter: string; readonly key: OrderKey | null },
): Promise<Answer> {
  const refusal = refusedPower(authority, loop, secondary, action);
  if (refusal !== null) return refusal;
  const runId = await loop.runIdOf(secondary);
  if (runId === 'unknown') return cannotTell(secondary);
  loop.forgive({ kind: 'secondary', name: secondary });
  const request = { secondary, action, runId, submitter, at };
  const message = `${secondary} is to ${action}${waitsFor(authority, secondary)}`;
  const noted = key && { ...key, request: `${action} ${secondary}`, message, at };
  return answered(await authority.wish((wishes) => wishes.addRequest(request, noted)), message);
}

function waitsFor(authority: Authority, secondary: SecondaryName): string {
  const { holdAll, holds, unfit } = authority.input();
  if (holdAll?.code === 'Held' || holds.has(secondary)) return ', once it is no longer paused';
  return unfit === null ? '' : ', once its host has room for the partition';
}

/** What runs decides on what is done, and later it may be another run. */
function cannotTell(secondary: SecondaryName): Answer {
  const message = `whether ${secondary} runs could not be read just now: try again`;
  return { status: 'refused', code: 'HostUnknown', message };
}

async function submitting(
  kept: KeptPartition | null,
  submit: (authority: Authority) => Promise<SubmissionResult>,
): Promise<SubmissionResult | null> {
  if (kept === null) return null;
  if (kept.authority !== null) return submit(kept.authority);
  return refused('NotStored', notOpenMessage(kept));
}
