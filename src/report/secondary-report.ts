/**
 * One Secondary in words: what it is, whether it is as its document says, whether it is well, and
 * the conditions that say why. From what was observed and planned, before anything was done about
 * it: what a pass has changed, the next look says.
 */
import type { Block } from '../diff/change.ts';
import { type DomainFields, type ObservedDomain, splitLabels } from '../model/domain.ts';
import type { SecondaryName } from '../model/names.ts';
import type { Observation } from '../model/observation.ts';
import type { PlanEntry } from '../plan/entry.ts';
import { type Condition, conditionsFrom, type Statement } from './condition.ts';
import type { HealthWord, SecondaryReport, StatusWord, SyncWord } from './partition-status.ts';

export interface Awaits {
  /** One word. */
  readonly reason: string;
  readonly message: string;
}

export interface SecondaryFacts {
  readonly name: SecondaryName;
  readonly seen: Observation<ObservedDomain>;
  readonly entry: PlanEntry;
  readonly address: string | null;
  /** What is missing to a guest that runs until it is ready; null: nothing, or it does not run. */
  readonly awaits: Awaits | null;
  /** Why it is to be left alone; null: it is not. */
  readonly held: Block | null;
  /** What has failed about it last; null: nothing, or not any more. */
  readonly failure: string | null;
  /** What fails for another and keeps this one waiting, with how; null: nothing. */
  readonly waitsFor: string | null;
  /** Whether that is no longer tried. */
  readonly gaveUp: boolean;
}

/** What dates a condition: what was said before, when this is said, and of which documents. */
export interface Dating {
  readonly before: readonly Condition[];
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly generation: number;
}

export function secondaryReport(facts: SecondaryFacts, dating: Dating): SecondaryReport {
  const { name, seen, address, entry } = facts;
  const domain = seen.status === 'present' ? seen.value : null;
  const fields: DomainFields | null = domain?.live ?? domain?.defined ?? null;
  const status = statusWord(facts);
  const sync = syncWord(entry);
  const health = healthWord(facts, status);
  return {
    name,
    status,
    sync,
    health,
    domain: domain?.domainName ?? null,
    uuid: domain?.uuid ?? null,
    address,
    vcpus: fields?.vcpus ?? null,
    memoryBytes: fields?.memoryBytes ?? null,
    labels: Object.fromEntries(splitLabels(domain?.defined.labels ?? '')),
    conditions: conditionsFrom(
      statementsOf(facts, { status, sync, health }),
      dating.before,
      dating.at,
      dating.generation,
    ),
  };
}

function statusWord({ seen, entry, awaits }: SecondaryFacts): StatusWord {
  if (seen.status === 'unknown') return 'Unknown';
  if (seen.status === 'absent') return entry.kind === 'blocked' ? 'Blocked' : 'Pending';
  if (entry.kind === 'delete') return 'Deleting';
  const { power } = seen.value;
  switch (power.status) {
    case 'running':
      return awaits === null ? 'Running' : 'Starting';
    case 'paused':
      return 'Paused';
    case 'stopping':
      return 'Stopping';
    case 'stopped':
      if (blockCode(entry) === 'CrashLoop') return 'CrashLoop';
      return power.reason === 'crashed' || power.reason === 'failed' ? 'Crashed' : 'Stopped';
  }
}

/** What an image disk waits for, its Primary does when it likes. */
export function syncWord(entry: PlanEntry): SyncWord {
  const { kind } = entry.resource;
  switch (entry.kind) {
    case 'create':
    case 'update':
    case 'delete':
      return 'OutOfSync';
    case 'unchanged':
      return entry.waiting.length === 0 || kind === 'image-disk' ? 'Synced' : 'OutOfSync';
    case 'kept':
      return 'Synced';
    case 'blocked':
      return entry.block.code === 'HostUnknown' ? 'Unknown' : 'Blocked';
  }
}

function healthWord(facts: SecondaryFacts, status: StatusWord): HealthWord {
  if (status === 'Unknown') return 'Unknown';
  if (facts.failure !== null || status === 'Crashed' || status === 'CrashLoop') return 'Degraded';
  if (status === 'Paused' || facts.held !== null || blockCode(facts.entry) === 'Held') {
    return 'Suspended';
  }
  if (status === 'Blocked' || isKeptDown(facts)) return 'Degraded';
  const { kind } = facts.entry;
  const isMoving = kind === 'create' || kind === 'update' || kind === 'delete';
  const isOnTheWay = status === 'Pending' || status === 'Starting' || status === 'Stopping';
  return isMoving || isOnTheWay ? 'Progressing' : 'Healthy';
}

/** It is to run, does not, and nothing is done about it. */
function isKeptDown({ seen, entry }: SecondaryFacts): boolean {
  if (seen.status !== 'present' || entry.kind !== 'blocked') return false;
  const { power, defined } = seen.value;
  const isToRun = defined.runPolicy === 'Always' || defined.runPolicy === 'RerunOnFailure';
  return power.status === 'stopped' && isToRun;
}

function blockCode(entry: PlanEntry): string | null {
  return entry.kind === 'blocked' ? entry.block.code : null;
}

interface Words {
  readonly status: StatusWord;
  readonly sync: SyncWord;
  readonly health: HealthWord;
}

/** `Ready` and `Synced` always; the others where there is something to say. */
function statementsOf(facts: SecondaryFacts, words: Words): readonly Statement[] {
  const { entry, failure, gaveUp } = facts;
  const statements: Statement[] = [readyStatement(facts, words), syncedStatement(facts, words)];
  if ((entry.kind === 'unchanged' || entry.kind === 'update') && entry.waiting.length > 0) {
    const message = entry.waiting.map(({ path }) => path).join(', ');
    statements.push({ type: 'RestartRequired', status: 'True', reason: 'ChangesWait', message });
  }
  if (entry.kind === 'blocked') statements.push(...blockStatements(entry.block));
  statements.push(...pauseStatements(facts));
  if (gaveUp && failure !== null) {
    statements.push({ type: 'GaveUp', status: 'True', reason: 'Failed', message: failure });
  }
  return statements;
}

function readyStatement({ failure, awaits, seen }: SecondaryFacts, words: Words): Statement {
  const { status, health } = words;
  const type = 'Ready';
  if (health === 'Unknown') {
    const message = seen.status === 'unknown' ? seen.why : '';
    return { type, status: 'Unknown', reason: status, message };
  }
  if (status === 'Starting' && awaits !== null && failure === null) {
    return { type, status: 'False', ...awaits };
  }
  const ready = health === 'Healthy' && awaits === null;
  return { type, status: ready ? 'True' : 'False', reason: status, message: failure ?? '' };
}

function syncedStatement({ entry, waitsFor }: SecondaryFacts, { sync }: Words): Statement {
  const status = sync === 'Synced' ? 'True' : sync === 'Unknown' ? 'Unknown' : 'False';
  const waits = waitsFor === null ? '' : `; waits for ${waitsFor}`;
  return { type: 'Synced', status, reason: sync, message: `${syncMessage(entry)}${waits}` };
}

function syncMessage(entry: PlanEntry): string {
  switch (entry.kind) {
    case 'create':
    case 'update':
    case 'delete':
      return `${entry.kind}: ${entry.reasons.join(', ')}`;
    case 'unchanged':
      return entry.waiting.length === 0 ? '' : 'changes wait for the next start';
    case 'kept':
      return '';
    case 'blocked':
      return entry.block.message;
  }
}

function blockStatements({ code, message }: Block): Statement[] {
  const said = { status: 'True', reason: code, message } as const;
  const blocked: Statement = { type: 'Blocked', ...said };
  return code === 'CrashLoop' ? [blocked, { type: 'CrashLoop', ...said }] : [blocked];
}

/** Also where there is nothing to do: whoever has paused it wants to see that it is. */
function pauseStatements({ held, entry }: SecondaryFacts): Statement[] {
  const block =
    held ?? (entry.kind === 'blocked' && entry.block.code === 'Held' ? entry.block : null);
  if (block === null) return [];
  return [{ type: 'Paused', status: 'True', reason: block.code, message: block.message }];
}
