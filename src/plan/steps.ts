/**
 * The operations for one Secondary, in the order in which they must succeed. All policy about a
 * single VM is decided here: whether it restarts, what waits, what is asked of the running guest.
 */
import type { Change, Reason, UpdateChange } from '../diff/change.ts';
import { initialFields, onePerPath } from '../diff/fields.ts';
import {
  type DomainDefinition,
  type DomainRef,
  fieldsOf,
  type Fingerprint,
  type ObservedDomain,
  type Platform,
} from '../model/domain.ts';
import { domainName, type InstallationId, type Owner, secondaryUuid } from '../model/identity.ts';
import type { PartitionName } from '../model/names.ts';
import type { Secondary } from '../model/secondary.ts';
import { Chain } from './chain.ts';
import { addDiskSteps } from './disks.ts';
import type { StopStep } from './operation.ts';
import { wantsRestart, wantsStart } from './run-policy.ts';
import { describeUpdate, takesLive } from './update-work.ts';
import type { Steps } from './work.ts';

export interface PlanContext {
  readonly installation: InstallationId;
  readonly partition: PartitionName;
  readonly platform: Platform;
}

export function createSteps(
  change: Extract<Change, { kind: 'create' }>,
  context: PlanContext,
): Steps {
  const { secondary, asked } = change;
  const definition = definitionOf(secondary, context);
  const chain = new Chain('secondary', secondary.name);
  chain.add('domain.define', 'prepare', { definition, basis: null });
  if (wantsStart(change)) {
    chain.add('domain.start', 'acquire', { domain: refOf(definition) });
  }
  const fields = onePerPath(initialFields(definition.fields));
  const { operations } = chain;
  const reasons: readonly Reason[] =
    asked === null ? ['not-on-host'] : ['not-on-host', 'asked-for'];
  return { impact: 'none', reasons, fields, waiting: [], operations };
}

export interface DeletionContext {
  /** Why what is not wanted is to go. */
  readonly deletionReason: Extract<Reason, 'not-in-documents' | 'asked-for'>;
  /** How long a guest that goes may take; null: as long as its document said. */
  readonly deletionGraceMs: number | null;
}

export function deleteSteps(
  { name, observed }: Extract<Change, { kind: 'delete' }>,
  { deletionReason, deletionGraceMs }: DeletionContext,
): Steps {
  const chain = new Chain('secondary', name);
  const domain = refOf(observed);
  const running = observed.power.status !== 'stopped';
  const { stopGraceMs, forceStop } = observed.defined;
  if (running) {
    addNote(chain, observed, domain);
    // Whose document forbids that its power is cut is at least asked.
    const graceMs = forceStop ? (deletionGraceMs ?? stopGraceMs) : deletionGraceMs || stopGraceMs;
    const steps = stopSteps(observed, { graceMs, forceStop });
    chain.add('domain.stop', 'release', { domain, graceMs, steps, basis: basisOf(observed) });
  }
  // A transient domain is gone once it has stopped.
  if (observed.persistent) {
    chain.add('domain.undefine', 'release', { domain, basis: observed.fingerprint });
  }
  return {
    impact: running ? 'stop' : 'none',
    reasons: [deletionReason],
    fields: [],
    waiting: [],
    operations: chain.operations,
  };
}

export function updateSteps(change: UpdateChange, context: PlanContext): Steps {
  const restarts = wantsRestart(change);
  const chain = new Chain('secondary', change.name);
  const domain = refOf(change.observed);
  if (change.definition.length > 0 || !change.observed.persistent) {
    const definition = definitionOf(change.secondary, context, change.observed);
    chain.add('domain.define', 'prepare', { definition, basis: change.observed.fingerprint });
  }
  if (restarts) addRestartSteps(chain, change, domain);
  else {
    addPowerSteps(chain, change, domain);
    addDiskSteps(chain, change, domain);
  }
  return { ...describeUpdate(change, restarts), operations: chain.operations };
}

function addRestartSteps(chain: Chain, change: UpdateChange, domain: DomainRef): void {
  addStop(chain, 'restart', change, domain);
  chain.add('domain.start', 'restart', { domain });
  chain.add('domain.forget-stop', 'restart', { domain });
}

function addPowerSteps(chain: Chain, change: UpdateChange, domain: DomainRef): void {
  const { observed, power } = change;
  switch (power) {
    case 'none':
      addMemoryStep(chain, change, domain);
      break;
    case 'start':
      chain.add('domain.start', 'acquire', { domain });
      break;
    case 'resume':
      chain.add('domain.resume', 'acquire', { domain });
      addMemoryStep(chain, change, domain);
      break;
    case 'stop':
      return addStop(chain, 'release', change, domain);
  }
  const runs = power === 'start' || observed.power.status !== 'stopped';
  if (runs && observed.stopAsked) chain.add('domain.forget-stop', 'acquire', { domain });
}

function addStop(
  chain: Chain,
  phase: 'restart' | 'release',
  { observed, secondary }: UpdateChange,
  domain: DomainRef,
): void {
  const { stopGraceMs: graceMs, forceStop } = secondary;
  const basis = stopBasis(chain, observed);
  const steps = stopSteps(observed, { graceMs, forceStop });
  addNote(chain, observed, domain);
  chain.add('domain.stop', phase, { domain, graceMs, steps, basis });
}

/** Whether the agent answers by then, its guest knows; that there is a channel for it, we do. */
function stopSteps(
  { agent }: ObservedDomain,
  { graceMs, forceStop }: { readonly graceMs: number; readonly forceStop: boolean },
): readonly StopStep[] {
  return [
    ...(graceMs > 0 && agent !== 'none' ? (['agent'] as const) : []),
    ...(graceMs > 0 ? (['acpi'] as const) : []),
    ...(forceStop ? (['power-off'] as const) : []),
  ];
}

/** A crash between a stop and what comes after it must not look like a guest that had finished. */
function addNote(chain: Chain, observed: ObservedDomain, domain: DomainRef): void {
  // A transient domain has no definition to keep a note in, unless this plan gives it one.
  const hasDefinition = observed.persistent || chain.operations.length > 0;
  if (!observed.stopAsked && hasDefinition) {
    chain.add('domain.note-stop', 'prepare', { domain });
  }
}

/** What this plan writes before the stop checks its own basis. */
function stopBasis(chain: Chain, observed: ObservedDomain): Fingerprint | null {
  return chain.operations.length > 0 ? null : basisOf(observed);
}

/** A transient domain's XML is that of the running guest, and moves with it. */
function basisOf({ persistent, fingerprint }: ObservedDomain): Fingerprint | null {
  return persistent ? fingerprint : null;
}

function addMemoryStep(chain: Chain, change: UpdateChange, domain: DomainRef): void {
  const memory = change.running.find(({ field }) => field === 'memoryBytes');
  if (memory?.impact !== 'live' || !takesLive(change)) return;
  const { memoryBytes } = change.secondary;
  // A paused guest cannot give anything back before it has been resumed.
  const releases = memoryBytes < Number(memory.from) && change.power === 'none';
  chain.add('domain.set-memory', releases ? 'release' : 'acquire', { domain, memoryBytes });
}

function definitionOf(
  secondary: Secondary,
  context: PlanContext,
  before: ObservedDomain | null = null,
): DomainDefinition {
  const owner: Owner = {
    installation: context.installation,
    partition: context.partition,
    secondary: secondary.name,
  };
  return {
    uuid: secondaryUuid(owner),
    domainName: domainName(context.partition, secondary.name),
    owner,
    fields: fieldsOf(secondary, before?.defined),
    platform: context.platform,
  };
}

function refOf({ uuid, domainName: name }: DomainRef): DomainRef {
  return { uuid, domainName: name };
}
