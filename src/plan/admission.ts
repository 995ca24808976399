/**
 * A plan's operations before the one choke point (`partition/admission.ts`): what is refused is
 * blocked, with the limit that it would exceed; what has to wait for room is told for whom.
 */
import type { Block, Changes, PrimaryChange } from '../diff/change.ts';
import type { Observed, Platform } from '../model/domain.ts';
import type { SecondaryName } from '../model/names.ts';
import { resourceKey } from '../model/resource.ts';
import type { Secondary } from '../model/secondary.ts';
import type { PrimaryHas } from '../model/primary.ts';
import type { Share } from '../model/share.ts';
import { admit, type Ask, type Release } from '../partition/admission.ts';
import { type Allocation, allocationOf, holdersOf } from '../partition/allocation.ts';
import { AMOUNT_NAMES, type Amounts, amounts, minus, sum } from '../partition/amounts.ts';
import { carvableOf, goalOf } from '../partition/carving.ts';
import { effectOf, secondaryAmounts } from './effects.ts';
import { MostHolding } from './most-holding.ts';
import { type Operation, type OperationId, operationId } from './operation.ts';
import { holdersShownMax, overBudget } from './over-budget.ts';

export interface Admission {
  /** By `resourceKey`. */
  readonly blocks: ReadonlyMap<string, Block>;
  /** What else an operation waits for. */
  readonly after: ReadonlyMap<OperationId, readonly OperationId[]>;
  /** What the Primary is to have, and whom it waits for to grow; null: as it is. */
  readonly primary: PrimaryGoal | null;
}

export interface PrimaryGoal {
  readonly goal: PrimaryHas;
  readonly after: readonly OperationId[];
}

export interface AdmissionContext {
  readonly secondaries: ReadonlyMap<SecondaryName, Secondary>;
  readonly observed: Observed;
  readonly platform: Platform;
  /** Who is to run and is kept from it for a while: the Primary does not take what they will need. */
  readonly waiting: readonly Secondary[];
}

/** @param operations with what they wait for, those of Secondaries in start order */
export function admission(
  operations: readonly Operation[],
  { share, primary }: Pick<Changes, 'share' | 'primary'>,
  context: AdmissionContext,
): Admission {
  const nothingSaid: Admission = { blocks: new Map(), after: new Map(), primary: null };
  if (share === null || share === 'unspoken') return nothingSaid;
  const { asks, releases } = effectsOf(operations, context);
  const { observed } = context;
  const allocation = allocationOf(observed, primary?.wanted ?? null);
  const room = { share, allocation, observed, primary };
  const isGuest = ({ owner }: OperationAsk) => owner.startsWith('secondary/');
  const stored = askFor(
    asks.filter((ask) => !isGuest(ask)),
    releases,
    room,
  );
  // Whoever lacks a disk takes nothing else, so that others get it.
  if (stored.blocks.size > 0) return { ...nothingSaid, blocks: stored.blocks };
  const carved = carvingReleases(primary);
  const inTurn = thoseThereFirst(asks.filter(isGuest), observed);
  const guests = askFor(inTurn, [...releases, ...carved], room);
  if (guests.blocks.size > 0) return { ...nothingSaid, blocks: guests.blocks };
  return {
    blocks: new Map(),
    after: new Map([...stored.after, ...guests.after]),
    primary: primaryGoal(primary, minus(guests.left, waitingAmounts(context)), releases, room),
  };
}

type OperationAsk = Ask<OperationId>;
type OperationRelease = Release<OperationId>;

interface Room {
  readonly share: Share;
  readonly allocation: Allocation;
  readonly observed: Observed;
  readonly primary: PrimaryChange | null;
}

/** All that could be taken from the Primary, behind what others give back anyway. */
function carvingReleases(primary: PrimaryChange | null): readonly OperationRelease[] {
  if (primary?.kind !== 'present' || primary.held !== null) return [];
  const { shrink } = carvableOf(primary.wanted, primary.observed);
  const { vcpus, memoryBytes } = shrink;
  return [
    { id: operationId('primary.set-vcpus', primary.name), amounts: amounts({ vcpus }) },
    { id: operationId('primary.set-memory', primary.name), amounts: amounts({ memoryBytes }) },
  ].filter((release) => release.amounts.vcpus + release.amounts.memoryBytes > 0);
}

function primaryGoal(
  primary: PrimaryChange | null,
  left: Amounts,
  releases: readonly OperationRelease[],
  { allocation }: Room,
): PrimaryGoal | null {
  if (primary?.kind !== 'present' || primary.held !== null) return null;
  // Who could not be read may have what is left.
  if (allocation.unknown.vcpus !== null) return null;
  const after = releases
    .filter(({ amounts: { vcpus, memoryBytes } }) => vcpus + memoryBytes > 0)
    .map(({ id }) => id);
  return { goal: goalOf(primary.wanted, primary.observed, left), after };
}

function waitingAmounts(context: AdmissionContext): Amounts {
  return sum(context.waiting.map((secondary) => secondaryAmounts(secondary, context)));
}

interface Found extends Pick<Admission, 'blocks' | 'after'> {
  readonly left: Amounts;
}

function askFor(
  asks: readonly OperationAsk[],
  releases: readonly OperationRelease[],
  { share, allocation, observed, primary }: Room,
): Found {
  const blocks = new Map<string, Block>();
  const after = new Map<OperationId, readonly OperationId[]>();
  const counted = asks.filter((ask) => {
    const why = uncounted(ask, allocation);
    if (why !== null) blocks.set(ask.owner, { code: 'HostUnknown', message: why });
    return why === null;
  });
  const free = minus(share.limits, allocation.amounts);
  const { verdicts, left } = admit(free, counted, releases);
  const holders = holdersOf(observed, primary?.wanted ?? null);
  const budgeted = {
    limits: share.limits,
    primary,
    holding: new MostHolding(holders, holdersShownMax),
  };
  for (const verdict of verdicts) {
    const { ask } = verdict;
    if (verdict.status === 'admitted') {
      budgeted.holding.take(ask);
      for (const [id, ids] of verdict.after) after.set(id, ids);
    }
    if (verdict.status !== 'refused') continue;
    blocks.set(ask.owner, overBudget(ask, verdict.lacks, budgeted));
  }
  return { blocks, after, left };
}

/**
 * Whoever is on the host goes before newcomers: who does not fit today would otherwise take the place
 * of one that has crashed, or of all of them when the host is booted. Nobody goes before whom it needs.
 */
function thoseThereFirst(asks: readonly OperationAsk[], { domains }: Observed): OperationAsk[] {
  const asking = new Set(asks.map(({ owner }) => owner));
  const there = new Set(
    [...domains].flatMap(([name, seen]) =>
      seen.status === 'present' ? [resourceKey({ kind: 'secondary', name })] : [],
    ),
  );
  const first = new Set<string>();
  for (const { owner, needs } of asks) {
    const isNeedFirst = needs.every((need) => first.has(need) || !asking.has(need));
    if (there.has(owner) && isNeedFirst) first.add(owner);
  }
  return [
    ...asks.filter(({ owner }) => first.has(owner)),
    ...asks.filter(({ owner }) => !first.has(owner)),
  ];
}

/** From what is unknown nothing may be taken: there may be nothing left. */
function uncounted({ steps }: OperationAsk, { unknown }: Allocation): string | null {
  for (const name of AMOUNT_NAMES) {
    const why = unknown[name];
    if (why === null || steps.every((step) => step.amounts[name] === 0)) continue;
    return `what the partition has left of its limits is not known: ${why}`;
  }
  return null;
}

function effectsOf(
  operations: readonly Operation[],
  context: AdmissionContext,
): { readonly asks: readonly OperationAsk[]; readonly releases: readonly OperationRelease[] } {
  const byId = new Map(operations.map((each) => [each.id, each]));
  const imported = new Map(
    operations.flatMap((each) =>
      each.kind === 'image.import' ? [[each.image.name, each.image] as const] : [],
    ),
  );
  const asks = new Map<string, OperationAsk>();
  const takers = new Set<OperationId>();
  const gives: OperationRelease[] = [];
  for (const operation of operations) {
    const { id, resource } = operation;
    const effect = effectOf(operation, { ...context, imported, has: (other) => byId.has(other) });
    if (effect.kind === 'none' || resource === null) continue;
    if (effect.kind === 'gives') {
      gives.push({ id, amounts: effect.amounts });
      continue;
    }
    takers.add(id);
    const owner = resourceKey(resource);
    const { steps, needs } = asks.get(owner) ?? { steps: [], needs: [] };
    const step = { id, amounts: effect.amounts, instead: effect.instead };
    asks.set(owner, {
      owner,
      steps: [...steps, step],
      needs: [...needs, ...needsOf(operation, context)],
    });
  }
  const waits = waitingFor(takers, byId);
  // What waits for one who takes itself is nothing to wait for: the two would wait for each other.
  return { asks: [...asks.values()], releases: gives.filter(({ id }) => !waits(id)) };
}

/** Whom it starts after, but for those that run already and go on. */
function needsOf(operation: Operation, context: AdmissionContext): readonly string[] {
  const { resource } = operation;
  if (!asksToRun(operation) || resource?.kind !== 'secondary') return [];
  // Names of Secondaries come from changes of Secondaries only.
  const secondary = context.secondaries.get(resource.name as SecondaryName);
  return (secondary?.startAfter ?? [])
    .filter((name) => !runs(name, context.observed))
    .map((name) => resourceKey({ kind: 'secondary', name }));
}

/** A guest that is restarted asks before it is stopped. */
function asksToRun({ kind, phase }: Operation): boolean {
  return kind === 'domain.start' || (kind === 'domain.stop' && phase === 'restart');
}

function runs(name: SecondaryName, { domains }: Observed): boolean {
  const seen = domains.get(name);
  return seen?.status === 'present' && seen.value.live !== null;
}

/** Whether an operation waits, directly or not, for one of `takers`. */
function waitingFor(
  takers: ReadonlySet<OperationId>,
  byId: ReadonlyMap<OperationId, Operation>,
): (id: OperationId) => boolean {
  const known = new Map<OperationId, boolean>();
  const waits = (id: OperationId): boolean => {
    const answer = known.get(id);
    if (answer !== undefined) return answer;
    // Of what waits for itself the runner would never be done, and that is for others to find.
    known.set(id, false);
    const found = (byId.get(id)?.after ?? []).some((each) => takers.has(each) || waits(each));
    known.set(id, found);
    return found;
  };
  return waits;
}
