/** Who is to be left alone, as blocks for the next plan. */
import type { Block } from '../diff/change.ts';
import type { SecondaryName } from '../model/names.ts';
import { wallMsOf } from '../report/instant.ts';
import { type Hold, unexpired } from './accepted/wish-schema.ts';

export interface Held {
  readonly holdAll: Block | null;
  readonly holds: ReadonlyMap<SecondaryName, Block>;
}

/** @param now ISO 8601, UTC */
export function holdsFrom(
  wishes: { readonly holds: readonly Hold[]; readonly problem: string | null },
  now: string,
): Held {
  const { holds, problem } = wishes;
  const valid = unexpired(holds, now);
  const all = valid.find(({ secondary }) => secondary === null);
  // Who was to be left alone is not known, so everybody is.
  const lost = problem === null ? null : ({ code: 'Held', message: problem } as const);
  return {
    holdAll: lost ?? (all === undefined ? null : blockOf(all)),
    holds: new Map(
      valid.flatMap((hold) => (hold.secondary === null ? [] : [[hold.secondary, blockOf(hold)]])),
    ),
  };
}

function blockOf({ reason, submitter, expiresAt }: Hold): Block {
  const until = expiresAt === null ? '' : ` until ${expiresAt}`;
  return { code: 'Held', message: `paused by ${submitter}${until}: ${reason}` };
}

/** How long until the first of them expires; null: none does. @param wallMs since the epoch */
export function holdOverMs(holds: readonly Hold[], wallMs: number): number | null {
  const left = holds
    .flatMap(({ expiresAt }) => (expiresAt === null ? [] : [wallMsOf(expiresAt) - wallMs]))
    .filter((ms) => ms > 0);
  return left.length === 0 ? null : Math.min(...left);
}
