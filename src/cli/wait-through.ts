/** `unnest wait` where unnestd runs: its statuses say when it is so. */
import type { DaemonClient } from '../channel/client.ts';
import { DaemonError } from '../channel/daemon-error.ts';
import type { PartitionName } from '../model/names.ts';
import type { PartitionStatus, SecondaryReport } from '../report/partition-status.ts';
import { noSuchSecondary } from './one-secondary.ts';
import { stoppedLooking, withinLimits } from './daemon.ts';
import type { Limits } from './pass.ts';
import { doesHostAnswer, listed, settledIn, unknownWords } from './settled.ts';

export const daemonGoals = ['ready', 'running', 'stopped', 'deleted', 'synced'] as const;
export type DaemonGoal = (typeof daemonGoals)[number];

export interface Waiting {
  readonly partition: PartitionName;
  /** None: every Secondary of the partition. */
  readonly names: readonly string[];
  readonly goal: DaemonGoal;
}

/** @throws CommandError `timeout` or `interrupted`, saying what is true then; `usage`: no such name */
export async function waitThrough(
  client: DaemonClient,
  { partition, names, goal }: Waiting,
  limits: Limits,
): Promise<void> {
  const ends = new AbortController();
  const stop = AbortSignal.any([limits.stop, ends.signal]);
  let now = 'unnestd has not said yet';
  let isAtWork = true;
  try {
    const generation = await withinLimits(
      limits,
      'the status was read',
      inForce(client, partition, stop),
    );
    const opening = client.statuses(partition, stop);
    for await (const status of await withinLimits(limits, 'the status was read', opening)) {
      const left = leftOf(status, names, goal, generation);
      if (left === null) return;
      now = left;
      isAtWork = status.observedGeneration < generation || settledIn(status).status === 'moving';
    }
  } finally {
    ends.abort();
  }
  const waitedFor = [...(names.length === 0 ? [`partition ${partition}`] : names), goal].join(' ');
  if (limits.stop.aborted) {
    throw stoppedLooking(limits, waitedFor, now, isAtWork ? undefined : nothingToDo);
  }
  throw new DaemonError('Broken', `unnestd has ended while waiting for ${waitedFor}: ${now}`);
}

const nothingToDo = 'unnestd has nothing to do about it; `unnest status` and `get` say what is so';

/** What was looked at before the documents were accepted says nothing about them. */
async function inForce(
  client: DaemonClient,
  partition: PartitionName,
  stop: AbortSignal,
): Promise<number> {
  try {
    return (await client.desired(partition, stop)).generation;
  } catch (error) {
    if (error instanceof DaemonError && error.code === 'NothingAccepted') return 0;
    throw error;
  }
}

/** Null once it is so; otherwise what is true now. */
function leftOf(
  status: PartitionStatus,
  names: readonly string[],
  goal: DaemonGoal,
  generation: number,
): string | null {
  const { observedGeneration, secondaries, conditions } = status;
  // Of what nobody has looked at, nobody knows that it is not there.
  if (observedGeneration === 0 && generation === 0) {
    checkAccepted(status);
    return 'no documents were looked at yet';
  }
  if (observedGeneration < generation) {
    return `unnestd has not looked at generation ${generation} yet`;
  }
  if (goal === 'deleted' && !doesHostAnswer(conditions)) return unknownWords(conditions);
  if (goal === 'synced' && names.length === 0) return leftToSync(status);
  const all = new Map<string, SecondaryReport>(secondaries.map((each) => [each.name, each]));
  if (goal !== 'deleted' && status.sync !== 'Unknown') checkThere(names, status);
  const wanted = names.length === 0 ? [...all.keys()] : names;
  const wanting = wanted.filter((name) => !isSo(all.get(name), goal));
  if (wanting.length === 0) return null;
  return listed(wanting.map((name) => `${name} is ${wordsOf(all.get(name), goal)}`));
}

/** Of a partition that has no documents there is nothing to wait for. @throws CommandError */
function checkAccepted({ partition, conditions }: PartitionStatus): void {
  const accepted = conditions.find(({ type }) => type === 'Accepted');
  if (accepted?.status !== 'False' || accepted.reason !== 'NothingYet') return;
  throw new DaemonError('NothingYet', `partition ${partition} has no documents in force`);
}

/**
 * Whom the documents name is there from the first look on, if only as wanted.
 * @throws CommandError `usage`
 */
function checkThere(names: readonly string[], { partition, secondaries }: PartitionStatus): void {
  const all = secondaries.map(({ name }) => name);
  const missing = names.find((name) => !all.some((each) => each === name));
  if (missing !== undefined) throw noSuchSecondary(partition, missing, all);
}

function leftToSync(status: PartitionStatus): string | null {
  if (status.sync === 'Synced') return null;
  const settled = settledIn(status);
  switch (settled.status) {
    case 'moving':
      return settled.now;
    case 'stuck':
      return listed(settled.why);
    case 'synced':
      if (settled.waiting.length > 0) {
        return `waiting for a restart: ${listed(settled.waiting)}`;
      }
      return invalidWords(status) ?? `partition ${status.partition} is ${status.sync}`;
  }
}

/** All that is in force can be there, while what was written since is not read. */
function invalidWords({ conditions }: PartitionStatus): string | null {
  const said = conditions.find(
    ({ type, status }) => type === 'DocumentsValid' && status !== 'True',
  );
  return said === undefined ? null : `${said.reason}: ${said.message}`;
}

function isSo(report: SecondaryReport | undefined, goal: DaemonGoal): boolean {
  if (report === undefined) return goal === 'deleted';
  const { status, sync, conditions } = report;
  switch (goal) {
    case 'ready':
      return conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True');
    case 'running':
      return status === 'Running' || status === 'Starting';
    case 'stopped':
      return status === 'Stopped' || status === 'Crashed';
    case 'deleted':
      return false;
    case 'synced':
      return sync === 'Synced';
  }
}

function wordsOf(report: SecondaryReport | undefined, goal: DaemonGoal): string {
  if (report === undefined) return 'not there';
  if (goal === 'synced') return report.sync;
  const ready = report.conditions.find(({ type }) => type === 'Ready');
  const why = goal === 'ready' && ready?.message ? `: ${ready.message}` : '';
  return `${report.status}${why}`;
}
