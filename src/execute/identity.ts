/**
 * The one place through which every operation on a domain passes before it is carried out: what it
 * acts on is ours, by the name and UUID that follow from who it is for, and, where it exists, by its
 * mark (invariant 2). A plan from a file may say anything; the host decides.
 */
import { HostError } from '../host/host-error.ts';
import type { DomainRef, ObservedDomain } from '../model/domain.ts';
import { domainName, type Owner, sameOwner, secondaryUuid } from '../model/identity.ts';
import type { Operation } from '../plan/operation.ts';
import type { Plan } from '../plan/plan.ts';

/** Whom an operation is for; null for what belongs to the whole partition. */
export function ownerFor(operation: Operation, plan: Plan): Owner | null {
  const { installation, partition } = plan;
  const { secondary } = operation;
  return secondary === null ? null : { installation, partition, secondary };
}

/** @throws HostError `Refused` if the operation names a domain that is not its Secondary's */
export function checkTarget(operation: Operation, owner: Owner | null): void {
  const target = targetOf(operation);
  if (target === null && owner === null) return;
  const fits =
    target !== null &&
    owner !== null &&
    target.uuid === secondaryUuid(owner) &&
    target.domainName === domainName(owner.partition, owner.secondary);
  if (!fits) throw new HostError('Refused', `${operation.id} is not about its own Secondary`);
}

/** @throws HostError `Conflict` if the domain that is there has another owner, or none */
export function checkOwner(domain: ObservedDomain, owner: Owner | null): void {
  if (owner !== null && domain.owner !== null && sameOwner(domain.owner, owner)) return;
  throw new HostError('Conflict', `domain ${domain.domainName} is not marked as ours`);
}

function targetOf(operation: Operation): DomainRef | null {
  switch (operation.kind) {
    case 'installation.record':
      return null;
    case 'domain.define':
      return operation.definition;
    case 'domain.set-memory':
    case 'domain.start':
    case 'domain.resume':
    case 'domain.stop':
    case 'domain.note-stop':
    case 'domain.forget-stop':
    case 'domain.undefine':
      return operation.domain;
  }
}
