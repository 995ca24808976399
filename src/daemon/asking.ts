/** Asking something of a partition, as far as it is open. */
import type { Answer } from '../channel/control.ts';
import type { WishAnswer } from './accepted/wishes.ts';
import type { Authority } from './authority.ts';
import type { KeptPartition } from './kept-partition.ts';
import type { Partition } from './partition.ts';

export interface Asked {
  readonly kept: KeptPartition;
  readonly authority: Authority;
  readonly loop: Partition;
}

type Refused = Extract<Answer, { readonly status: 'refused' }>;

export async function asking<A>(
  kept: KeptPartition | null,
  ask: (asked: Asked) => Promise<A>,
): Promise<A | Refused | null> {
  return askingNow(kept, ask);
}

/** Of what nobody has to wait for. */
export function askingNow<A>(
  kept: KeptPartition | null,
  ask: (asked: Asked) => A,
): A | Refused | null {
  if (kept === null) return null;
  const { authority, loop } = kept;
  if (authority === null || loop === null) {
    return { status: 'refused', code: 'NotOpen', message: notOpenMessage(kept) };
  }
  return ask({ kept, authority, loop });
}

export function notOpenMessage({ name, status }: KeptPartition): string {
  const why = status.conditions.find(({ type }) => type === 'Accepted')?.message ?? '';
  return `partition ${name} could not be opened yet: ${why}`;
}

export function answered(answer: WishAnswer, message: string): Answer {
  switch (answer.status) {
    case 'ok':
      return { status: 'ok', message };
    case 'refused':
      return answer;
  }
}
