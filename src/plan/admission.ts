/**
 * A plan's operations before the one choke point (`partition/admission.ts`): what is refused is
 * blocked, with the limit that it would exceed; what has to wait for room is told for whom.
 */
import type { Block, Changes } from '../diff/change.ts';
import type { Observed, Platform } from '../model/domain.ts';
import type { SecondaryName } from '../model/names.ts';
import { resourceKey } from '../model/resource.ts';
import type { Secondary } from '../model/secondary.ts';
import type { Share } from '../model/share.ts';
import { admit, type Ask, type Release } from '../partition/admission.ts';
import { type Allocation, allocationOf } from '../partition/allocation.ts';
import { AMOUNT_NAMES, minus } from '../partition/amounts.ts';
import { effectOf } from './effects.ts';
import type { Operation, OperationId } from './operation.ts';
import { overBudget } from './over-budget.ts';

export interface Admission {
  /** By `resourceKey`. */
  readonly blocks: ReadonlyMap<string, Block>;
  /** What else an operation waits for. */
  readonly after: ReadonlyMap<OperationId, readonly OperationId[]>;
}

export interface AdmissionContext {
  readonly secondaries: ReadonlyMap<SecondaryName, Secondary>;
  readonly observed: Observed;
  readonly platform: Platform;
}

/** @param operations with what they wait for, those of Secondaries in start order */
export function admission(
  operations: readonly Operation[],
  { share }: Pick<Changes, 'share'>,
  context: AdmissionContext,
): Admission {
  const after = new Map<OperationId, readonly OperationId[]>();
  if (share === null || share === 'unspoken') return { blocks: new Map(), after };
  const { asks, releases } = effectsOf(operations, context);
  const allocation = allocationOf(context.observed);
  const isGuest = ({ owner }: OperationAsk) => owner.startsWith('secondary/');
  // Whoever lacks a disk takes nothing else, so that others get it.
  for (const asking of [asks.filter((ask) => !isGuest(ask)), asks.filter(isGuest)]) {
    const found = askFor(asking, releases, { share, allocation, observed: context.observed });
    if (found.blocks.size > 0) return { blocks: found.blocks, after: new Map() };
    for (const [id, ids] of found.after) after.set(id, ids);
  }
  return { blocks: new Map(), after };
}

type OperationAsk = Ask<OperationId>;
type OperationRelease = Release<OperationId>;

interface Room {
  readonly share: Share;
  readonly allocation: Allocation;
  readonly observed: Observed;
}

function askFor(
  asks: readonly OperationAsk[],
  releases: readonly OperationRelease[],
  { share, allocation, observed }: Room,
): Admission {
  const blocks = new Map<string, Block>();
  const after = new Map<OperationId, readonly OperationId[]>();
  const counted = asks.filter((ask) => {
    const why = uncounted(ask, allocation);
    if (why !== null) blocks.set(ask.owner, { code: 'HostUnknown', message: why });
    return why === null;
  });
  const verdicts = admit(minus(share.limits, allocation.amounts), counted, releases);
  const taken: OperationAsk[] = [];
  for (const verdict of verdicts) {
    const { ask } = verdict;
    if (verdict.status === 'admitted') {
      taken.push(ask);
      for (const [id, ids] of verdict.after) after.set(id, ids);
    }
    if (verdict.status !== 'refused') continue;
    const message = overBudget(ask, verdict.lacks, { limits: share.limits, observed, taken });
    blocks.set(ask.owner, { code: 'OverBudget', message });
  }
  return { blocks, after };
}

/** From what is unknown nothing may be taken: there may be nothing left. */
function uncounted({ steps }: OperationAsk, { unknown }: Allocation): string | null {
  for (const name of AMOUNT_NAMES) {
    const why = unknown[name];
    if (why === null || steps.every(({ amounts }) => amounts[name] === 0)) continue;
    return `what the partition has left of its limits is not known: ${why}`;
  }
  return null;
}

function effectsOf(
  operations: readonly Operation[],
  context: AdmissionContext,
): { readonly asks: readonly OperationAsk[]; readonly releases: readonly OperationRelease[] } {
  const byId = new Map(operations.map((each) => [each.id, each]));
  const asks = new Map<string, OperationAsk>();
  const takers = new Set<OperationId>();
  const gives: OperationRelease[] = [];
  for (const operation of operations) {
    const { id, resource } = operation;
    const effect = effectOf(operation, { ...context, has: (other) => byId.has(other) });
    if (effect.kind === 'none' || resource === null) continue;
    const { amounts } = effect;
    if (effect.kind === 'gives') {
      gives.push({ id, amounts });
      continue;
    }
    takers.add(id);
    const owner = resourceKey(resource);
    const { steps, needs } = asks.get(owner) ?? { steps: [], needs: [] };
    const step = { id, amounts, instead: effect.instead };
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
function needsOf({ kind, resource }: Operation, context: AdmissionContext): readonly string[] {
  if (kind !== 'domain.start' || resource?.kind !== 'secondary') return [];
  // Names of Secondaries come from changes of Secondaries only.
  const secondary = context.secondaries.get(resource.name as SecondaryName);
  return (secondary?.startAfter ?? [])
    .filter((name) => !runs(name, context.observed))
    .map((name) => resourceKey({ kind: 'secondary', name }));
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
