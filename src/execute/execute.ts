/**
 * Runs a plan: phase by phase, within a phase in the plan's order, several at once, each operation
 * when those it waits for have succeeded. A failure skips what depends on it and nothing else.
 */
import { explainError, HostError } from '../host/host-error.ts';
import type { Host } from '../host/ports.ts';
import { describeStopStep } from '../plan/describe.ts';
import type { SeedContent, SeedName } from '../model/seed.ts';
import { type Operation, type OperationId, type OperationKind, PHASES } from '../plan/operation.ts';
import type { Plan } from '../plan/plan.ts';
import { type Done, type Executors, executors, type Workbench } from './executors.ts';
import { checkTarget, ownerFor } from './identity.ts';
import { type Failure, type Outcome, type Report, type Result, succeeded } from './outcome.ts';

export interface ExecuteOptions {
  /** What the seeds hold that the plan makes. */
  readonly seedContents: ReadonlyMap<SeedName, SeedContent>;
  /** How many operations are under way at once, from 1. */
  readonly inFlightMax: number;
  /** Starts no further operation; those under way are finished. */
  readonly stop: AbortSignal;
  /** Breaks off those under way too. */
  readonly abort: AbortSignal;
  /** Breaks off those that only wait for a guest; null: they are finished too. */
  readonly interrupt?: AbortSignal | null;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  readonly onStart: (operation: Operation) => void;
  readonly onOutcome: (outcome: Outcome) => void;
}

export async function execute(plan: Plan, host: Host, options: ExecuteOptions): Promise<Report> {
  const startedMs = options.now();
  const outcomes = new Map<OperationId, Outcome>();
  for (const phase of PHASES) {
    const operations = plan.operations.filter((operation) => operation.phase === phase);
    await runPhase(operations, { plan, host, options, outcomes });
  }
  return {
    outcomes: plan.operations.flatMap(({ id }) => outcomes.get(id) ?? []),
    durationMs: options.now() - startedMs,
  };
}

interface Pass {
  readonly plan: Plan;
  readonly host: Host;
  readonly options: ExecuteOptions;
  readonly outcomes: Map<OperationId, Outcome>;
}

async function runPhase(operations: readonly Operation[], pass: Pass): Promise<void> {
  const { outcomes, options } = pass;
  const waiting = [...operations];
  const running = new Set<Promise<void>>();
  while (waiting.length > 0 || running.size > 0) {
    const index = waiting.findIndex(({ after }) => after.every((id) => outcomes.has(id)));
    if (index < 0 || running.size >= options.inFlightMax) {
      // In a plan without cycles something is under way whenever nothing is ready.
      if (running.size === 0) throw new Error('the plan waits for itself');
      await Promise.race(running);
      continue;
    }
    for (const operation of waiting.splice(index, 1)) {
      const task = settle(operation, pass).finally(() => running.delete(task));
      running.add(task);
    }
  }
}

async function settle(operation: Operation, pass: Pass): Promise<void> {
  const { outcomes, options } = pass;
  const startedMs = options.now();
  const result = obstacle(operation, pass) ?? (await run(operation, pass));
  letGo(operation, pass);
  const outcome = { operation, result, durationMs: options.now() - startedMs };
  outcomes.set(operation.id, outcome);
  options.onOutcome(outcome);
}

/** What was verified for an import is kept for it until it has been done, or it is known that it will not be. */
function letGo(operation: Operation, { plan, host }: Pass): void {
  if (operation.kind === 'image.import') host.images.letGo(plan, operation.image.name);
}

/** Why an operation is not even tried. The first cause is named, not the nearest. */
function obstacle(operation: Operation, { outcomes, options }: Pass): Result | null {
  for (const id of operation.after) {
    const result = outcomes.get(id)?.result;
    if (result === undefined || succeeded(result)) continue;
    if (result.status === 'cancelled') return { status: 'cancelled' };
    return { status: 'skipped', because: result.status === 'skipped' ? result.because : id };
  }
  return options.stop.aborted && !isHalfDone(operation, outcomes) ? { status: 'cancelled' } : null;
}

/**
 * Who was stopped only to come up again is not left lying, nor without a disk who has let go of it for a while, nor without
 * an Image whose old bytes are gone.
 */
function isHalfDone({ kind, phase, after }: Operation, outcomes: Pass['outcomes']): boolean {
  if (kind === 'primary.lend-image-disk') return after.some((id) => isDone(outcomes.get(id)));
  if (kind === 'image.import') return after.some((id) => isDone(outcomes.get(id), 'image.delete'));
  if (phase !== 'restart') return false;
  return after.some((id) => {
    const outcome = outcomes.get(id);
    return (
      outcome !== undefined && outcome.operation.phase === 'restart' && succeeded(outcome.result)
    );
  });
}

/** @param kind null: whatever it was */
function isDone(outcome: Outcome | undefined, kind: OperationKind | null = null): boolean {
  if (outcome === undefined || !succeeded(outcome.result)) return false;
  return kind === null || outcome.operation.kind === kind;
}

async function run(operation: Operation, { plan, host, options }: Pass): Promise<Result> {
  options.onStart(operation);
  const limit = AbortSignal.timeout(limitMs(operation));
  const interrupt = waitsForGuest(operation) ? (options.interrupt ?? null) : null;
  const breaks = interrupt === null ? [options.abort] : [options.abort, interrupt];
  const signal = AbortSignal.any([...breaks, limit]);
  const us = { installation: plan.installation, partition: plan.partition };
  const owner = ownerFor(operation, us);
  const { now, seedContents } = options;
  const bench: Workbench = { host, owner, us, seedContents, now, signal };
  try {
    checkTarget(operation, us);
    return resultOf(await perform(operation, bench));
  } catch (error) {
    const timedOut = limit.aborted && !breaks.some(({ aborted }) => aborted);
    return { status: 'failed', failure: timedOut ? timeoutFailure(error) : failureOf(error) };
  }
}

function waitsForGuest({ kind }: Operation): boolean {
  return (
    kind === 'domain.stop' ||
    kind === 'domain.await-ready' ||
    kind === 'domain.detach-disk' ||
    kind === 'primary.set-vcpus' ||
    kind === 'primary.set-memory' ||
    kind === 'primary.take-disk' ||
    kind === 'primary.take-image-disk'
  );
}

function perform(operation: Operation, bench: Parameters<Executors['domain.start']>[1]) {
  // One kind's executor for one kind's operation: TypeScript cannot pair a union with a mapped type.
  const executor = executors[operation.kind] as (
    operation: Operation,
    workbench: typeof bench,
  ) => Promise<Done>;
  return executor(operation, bench);
}

function resultOf(done: Done): Result {
  if (done === 'already') return { status: done };
  return { status: 'applied', detail: done === 'applied' ? '' : describeStopStep(done.how) };
}

/** A bound on every operation. Defining may wait for libvirt to probe QEMU, seen to take 80 s. */
const operationMs = 120_000;

/** Copying and hashing an image is as slow as its disk: 16 MiB/s for the 64 GiB of a large one. */
const bytesMs = 4_000_000;
const bytesPerMs = (16 * 2 ** 20) / 1000;

const movesBytes: ReadonlySet<string> = new Set<OperationKind>([
  'image.verify',
  'image.import',
  'intake.fill',
  'image-disk.rework',
]);

function limitMs(operation: Operation): number {
  const { kind } = operation;
  if (kind === 'domain.stop') return operation.graceMs + operationMs;
  if (kind === 'volume.create') return Math.max(bytesMs, operation.volume.sizeBytes / bytesPerMs);
  if (kind === 'domain.await-ready') return operation.timeoutMs + operationMs;
  return movesBytes.has(kind) ? bytesMs : operationMs;
}

function failureOf(error: unknown): Failure {
  const message = explainError(error);
  if (error instanceof HostError) return { code: error.code, message, retryable: error.retryable };
  return { code: 'Bug', message, retryable: false };
}

/** The time limit breaks calls off, and what they say of it is that they were broken off. */
function timeoutFailure(error: unknown): Failure {
  return { ...failureOf(error), code: 'Timeout', retryable: true };
}
