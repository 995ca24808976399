/** What is written down of a request that asks for something: who, of which partition, what, and what came of it. */
import type { PartitionName } from '../model/names.ts';
import type { Answered } from './answered.ts';
import { takesBytes } from './route-kinds.ts';
import type { Control } from './control.ts';
import type { Scope } from './scope.ts';
import { isTyping } from './typing.ts';

export interface AuditedRequest {
  readonly method: string;
  readonly url: string;
  /** As checked: of a route about a partition its name is among them. */
  readonly params: unknown;
  readonly answered: Answered;
  readonly by: string;
}

/** @param at ISO 8601, UTC */
export function auditTo(
  control: Pick<Control, 'audit'>,
  { method, url, params, answered, by }: AuditedRequest,
  { kind: from, at: place }: Scope,
  at: string,
): void {
  // Border: the schemas of the routes have checked them.
  const {
    partition,
    secondary = '',
    image = '',
  } = params as {
    readonly partition?: PartitionName;
    readonly secondary?: string;
    readonly image?: string;
  };
  // Who types is said by becoming the one who does; what they type is nobody's affair.
  if (isTyping(url) || isMiddle(url, answered)) return;
  if (partition === undefined || url.endsWith('/agent/beat')) return;
  const path = url
    .slice(place.length + 1)
    .replace(':secondary', secondary)
    .replace(':image', image);
  const request = `${method} ${path}`;
  control.audit({ at, by, from, partition, request, ...outcomeOf(answered) });
}

/** Of an upload its end is written down: there are many pieces, and who asks for nothing could fill the books. */
function isMiddle(url: string, answered: Answered): boolean {
  if (!takesBytes(url)) return false;
  if (answered.kind !== 'value') return true;
  const { receivedBytes, sizeBytes } = answered.value as {
    readonly receivedBytes?: number;
    readonly sizeBytes?: number;
  };
  return receivedBytes !== sizeBytes;
}

function outcomeOf(answered: Answered) {
  switch (answered.kind) {
    case 'problem':
      return { outcome: answered.problem.code, generation: null };
    case 'lines':
    case 'text':
      return { outcome: 'ok', generation: null };
    case 'value': {
      const { bundle } = answered.value as { readonly bundle?: { readonly generation: number } };
      return { outcome: 'ok', generation: bundle?.generation ?? null };
    }
  }
}
