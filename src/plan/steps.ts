/**
 * The operations for one Secondary, in the order in which they must succeed. All policy about a
 * single VM is decided here: whether it restarts, what waits, what is asked of the running guest.
 */
import type { Change, Reason, UpdateChange } from '../diff/change.ts';
import { type FieldChange, initialFields, type Impact, onePerPath } from '../diff/fields.ts';
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
import { reasonsOfFields } from './reasons.ts';
import { wantsRestart, wantsToRun } from './run-policy.ts';
import { Chain } from './chain.ts';
import type { Operation } from './operation.ts';

export interface PlanContext {
  readonly installation: InstallationId;
  readonly partition: PartitionName;
  readonly platform: Platform;
}

/** What a plan says about one Secondary's change. */
export interface Work {
  readonly impact: Impact;
  readonly reasons: readonly Reason[];
  readonly fields: readonly FieldChange[];
  /** What the running guest does not get now and takes at its next start. */
  readonly waiting: readonly FieldChange[];
}

export interface Steps extends Work {
  readonly operations: readonly Operation[];
}

export function createSteps(secondary: Secondary, context: PlanContext): Steps {
  const definition = definitionOf(secondary, context);
  const chain = new Chain('secondary', secondary.name);
  chain.add('domain.define', 'prepare', { definition, basis: null });
  if (wantsToRun(secondary)) {
    chain.add('domain.start', 'acquire', { domain: refOf(definition) });
  }
  const fields = onePerPath(initialFields(definition.fields));
  const { operations } = chain;
  return { impact: 'none', reasons: ['not-on-host'], fields, waiting: [], operations };
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
  const graceMs = deletionGraceMs ?? observed.defined.stopGraceMs;
  if (running) {
    addNote(chain, observed, domain);
    chain.add('domain.stop', 'release', { domain, graceMs, basis: basisOf(observed) });
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
    const definition = definitionOf(change.secondary, context);
    chain.add('domain.define', 'prepare', { definition, basis: change.observed.fingerprint });
  }
  if (restarts) addRestartSteps(chain, change, domain);
  else addPowerSteps(chain, change, domain);
  return { ...describeUpdate(change, restarts), operations: chain.operations };
}

function addRestartSteps(chain: Chain, change: UpdateChange, domain: DomainRef): void {
  const graceMs = change.secondary.stopGraceMs;
  const basis = stopBasis(chain, change.observed);
  addNote(chain, change.observed, domain);
  chain.add('domain.stop', 'restart', { domain, graceMs, basis });
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
      return addHaltSteps(chain, change, domain);
  }
  const runs = power === 'start' || observed.power.status !== 'stopped';
  if (runs && observed.stopAsked) chain.add('domain.forget-stop', 'acquire', { domain });
}

function addHaltSteps(
  chain: Chain,
  { observed, secondary }: UpdateChange,
  domain: DomainRef,
): void {
  const basis = stopBasis(chain, observed);
  addNote(chain, observed, domain);
  chain.add('domain.stop', 'release', { domain, graceMs: secondary.stopGraceMs, basis });
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
  if (memory?.impact !== 'live' || !canBalloon(change)) return;
  const { memoryBytes } = change.secondary;
  // A paused guest cannot give anything back before it has been resumed.
  const releases = memoryBytes < Number(memory.from) && change.power === 'none';
  chain.add('domain.set-memory', releases ? 'release' : 'acquire', { domain, memoryBytes });
}

/** The guest moves its balloon itself, and one that is to stay paused does nothing. */
function canBalloon({ observed, power }: UpdateChange): boolean {
  return observed.power.status === 'running' || power === 'resume';
}

function describeUpdate(change: UpdateChange, restarts: boolean): Work {
  const stays = !restarts && change.power !== 'stop';
  const waits = ({ impact }: FieldChange) =>
    impact === 'restart' || (impact === 'live' && !canBalloon(change));
  const waiting = stays ? change.running.filter(waits) : [];
  return {
    impact: impactOf(change, restarts),
    reasons: reasonsOf(change),
    // What runs is what people see, so its side of a difference comes first.
    fields: onePerPath([...change.running, ...change.definition]),
    waiting,
  };
}

function impactOf({ power, observed }: UpdateChange, restarts: boolean): Impact {
  if (restarts) return 'restart';
  if (power === 'stop') return 'stop';
  return observed.live === null ? 'none' : 'live';
}

function reasonsOf({ definition, running, observed, power }: UpdateChange): Reason[] {
  const reasons = reasonsOfFields([...definition, ...running]);
  if (!observed.persistent) reasons.push('definition-gone');
  if (power === 'start') reasons.push('not-running');
  if (power === 'resume') reasons.push('paused');
  if (power === 'stop') reasons.push('should-be-halted');
  else if (observed.stopAsked && observed.live !== null) reasons.push('stop-noted');
  return reasons;
}

function definitionOf(secondary: Secondary, context: PlanContext): DomainDefinition {
  const owner: Owner = {
    installation: context.installation,
    partition: context.partition,
    secondary: secondary.name,
  };
  return {
    uuid: secondaryUuid(owner),
    domainName: domainName(context.partition, secondary.name),
    owner,
    fields: fieldsOf(secondary),
    platform: context.platform,
  };
}

function refOf({ uuid, domainName: name }: DomainRef): DomainRef {
  return { uuid, domainName: name };
}
