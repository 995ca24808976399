/** A partition as a whole, out of what its last look has seen, planned and done. */
import type { Block } from '../diff/change.ts';
import type { Observed } from '../model/domain.ts';
import type { PartitionName, SecondaryName } from '../model/names.ts';
import { awaitedBy, canPass, checkOf, isReady, lackedFor, portOf } from '../model/readiness.ts';
import { type Resource, resourceKey } from '../model/resource.ts';
import type { DesiredState } from '../model/secondary.ts';
import type { PlanEntry } from '../plan/entry.ts';
import type { Operation } from '../plan/operation.ts';
import { conditionsFrom, type Statement } from './condition.ts';
import { guaranteeStatements } from './guarantees.ts';
import { heldUpBy } from './held-up.ts';
import type {
  HealthWord,
  ImagePhase,
  PartitionStatus,
  PassReport,
  ResourceReport,
  SecondaryReport,
  SyncWord,
} from './partition-status.ts';
import { primaryNicOf } from './primary-nic.ts';
import { type Awaits, secondaryReport, syncWord } from './secondary-report.ts';
import type { SliceFindings } from './slice-findings.ts';
import { sliceStatements } from './slice-statements.ts';
import { unlistedIn } from './unlisted.ts';
import { uplinkStatements } from './uplink.ts';
import { budgetStatements, primaryStatements, usageOf } from './usage.ts';

/** What has failed about one thing. */
export interface FailureFacts {
  readonly message: string;
  readonly gaveUp: boolean;
}

/** One look at the world, and what came of it. */
export interface Look {
  /** Of the documents that it was about. */
  readonly generation: number;
  /** Who is to be left alone, with why, whether or not there is anything to do. */
  readonly holds: ReadonlyMap<SecondaryName, Block>;
  readonly observed: Observed;
  /** With the looks before. */
  readonly slice: SliceFindings;
  readonly entries: readonly PlanEntry[];
  /** What was planned, in execution order. */
  readonly operations: readonly Operation[];
}

export interface PartitionFacts {
  readonly partition: PartitionName;
  readonly generation: number;
  readonly digest: string;
  /** What the operator says of it. */
  readonly described: Pick<DesiredState, 'share' | 'primary' | 'network'>;
  /** Null: there was none that could be finished, so that what was said before still stands. */
  readonly look: Look | null;
  /** By `resourceKey`. */
  readonly failures: ReadonlyMap<string, FailureFacts>;
  readonly statements: readonly Statement[];
  readonly lastPass: PassReport | null;
  readonly nextTryAt: string | null;
}

/** @param at ISO 8601, UTC */
export function partitionReport(
  facts: PartitionFacts,
  before: PartitionStatus | null,
  at: string,
): PartitionStatus {
  const { partition, generation, digest, look, failures, lastPass, nextTryAt } = facts;
  const secondaries =
    look === null
      ? (before?.secondaries ?? []).map(unseen)
      : secondariesOf(facts, look, before, at);
  const resources = look === null ? (before?.resources ?? []) : resourcesOf(facts, look);
  // Of what was not looked at nothing is known, whatever was said of it before.
  const sync =
    look === null
      ? 'Unknown'
      : worst<SyncWord>(syncOrder, [
          ...syncsOf([...secondaries, ...resources]),
          // There may be something to be deleted that nobody has seen.
          unlistedIn(look.observed) === null ? 'Synced' : 'Unknown',
          // What the documents ask for that are there nobody has looked into.
          says(facts.statements, 'DocumentsValid', 'False') ? 'Blocked' : 'Synced',
        ]);
  const health =
    look === null
      ? 'Unknown'
      : worst<HealthWord>(healthOrder, [
          ...secondaries.map((each) => each.health),
          // What cannot be had is missing to somebody.
          ...resources.map((each) => (isHad(each, failures) ? 'Healthy' : 'Degraded')),
          says(facts.statements, 'Paused', 'True') ? 'Suspended' : 'Healthy',
          says(facts.statements, 'FitsHost', 'False') ? 'Suspended' : 'Healthy',
        ]);

  const usage =
    look === null && before !== null
      ? before.usage
      : usageOf(look?.observed ?? null, facts.described);
  return {
    apiVersion: 'unnest.dev/v1',
    kind: 'PartitionStatus',
    partition,
    generation,
    observedGeneration: look?.generation ?? 0,
    digest,
    sync,
    health,
    conditions: [
      ...conditionsFrom(
        [
          ...facts.statements,
          ...budgetStatements(usage),
          ...(look === null ? [] : sliceStatements(look)),
          ...guaranteeStatements(look?.observed ?? null, facts.described),
          ...primaryStatements(look?.observed ?? null, facts.described),
          ...uplinkStatements(look?.observed ?? null, facts.described),
        ],
        before?.conditions ?? [],
        at,
        generation,
      ),
      ...conditionsFrom(summary(sync, health), before?.conditions ?? [], at, look?.generation ?? 0),
    ],
    secondaries,
    resources,
    usage,
    primaryNic: primaryNicOf(look?.observed ?? null),
    lastPass,
    nextTryAt,
  };
}

function secondariesOf(
  { failures }: PartitionFacts,
  { observed, entries, operations, generation, holds }: Look,
  before: PartitionStatus | null,
  at: string,
): readonly SecondaryReport[] {
  const earlier = new Map(before?.secondaries.map((each) => [each.name, each.conditions]) ?? []);
  const { network } = observed;
  const heldUp = heldUpBy(operations, failures);
  return entries.flatMap((entry) => {
    if (entry.resource.kind !== 'secondary') return [];
    // Names of Secondaries come from changes of Secondaries only.
    const name = entry.resource.name as SecondaryName;
    const seen = observed.domains.get(name) ?? { status: 'absent' };
    const key = resourceKey(entry.resource);
    const failure = failures.get(key);
    const facts = {
      name,
      seen,
      entry,
      address:
        (network.status === 'present' && network.value.reservations.get(name)?.address) || null,
      awaits: awaitedOf(name, observed),
      held: holds.get(name) ?? null,
      failure: failure?.message ?? null,
      gaveUp: failure?.gaveUp ?? false,
      waitsFor: waitedFor(heldUp.get(key), failures),
    };
    return [secondaryReport(facts, { before: earlier.get(name) ?? [], at, generation })];
  });
}

function waitedFor(key: string | undefined, failures: PartitionFacts['failures']): string | null {
  if (key === undefined) return null;
  const [kind = '', name = ''] = key.split('/');
  // The word that `unnest explain` knows.
  const word = kind === 'primary' ? ' (PrimaryNotReleasing)' : '';
  return `${kind} ${name}${word}: ${failures.get(key)?.message ?? ''}`;
}

/** Nobody has looked, or could: what was so before need not be so now. */
function unseen(report: SecondaryReport): SecondaryReport {
  return { ...report, status: 'Unknown', sync: 'Unknown', health: 'Unknown', conditions: [] };
}

/** Only who runs is waited for. */
function awaitedOf(name: SecondaryName, { domains }: Observed): Awaits | null {
  const seen = domains.get(name);
  if (seen?.status !== 'present' || seen.value.power.status !== 'running') return null;
  const check = checkOf(seen.value.defined);
  if (check === null || isReady(seen.value)) return null;
  if (!canPass(check, seen.value)) {
    const message = `it runs without ${lackedFor(check)} until its next start`;
    return { reason: 'NeedsRestart', message };
  }
  const kind = portOf(check) === null ? check : 'TcpPort';
  return { reason: `Awaits${kind}`, message: `it waits for ${awaitedBy(check)}` };
}

function resourcesOf({ failures }: PartitionFacts, { entries }: Look): readonly ResourceReport[] {
  return entries.flatMap((entry) => {
    const { kind, name }: Resource = entry.resource;
    if (kind === 'secondary') return [];
    const failure = failures.get(resourceKey(entry.resource))?.message ?? null;
    const phase = kind === 'image' ? imagePhase(entry, failure !== null) : null;
    const message = resourceMessage(entry, failure);
    return [{ kind, name, sync: syncWord(entry), message, phase }];
  });
}

function resourceMessage(entry: PlanEntry, failure: string | null): string {
  if (entry.kind !== 'blocked') return failure ?? '';
  const { code, message } = entry.block;
  // What came before was no good, which is what whoever is asked for other bytes has to know.
  const before = code === 'AwaitingBytes' && failure !== null ? `${failure}; ` : '';
  return `${before}${code}: ${message}`;
}

function imagePhase(entry: PlanEntry, hasFailed: boolean): ImagePhase | null {
  switch (entry.kind) {
    case 'unchanged':
      return 'Ready';
    case 'create':
    case 'update':
      return hasFailed ? 'Rejected' : 'Importing';
    case 'blocked':
      return hasFailed ? 'Rejected' : blockedPhase(entry.block.code);
    case 'delete':
    case 'kept':
      return null;
  }
}

function blockedPhase(code: Block['code']): ImagePhase {
  if (code === 'Fetching') return 'Importing';
  // With no failure of its own, it is the fetch that has failed.
  if (code === 'AwaitingBytes' || code === 'BackOff') return 'Pending';
  return code === 'HostNotAllowed' || code === 'GaveUp' ? 'Rejected' : 'Blocked';
}

function isHad(resource: ResourceReport, failures: PartitionFacts['failures']): boolean {
  return resource.sync !== 'Blocked' && !failures.has(resourceKey(resource));
}

/** Best first: the worst of all is what is said of the whole. */
const syncOrder: readonly SyncWord[] = ['Synced', 'OutOfSync', 'Blocked', 'Unknown'];
const healthOrder: readonly HealthWord[] = [
  'Healthy',
  'Suspended',
  'Progressing',
  'Unknown',
  'Degraded',
];

function says(
  statements: readonly Statement[],
  type: Statement['type'],
  status: Statement['status'],
): boolean {
  return statements.some((each) => each.type === type && each.status === status);
}

function syncsOf(reports: readonly { readonly sync: SyncWord }[]): readonly SyncWord[] {
  return reports.map(({ sync }) => sync);
}

function worst<W>(order: readonly W[], words: readonly W[]): W {
  const at = Math.max(0, ...words.map((word) => order.indexOf(word)));
  // Border: no order is empty.
  return order[at] as W;
}

function summary(sync: SyncWord, health: HealthWord): readonly Statement[] {
  const synced = sync === 'Synced' ? 'True' : sync === 'Unknown' ? 'Unknown' : 'False';
  const ready = health === 'Healthy' ? 'True' : health === 'Unknown' ? 'Unknown' : 'False';
  return [
    { type: 'Synced', status: synced, reason: sync, message: '' },
    { type: 'Ready', status: ready, reason: health, message: '' },
  ];
}
