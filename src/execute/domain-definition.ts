/** `domain.define`, `domain.undefine`, and the note in a definition: what libvirt keeps of a domain. */
import { HostError } from '../host/host-error.ts';
import type { DomainDefinition, DomainRef, FieldName, ObservedDomain } from '../model/domain.ts';
import { sameOwner } from '../model/identity.ts';
import type { OperationOf } from '../plan/operation.ts';
import type { Done, Workbench } from './executors.ts';
import { checkBasis, readDomain, requireDomain } from './observe-domain.ts';

export async function defineDomain(
  { definition, basis }: OperationOf<'domain.define'>,
  bench: Workbench,
): Promise<Done> {
  const before = await readDomain(definition, bench);
  if (before !== null && isDefined(before, definition)) return 'already';
  checkBasis(definition, before, basis);
  await bench.host.domains.define(definition, bench.signal);
  const after = await requireDomain(definition, bench);
  if (isDefined(after, definition)) return 'applied';
  throw new HostError('Refused', `${definition.domainName} is not defined as it was asked to be`);
}

export async function undefineDomain(
  { domain, basis }: OperationOf<'domain.undefine'>,
  bench: Workbench,
): Promise<Done> {
  const before = await readDomain(domain, bench);
  if (before === null) return 'already';
  checkBasis(domain, before, basis);
  await bench.host.domains.undefine(domain, bench.signal);
  if ((await readDomain(domain, bench)) === null) return 'applied';
  throw new HostError('Conflict', `${domain.domainName} is still there after it was undefined`);
}

export async function noteStop(domain: DomainRef, asked: boolean, bench: Workbench): Promise<Done> {
  if ((await requireDomain(domain, bench)).stopAsked === asked) return 'already';
  await bench.host.domains.noteStop(domain, asked, bench.signal);
  if ((await requireDomain(domain, bench)).stopAsked === asked) return 'applied';
  throw new HostError('Conflict', `the note on ${domain.domainName} was changed by somebody else`);
}

function isDefined({ defined, persistent, owner }: ObservedDomain, wanted: DomainDefinition) {
  const names = Object.keys(wanted.fields) as FieldName[];
  const ours = owner !== null && sameOwner(owner, wanted.owner);
  return persistent && ours && names.every((name) => defined[name] === wanted.fields[name]);
}
