/** What happens in an agent, as one closed union: whoever runs it makes lines of it. */
import type { PartitionName } from '../../model/names.ts';

export type AgentEvent =
  | { readonly kind: 'connected'; readonly partition: PartitionName }
  /** Told once for as long as the reason is the same. */
  | { readonly kind: 'disconnected'; readonly code: string; readonly message: string }
  | { readonly kind: 'accepted'; readonly generation: number }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'unread'; readonly code: string; readonly message: string }
  | { readonly kind: 'state-not-written'; readonly message: string };

export type EmitAgent = (event: AgentEvent) => void;
