/**
 * One pass: observe, diff, plan, execute, report. What is remembered from one to the next is what
 * the host does not know: what has failed, which guests end by themselves, and what looks at the slice
 * say together. It is rebuilt by
 * trying anew when the daemon starts.
 */
import { diff } from '../diff/diff.ts';
import type { Held } from '../diff/held.ts';
import type { Block } from '../diff/change.ts';
import { execute } from '../execute/execute.ts';
import type { Outcome } from '../execute/outcome.ts';
import type { Host } from '../host/ports.ts';
import type { Observed } from '../model/domain.ts';
import type { InstallationId } from '../model/identity.ts';
import type { PartitionName, SecondaryName } from '../model/names.ts';
import { type Resource, resourceKey } from '../model/resource.ts';
import type { DesiredState } from '../model/secondary.ts';
import { observe } from '../observe/observe.ts';
import { wantedBy } from '../observe/wanted.ts';
import type { PlanEntry } from '../plan/entry.ts';
import { makePlan, type Plan, type PlanOptions } from '../plan/plan.ts';
import { actionsOf, carriedOut, fulfilled } from './requests.ts';
import {
  afterPass,
  type Failures,
  holdsOf,
  hostKey,
  noFailures,
  type RetryRules,
  stillFailing,
} from './retry.ts';
import {
  forgiven,
  type GuestEnd,
  lookAtRuns,
  noRuns,
  type Runs,
  startHoldsOf,
  withStarts,
} from './runs.ts';
import { stateOf } from './resource-state.ts';
import { lookAtSlice, noStory, type SliceStory } from './slice-story.ts';
import type { Request, TurnInput } from './turn-input.ts';

/** What one pass leaves for the next. */
export interface TurnMemory {
  readonly failures: Failures;
  readonly runs: Runs;
  readonly slice: SliceStory;
}

export const nothingRemembered: TurnMemory = {
  failures: noFailures,
  runs: noRuns,
  slice: noStory,
};

/** @param what null: everybody, and everything that has failed */
export function forgiving(memory: TurnMemory, what: Resource | null): TurnMemory {
  const { failures, runs } = memory;
  if (what === null) return { ...memory, failures: new Map(), runs: forgiven(runs, null) };
  const forgotten = resourceKey(what);
  const left = new Map([...failures].filter(([key]) => key !== forgotten));
  if (what.kind !== 'secondary') return { ...memory, failures: left };
  // Names of resources are those of what they are.
  return { ...memory, failures: left, runs: forgiven(runs, what.name as SecondaryName) };
}

export interface TurnTools {
  readonly partition: PartitionName;
  readonly host: Host;
  readonly newInstallation: () => InstallationId;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
  readonly rules: RetryRules;
  readonly operationsInFlightMax: number;
  /** Ends reading, and begins no further operation. */
  readonly stop: AbortSignal;
  /** Breaks off what is under way. */
  readonly abort: AbortSignal;
  /** Breaks off what only waits for a guest. */
  readonly interrupt: AbortSignal;
  readonly onOutcome: (outcome: Outcome) => void;
  /** Why Images are not being fetched. */
  readonly fetchHolds: () => Held;
}

export interface Seen {
  readonly observed: Observed;
  readonly plan: Plan;
  readonly ended: readonly GuestEnd[];
  /** Requests that need nothing done any more. */
  readonly fulfilled: readonly Request[];
  readonly memory: TurnMemory;
}

export function observeFor(desired: DesiredState, tools: TurnTools): Promise<Observed> {
  const { names, ...wanted } = wantedBy(desired);
  return observe(tools.host, {
    partition: tools.partition,
    wanted: names,
    ...wanted,
    newInstallation: tools.newInstallation(),
    signal: tools.stop,
  });
}

/** As far as a plan. */
export async function look(
  desired: DesiredState,
  input: TurnInput,
  memory: TurnMemory,
  tools: TurnTools,
): Promise<Seen> {
  const observed = await observeFor(desired, tools);
  const nowMs = tools.now();
  const { runs, ended } = lookAtRuns(memory.runs, observed, nowMs);
  const slice = lookAtSlice(memory.slice, observed, ended, nowMs);
  const done = fulfilled(input.requests, observed, desired);
  const before = stillFailing(memory.failures, (key) => stateOf(key, observed));
  const held = holdsOf(before, nowMs);
  const options = planOptions(input, { runs, held }, done, nowMs);
  const heldAll = new Map([...held, ...tools.fetchHolds()]);
  const plan = makePlan(diff(desired, observed, heldAll), observed, options);
  const differs = stillDiffers(plan);
  const failures = new Map([...before].filter(([key]) => differs(key)));
  return { observed, plan, ended, fulfilled: done, memory: { failures, runs, slice } };
}

function planOptions(
  input: TurnInput,
  { runs, held }: { readonly runs: Runs; readonly held: ReadonlyMap<string, Block> },
  done: readonly Request[],
  nowMs: number,
): PlanOptions {
  return {
    deleteEverything: input.deleteEverything,
    deletionsMax: input.deletionsMax,
    deletionReason: input.drain !== null ? 'asked-for' : 'not-in-documents',
    deletionGraceMs: null,
    holdAll: input.holdAll,
    holds: new Map([...secondariesIn(held), ...input.holds]),
    startHolds: startHoldsOf(runs, nowMs),
    requests: actionsOf(input.requests, done),
    watch: 'by-unnestd',
  };
}

const ofSecondaries = 'secondary/';

function secondariesIn(holds: ReadonlyMap<string, Block>): (readonly [SecondaryName, Block])[] {
  return (
    [...holds]
      .filter(([key]) => key.startsWith(ofSecondaries))
      // What stands behind it was one when the key was made.
      .map(([key, block]) => [key.slice(ofSecondaries.length) as SecondaryName, block])
  );
}

function stillDiffers(plan: Plan): (key: string) => boolean {
  const records = plan.operations.some(({ resource }) => resource === null);
  const differing = new Set(
    plan.entries
      .filter((entry) => (entry.kind === 'unchanged' ? isDue(entry) : entry.kind !== 'kept'))
      .map(({ resource }) => `${resource.kind}/${resource.name}`),
  );
  return (key) => (key === hostKey ? records : differing.has(key));
}

/** Of an image disk that could not be made smaller: once it can be tried again. */
function isDue({ resource, waiting }: Extract<PlanEntry, { kind: 'unchanged' }>): boolean {
  return resource.kind === 'image-disk' && waiting.length > 0;
}

export interface Done {
  readonly outcomes: readonly Outcome[];
  /** Requests that were carried out. */
  readonly fulfilled: readonly Request[];
  readonly memory: TurnMemory;
}

/** What was planned. */
export async function carryOut(
  { plan, memory }: Seen,
  input: TurnInput,
  tools: TurnTools,
): Promise<Done> {
  const { outcomes } = await execute(plan, tools.host, {
    seedContents: input.desired?.seedContents ?? new Map(),
    inFlightMax: tools.operationsInFlightMax,
    stop: tools.stop,
    abort: tools.abort,
    interrupt: tools.interrupt,
    now: tools.now,
    onStart: () => undefined,
    onOutcome: tools.onOutcome,
  });
  const nowMs = tools.now();
  return {
    outcomes,
    fulfilled: carriedOut(input.requests, outcomes),
    memory: {
      ...memory,
      failures: afterPass(memory.failures, outcomes, nowMs, tools.rules, tools.random),
      runs: withStarts(memory.runs, startedIn(outcomes), nowMs),
    },
  };
}

function startedIn(outcomes: readonly Outcome[]): readonly SecondaryName[] {
  const names: SecondaryName[] = [];
  for (const { operation, result } of outcomes) {
    const { kind, resource } = operation;
    if (kind !== 'domain.start' || result.status !== 'applied') continue;
    // Only a Secondary has a domain.
    if (resource?.kind === 'secondary') names.push(resource.name as SecondaryName);
  }
  return names;
}
