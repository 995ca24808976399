/** Who has a disk that we lend, and who is to have one. */
import type { DomainRef, Observed } from '../model/domain.ts';

/**
 * Who has it now, or may have it: of one that is not the Primary any more nobody has looked.
 * @param lentTo who was lent it last
 */
export function holderOf(
  alias: string,
  lentTo: DomainRef | null,
  { primary }: Observed,
): DomainRef | null {
  const now = primary.status === 'present' ? primary.value : null;
  if (lentTo !== null && lentTo.uuid !== now?.uuid) return lentTo;
  if (now === null) return null;
  const { uuid, domainName, lentDisks } = now;
  return lentDisks.includes(alias) ? { uuid, domainName } : null;
}

/** Null: it does not run, and is lent one once it does. */
export function runningPrimary({ primary }: Observed): DomainRef | null {
  if (primary.status !== 'present' || primary.value.live === null) return null;
  const { uuid, domainName } = primary.value;
  return { uuid, domainName };
}
