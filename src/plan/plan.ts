/**
 * From changes to a plan: every operation in execution order, with nothing left to decide. The
 * same changes give the same plan, byte for byte. What `plan` prints is what `apply` runs.
 */
import type { Block, Change, Changes } from '../diff/change.ts';
import type { Observed, Platform } from '../model/domain.ts';
import type { InstallationId } from '../model/identity.ts';
import { resourceKey } from '../model/resource.ts';
import type { PartitionName, SecondaryName, VolumeName } from '../model/names.ts';
import type { Secondary } from '../model/secondary.ts';
import { type Admission, admission } from './admission.ts';
import { volumesOf } from '../diff/volume.ts';
import { withBlocks } from './blocks.ts';
import { inOrderOfPhases, withDependencies } from './dependencies.ts';
import { movesNow } from './disks.ts';
import { guard } from './guards.ts';
import type { Guards } from './guards-of-deletions.ts';
import { stayingStations } from './guards-of-use.ts';
import type { PlanEntry } from './entry.ts';
import { type Operation, type OperationId, operationId, PHASES } from './operation.ts';
import { givenBack, type Staying } from './network.ts';
import {
  planFilter,
  planImage,
  planImageDisk,
  planIntake,
  planNetwork,
  planNic,
  planPrimary,
  planSecondary,
  planSeed,
  planSlice,
  planVolume,
  type Planned,
} from './planned.ts';
import type { DeletionContext, PlanContext } from './steps.ts';
import { withRequests } from './requests.ts';
import { wantsStart } from './run-policy.ts';
import { startOrder, withStartOrder } from './start-order.ts';
import { roomBlocks } from './store-room.ts';
import type { Watch, Wishes } from './wishes.ts';

export interface Plan {
  readonly partition: PartitionName;
  readonly installation: InstallationId;
  /** The Primary, the slice, the network, its filter, the Primary's NIC on it, intakes, Images, the image disk, seeds, Volumes, Secondaries, each by name: everything that was looked at. */
  readonly entries: readonly PlanEntry[];
  /** In execution order: by phase, then by start order, then by name. */
  readonly operations: readonly Operation[];
}

export type PlanOptions = DeletionContext & Guards & Wishes;

export function makePlan(changes: Changes, observed: Observed, options: PlanOptions): Plan {
  const asked = withRequests(changes, options.requests);
  const blocks = new Map<string, Block>();
  for (;;) {
    const draft = draftOf(withBlocks(asked, observed, blocks), observed, options);
    if (draft.blocks.size === 0) return finished(draft, observed);
    // Each time there are more of them, so it comes to an end.
    for (const [key, block] of draft.blocks) blocks.set(key, block);
  }
}

/** A plan that need not fit yet. */
interface Draft {
  readonly planned: readonly Planned[];
  readonly operations: readonly Operation[];
  /** What there is no room for. */
  readonly blocks: ReadonlyMap<string, Block>;
}

function draftOf(changes: Changes, observed: Observed, options: PlanOptions): Draft {
  const context = contextFor(observed, options);
  const hasWork = (change: Change) => planSecondary(change, context).operations.length > 0;
  const guarded = guard(changes, observed, options, hasWork);
  const planned = heldBack(planAll(guarded, observed, context), options);
  const ordered = inStartOrder(planned, guarded, observed, options.watch);
  const secondaries = wantedIn(guarded);
  const linked = withDependencies(ordered, secondaries, observed);
  const started = withStartOrder(linked, guarded.secondaries);
  const waiting = waitingIn(changes, guarded);
  const room = { secondaries, observed, platform: context.platform, waiting };
  const { blocks, after, primary } = admission(started, guarded, room);
  // Of the store nothing is kept for what is not made anyway.
  const unstored =
    blocks.size === 0 && options.holdAll === null ? noStoreFor(guarded, observed) : [];
  const own =
    guarded.primary === null ? [] : heldBack([planPrimary(guarded.primary, primary)], options);
  const all = [...own.flatMap(({ operations }) => operations), ...started];
  return {
    planned: [...own, ...planned],
    operations: withRoom(all, after),
    blocks: new Map([...blocks, ...imagesKept(changes, guarded), ...unstored]),
  };
}

function noStoreFor(
  { volumes }: Changes,
  observed: Observed,
): readonly (readonly [string, Block])[] {
  return [...roomBlocks(volumes, observed)].map(
    ([name, block]) => [resourceKey({ kind: 'volume', name }), block] as const,
  );
}

/** Images that a guard keeps as they are: whoever begins as what they were to be waits, too. */
function imagesKept(changes: Changes, guarded: Changes): ReadonlyMap<string, Block> {
  const wanted = new Set(
    changes.images.filter(({ kind }) => kind === 'create').map(({ name }) => name),
  );
  return new Map(
    guarded.images.flatMap((change) => {
      const { kind, name } = change;
      if (kind !== 'blocked' || !wanted.has(name)) return [];
      return [[resourceKey({ kind: 'image', name }), change.block] as const];
    }),
  );
}

/** Who is to be started, and is not for now. */
function waitingIn(changes: Changes, guarded: Changes): readonly Secondary[] {
  const goesOn = wantedIn(guarded);
  return changes.secondaries.flatMap((change) =>
    (change.kind === 'create' || change.kind === 'update') &&
    wantsStart(change) &&
    !goesOn.has(change.name)
      ? [change.secondary]
      : [],
  );
}

function finished({ planned, operations }: Draft, observed: Observed): Plan {
  return {
    partition: observed.partition,
    installation: observed.installation,
    entries: withAwaits(
      planned.map(({ entry }) => entry),
      operations,
    ),
    operations: inPhases(withInstallation(operations, observed)),
  };
}

/** Whoever needs room waits for those who make it. */
function withRoom(
  operations: readonly Operation[],
  after: Admission['after'],
): readonly Operation[] {
  if ([...after.values()].every((ids) => ids.length === 0)) return operations;
  const known = new Set(operations.map(({ id }) => id));
  const waiting = operations.map((operation) => {
    const ids = [operation.id, ...takingItsPlace(operation)];
    // Of the Primary only that is done which turned out to be needed.
    const more = ids
      .flatMap((id) => after.get(id) ?? [])
      .filter((id) => known.has(id) && !operation.after.includes(id));
    return more.length === 0 ? operation : { ...operation, after: [...operation.after, ...more] };
  });
  return inOrderOfPhases(waiting);
}

/** What is given up for something else is there for as long as that has no room. */
function takingItsPlace(operation: Operation): readonly OperationId[] {
  return operation.kind === 'image.delete' ? [operationId('image.import', operation.image)] : [];
}

/** Whatever would be done is blocked where all is held; what is blocked anyway keeps its reason. */
function heldBack(planned: readonly Planned[], { holdAll }: PlanOptions): readonly Planned[] {
  if (holdAll === null) return planned;
  return planned.map((each) => {
    if (each.operations.length === 0) return each;
    const { resource } = each.entry;
    return { entry: { kind: 'blocked', resource, block: holdAll }, operations: [] };
  });
}

/** Who waits to be ready does so under its own entry. */
function withAwaits(
  entries: readonly PlanEntry[],
  operations: readonly Operation[],
): readonly PlanEntry[] {
  const awaits = new Map(
    operations.flatMap(({ kind, id, resource }) =>
      kind === 'domain.await-ready' && resource !== null ? [[resource.name, id] as const] : [],
    ),
  );
  if (awaits.size === 0) return entries;
  return entries.map((entry) => {
    const id = entry.resource.kind === 'secondary' ? awaits.get(entry.resource.name) : undefined;
    if (id === undefined || !('operations' in entry)) return entry;
    return { ...entry, operations: [...entry.operations, id] };
  });
}

function contextFor(observed: Observed, options: PlanOptions): PlanContext & DeletionContext {
  return {
    installation: observed.installation,
    partition: observed.partition,
    platform: platformOf(observed),
    deletionReason: options.deletionReason,
    deletionGraceMs: options.deletionGraceMs,
  };
}

/** Only read for what needs it: with unknown facts, `diff` has blocked every create and start. */
function platformOf({ facts }: Observed): Platform {
  return facts.status === 'present' ? facts.value.platform : { domainType: 'none', machine: null };
}

function planAll(
  changes: Changes,
  observed: Observed,
  context: PlanContext & DeletionContext,
): readonly Planned[] {
  const { slice, network, filter, nic, imageDisk, intakes, images, seeds, volumes, secondaries } =
    changes;
  const givenUp = new Set(secondaries.flatMap(givenUpBy));
  const staying: Staying =
    observed.unlisted === null ? stayingStations(changes, observed) : 'everybody';
  return [
    ...(slice === null ? [] : [planSlice(slice, context)]),
    ...(network === null ? [] : [planNetwork(network, context, staying)]),
    ...(filter === null ? [] : [planFilter(filter, context, givenBack(network, staying))]),
    ...(nic === null ? [] : [planNic(nic, context)]),
    ...intakes.map((change) => planIntake(change, context)),
    ...images.map((change) => planImage(change, context)),
    // Once they have what they need: there has to be room for two of it then.
    ...(imageDisk === null ? [] : [planImageDisk(imageDisk, context, images)]),
    ...seeds.map((change) => planSeed(change, context)),
    ...volumes.map((change) => planVolume(change, context, givenUp.has(change.name))),
    ...secondaries.map((change) => planSecondary(change, context)),
  ];
}

/** The Volumes of a guest that is shut down by this plan, or lets go of them. */
function givenUpBy(change: Change): readonly VolumeName[] {
  if (change.kind !== 'delete' && change.kind !== 'update') return [];
  const { live } = change.observed;
  const stops = change.kind === 'delete' || change.power === 'stop';
  return stops && live !== null ? volumesOf(live) : movesNow(change).detach;
}

/** What others need first, then Secondaries by who starts after whom. */
function inStartOrder(
  planned: readonly Planned[],
  { secondaries }: Changes,
  observed: Observed,
  watch: Watch,
): readonly Operation[] {
  const isSecondary = ({ entry }: Planned) => entry.resource.kind === 'secondary';
  const byName = new Map(
    planned.filter(isSecondary).map((each) => [each.entry.resource.name, each.operations]),
  );
  return [
    ...planned.filter((each) => !isSecondary(each)).flatMap(({ operations }) => operations),
    ...startOrder(secondaries, observed, watch).names.flatMap((name) => byName.get(name) ?? []),
  ];
}

function wantedIn({ secondaries }: Changes): ReadonlyMap<SecondaryName, Secondary> {
  return new Map(
    secondaries.flatMap((change) =>
      change.kind === 'create' || change.kind === 'update'
        ? [[change.name, change.secondary] as const]
        : [],
    ),
  );
}

/** The id is on disk before the first thing that derives from it is made. */
function withInstallation(
  operations: readonly Operation[],
  observed: Observed,
): readonly Operation[] {
  if (observed.installationRecorded || operations.length === 0) return operations;
  const id = operationId('installation.record', null);
  const record: Operation = {
    kind: 'installation.record',
    id,
    resource: null,
    phase: 'prepare',
    after: [],
    installation: observed.installation,
  };
  return [record, ...operations.map((step) => ({ ...step, after: [id, ...step.after] }))];
}

/** By phase; within one the order stays as it is, but for what waits for something further down. */
function inPhases(operations: readonly Operation[]): readonly Operation[] {
  return PHASES.flatMap((phase) => {
    const ofPhase = operations.filter((operation) => operation.phase === phase);
    const waiting = new Map(ofPhase.map((operation) => [operation.id, operation]));
    const ordered: Operation[] = [];
    const visit = (operation: Operation): void => {
      if (!waiting.delete(operation.id)) return;
      for (const id of operation.after) {
        const earlier = waiting.get(id);
        if (earlier !== undefined) visit(earlier);
      }
      ordered.push(operation);
    };
    ofPhase.forEach(visit);
    return ordered;
  });
}
