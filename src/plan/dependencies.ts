/**
 * What waits for what between resources: a guest for what it boots, its disks and its address, a Volume for its
 * Image, and whatever is taken away for everybody who had it to let go.
 */
import { bootImagesIn } from '../diff/boot-images.ts';
import { overlaysIn } from '../diff/image.ts';
import { isPlugged } from '../diff/nic.ts';
import { seedsOf } from '../diff/seed.ts';
import { volumesOf } from '../diff/volume.ts';
import type { Observed, ObservedDomain } from '../model/domain.ts';
import { PRIMARY_STATION } from '../model/names.ts';
import { resourceKey } from '../model/resource.ts';
import { bootImagesOf, type Secondary, usesOf } from '../model/secondary.ts';
import type { VolumeUse } from '../model/volume.ts';
import {
  diskName,
  type Operation,
  type OperationId,
  operationId,
  type Phase,
  PHASES,
} from './operation.ts';

export function withDependencies(
  operations: readonly Operation[],
  secondaries: ReadonlyMap<string, Secondary>,
  observed: Observed,
): readonly Operation[] {
  const context = contextOf(operations, secondaries, observed);
  const linked = operations.map((operation) => {
    const needs = needsOf(operation, context).filter(
      (id) => context.byId.has(id) && id !== operation.id && !operation.after.includes(id),
    );
    return needs.length === 0 ? operation : { ...operation, after: [...operation.after, ...needs] };
  });
  return inOrderOfPhases(linked);
}

interface Context {
  readonly secondaries: ReadonlyMap<string, Secondary>;
  readonly observed: Observed;
  readonly byId: ReadonlyMap<OperationId, Operation>;
  /** By resource: the last thing that is done about it. */
  readonly last: ReadonlyMap<string, OperationId>;
  /** By Volume: whose domains have it now. */
  readonly users: ReadonlyMap<string, readonly string[]>;
  /** By Image: whose domains are booted with it now. */
  readonly bootUsers: ReadonlyMap<string, readonly string[]>;
  /** By seed: whose domains have it now. */
  readonly seedUsers: ReadonlyMap<string, readonly string[]>;
  /** Whose domains are on the network now. */
  readonly onNetwork: readonly string[];
  /** Whose domains are in the partition's slice now. */
  readonly inSlice: readonly string[];
  readonly overlays: ReturnType<typeof overlaysIn>;
  /** By Volume: those that this plan makes as copies of it. */
  readonly copies: ReadonlyMap<string, readonly OperationId[]>;
}

function contextOf(
  operations: readonly Operation[],
  secondaries: ReadonlyMap<string, Secondary>,
  observed: Observed,
): Context {
  const last = new Map<string, OperationId>();
  for (const { id, resource } of operations) {
    if (resource !== null) last.set(resourceKey(resource), id);
  }
  const users = new Map<string, string[]>();
  const bootUsers = new Map<string, string[]>();
  const seedUsers = new Map<string, readonly string[]>();
  const onNetwork: string[] = [];
  const inSlice: string[] = [];
  for (const [name, seen] of observed.domains) {
    if (seen.status !== 'present') continue;
    for (const volume of volumesIn(seen.value))
      users.set(volume, [...(users.get(volume) ?? []), name]);
    for (const image of bootImagesIn(seen.value, observed))
      bootUsers.set(image, [...(bootUsers.get(image) ?? []), name]);
    for (const seed of seedsOf(name, seen.value)) seedUsers.set(seed, [name]);
    if (isOnNetwork(seen.value)) onNetwork.push(name);
    if (isInSlice(seen.value)) inSlice.push(name);
  }
  if (isPlugged(observed)) onNetwork.push(PRIMARY_STATION);
  const byId = new Map(operations.map((operation) => [operation.id, operation]));
  const overlays = overlaysIn(observed);
  const copies = copiesIn(operations);
  const uses = { users, bootUsers, seedUsers, onNetwork, inSlice, overlays, copies };
  return { secondaries, observed, byId, last, ...uses };
}

function copiesIn(operations: readonly Operation[]): ReadonlyMap<string, readonly OperationId[]> {
  const copies = new Map<string, OperationId[]>();
  for (const operation of operations) {
    if (operation.kind !== 'volume.create' || operation.volume.copyOf === null) continue;
    const { copyOf } = operation.volume;
    copies.set(copyOf, [...(copies.get(copyOf) ?? []), operation.id]);
  }
  return copies;
}

/** What must have succeeded first, whether or not this plan does it. */
function needsOf(operation: Operation, context: Context): readonly OperationId[] {
  const { byId, users, onNetwork } = context;
  switch (operation.kind) {
    case 'volume.create': {
      const { origin, copyOf } = operation.volume;
      return [
        ...(origin === null ? [] : [operationId('image.import', origin.image)]),
        ...(copyOf === null ? [] : [operationId('volume.create', copyOf)]),
      ];
    }
    case 'domain.start':
      return [...partsOf(operation, context), ...handedOver(operation, context)];
    case 'domain.attach-disk': {
      const { volume } = operation;
      const name = operation.resource?.name ?? '';
      const own = usesFor(name, context).filter((use) => use.volume === volume);
      return [...own.flatMap((use) => partsOfUse(use, context)), ...givenUp(volume, name, context)];
    }
    case 'domain.stop':
      // Half of a restart: whoever goes down must be able to come up again.
      return operation.phase === 'restart' ? partsToComeUp(operation, context) : [];
    case 'volume.delete':
      // What is only in the way of a new one had been given up before.
      if (byId.has(operationId('volume.create', operation.volume))) return [];
      return [...lettingGoOf(operation.volume, context), ...copiesOf(operation.volume, context)];
    case 'volume.grow': {
      const having = users.get(operation.volume) ?? [];
      const detaches = detachesOf(operation.volume, having);
      return [...stopsAmong(having, context), ...detaches, ...copiesOf(operation.volume, context)];
    }
    case 'image.delete':
      return [
        ...(context.overlays.get(operation.image) ?? []).map(({ name }) =>
          operationId('volume.delete', name),
        ),
        ...lettingGoOfImage(operation.image, context),
      ];
    case 'seed.delete':
      if (byId.has(operationId('seed.create', operation.seed))) return [];
      return lettingGo(context.seedUsers.get(operation.seed) ?? [], context);
    case 'slice.remove':
      return lettingGo(context.inSlice, context);
    case 'network.stop':
    case 'network.undefine':
      return operation.phase === 'release' ? lettingGo(onNetwork, context) : [];
    case 'network.unreserve':
    case 'filter.close':
      return lettingGo([operation.secondary], context);
    case 'filter.remove':
      return [
        ...lettingGo(onNetwork, context),
        operationId('network.undefine', context.observed.partition),
      ];
    case 'primary.plug':
      return networkFor(PRIMARY_STATION, context.observed);
    case 'intake.fill':
      return [operationId('primary.take-image-disk', context.observed.partition)];
    case 'installation.record':
    case 'domain.define':
    case 'domain.set-memory':
    case 'domain.resume':
    case 'domain.await-ready':
    case 'domain.note-stop':
    case 'domain.forget-stop':
    case 'domain.undefine':
    case 'domain.detach-disk':
    case 'domain.grow-disk':
    case 'volume.set-deletion-policy':
    case 'intake.create':
    case 'intake.delete':
    case 'primary.lend-disk':
    case 'primary.take-disk':
    case 'image-disk.create':
    case 'image-disk.rework':
    case 'image-disk.delete':
    case 'primary.lend-image-disk':
    case 'primary.take-image-disk':
    case 'image.verify':
    case 'image.import':
    case 'seed.create':
    case 'primary.set-vcpus':
    case 'primary.set-memory':
    case 'primary.unplug':
    case 'slice.apply':
    case 'filter.apply':
    case 'network.define':
    case 'network.start':
    case 'network.reserve':
      return [];
  }
}

/** Whoever has something lets go of it with the last that is done about them. */
function lettingGo(names: readonly string[], context: Context): readonly OperationId[] {
  const { last, observed } = context;
  return names.flatMap((name) => {
    if (name === PRIMARY_STATION) return operationId('primary.unplug', observed.partition);
    return last.get(`secondary/${name}`) ?? [];
  });
}

/** One that is only unplugged is given up by that and by the definition, whatever else becomes of its guest. */
function lettingGoOf(volume: string, context: Context): readonly OperationId[] {
  const having = context.users.get(volume) ?? [];
  return having.flatMap((name) => {
    const [detach] = detachesOf(volume, [name]);
    if (detach === undefined || !context.byId.has(detach)) return lettingGo([name], context);
    return [operationId('domain.define', name), detach];
  });
}

/**
 * Of one that is replaced only those who stop for good, or go: the others come up with the new one. Who is saved
 * has them until it is gone.
 */
function lettingGoOfImage(image: string, context: Context): readonly OperationId[] {
  const having = context.bootUsers.get(image) ?? [];
  const isReplaced = context.byId.has(operationId('image.import', image));
  if (!isReplaced) return lettingGo(having, context);
  const gone = having.map((name) => operationId('domain.undefine', name));
  return [...stopsAmong(having, context), ...gone];
}

function copiesOf(volume: string, { copies }: Context): readonly OperationId[] {
  return copies.get(volume) ?? [];
}

function detachesOf(volume: string, names: readonly string[]): readonly OperationId[] {
  return names.map((name) => operationId('domain.detach-disk', diskName(name, volume)));
}

/** Only of those that stop and stay so: the others need what is done before they come up again. */
function stopsAmong(names: readonly string[], { byId }: Context): readonly OperationId[] {
  return names
    .map((name) => operationId('domain.stop', name))
    .filter((id) => byId.get(id)?.phase === 'release');
}

function partsOf({ resource }: Operation, context: Context): OperationId[] {
  return partsFor(resource?.name ?? '', context);
}

function partsFor(name: string, context: Context): OperationId[] {
  const { secondaries, observed } = context;
  const secondary = secondaries.get(name);
  if (secondary === undefined) return [];
  const slice = secondary.slice === 'Partition' ? [sliceApply(observed)] : [];
  const disks = usesOf(secondary).flatMap((use) => partsOfUse(use, context));
  const { seed } = secondary;
  const own = [
    ...slice,
    ...(seed === null ? [] : [operationId('seed.create', seed.name)]),
    ...bootImagesOf(secondary.boot).map(([image]) => operationId('image.import', image)),
    ...disks,
  ];
  if (secondary.network === 'None') return own;
  return [...own, ...networkFor(secondary.name, observed)];
}

function partsOfUse({ volume, backing }: VolumeUse, context: Context): OperationId[] {
  return [
    operationId('volume.create', volume),
    // What is to grow grows before it is anybody's again.
    operationId('volume.grow', volume),
    // What it writes is in none of them.
    ...copiesOf(volume, context),
    ...(backing === null ? [] : [operationId('image.import', backing.image)]),
  ];
}

function networkFor(name: string, { partition }: Observed): OperationId[] {
  return [
    operationId('filter.apply', partition),
    operationId('network.start', partition),
    operationId('network.reserve', name),
  ];
}

function sliceApply({ partition }: Observed): OperationId {
  return operationId('slice.apply', partition);
}

/** Whose guest is stopped by this plan, or lets go of it, and has a Volume that this one is to have. */
function handedOver({ resource }: Operation, context: Context): OperationId[] {
  const name = resource?.name ?? '';
  return usesFor(name, context).flatMap(({ volume }) => givenUp(volume, name, context));
}

function usesFor(name: string, { secondaries }: Context): readonly VolumeUse[] {
  const secondary = secondaries.get(name);
  return secondary === undefined ? [] : usesOf(secondary);
}

/** By everybody but the one who is to have it. */
function givenUp(volume: string, to: string, { users }: Context): OperationId[] {
  const givers = (users.get(volume) ?? []).filter((user) => user !== to);
  return [...givers.map((name) => operationId('domain.stop', name)), ...detachesOf(volume, givers)];
}

/**
 * What a restart waits for before it begins: its own parts, and those of everybody who restarts to
 * give it a Volume. Not their stops: two that swap would wait for each other.
 */
function partsToComeUp(operation: Operation, context: Context): readonly OperationId[] {
  const { byId } = context;
  const parts: OperationId[] = [];
  const asked = new Set<string>();
  const ask = [operation.resource?.name ?? ''];
  for (let name = ask.pop(); name !== undefined; name = ask.pop()) {
    if (asked.has(name)) continue;
    asked.add(name);
    parts.push(...partsFor(name, context));
    const given = usesFor(name, context).flatMap(({ volume }) => givenUp(volume, name, context));
    for (const giving of given.flatMap((id) => byId.get(id) ?? [])) {
      if (giving.phase === 'restart') ask.push(giving.resource?.name ?? '');
      else parts.push(giving.id);
    }
  }
  return parts;
}

/** In its definition, or running. */
export function volumesIn({ live, defined }: ObservedDomain): ReadonlySet<string> {
  return new Set([...volumesOf(defined), ...(live === null ? [] : volumesOf(live))]);
}

export function isOnNetwork({ live, defined }: ObservedDomain): boolean {
  return live?.network === 'Partition' || defined.network === 'Partition';
}

export function isInSlice({ live, defined }: ObservedDomain): boolean {
  return live?.slice === 'Partition' || defined.slice === 'Partition';
}

/** No operation is in a phase before those that it waits for. */
export function inOrderOfPhases(operations: readonly Operation[]): readonly Operation[] {
  const phases = new Map<OperationId, Phase>(operations.map(({ id, phase }) => [id, phase]));
  for (let moved = true; moved;) {
    moved = false;
    for (const { id, after } of operations) {
      const phase = latest([id, ...after].flatMap((each) => phases.get(each) ?? []));
      if (phase === phases.get(id)) continue;
      phases.set(id, phase);
      moved = true;
    }
  }
  return operations.map((each) => ({ ...each, phase: phases.get(each.id) ?? each.phase }));
}

function latest(phases: readonly Phase[]): Phase {
  const index = Math.max(...phases.map((phase) => PHASES.indexOf(phase)));
  return PHASES[index] ?? 'acquire';
}
