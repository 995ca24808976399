/** The Primary as the operator describes it, against the domain that the host has. */
import type { Observed } from '../model/domain.ts';
import type { DesiredState } from '../model/secondary.ts';
import type { PrimaryChange } from './change.ts';
import type { Held } from './held.ts';

export function diffPrimary(
  { primary: wanted }: DesiredState,
  { partition: name, primary: seen }: Observed,
  held: Held,
): PrimaryChange | null {
  if (wanted === null || wanted === 'unspoken') return null;
  switch (seen.status) {
    case 'unknown':
      return { kind: 'blocked', name, wanted, block: { code: 'HostUnknown', message: seen.why } };
    case 'absent': {
      const message = `the host has no domain "${wanted.domainName}"; what is reserved for it stays free`;
      return { kind: 'blocked', name, wanted, block: { code: 'PrimaryMissing', message } };
    }
    case 'present':
      return {
        kind: 'present',
        name,
        wanted,
        observed: seen.value,
        held: held.get(`primary/${name}`) ?? null,
      };
  }
}
