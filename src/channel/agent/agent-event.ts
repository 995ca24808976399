/** What happens in an agent, as one closed union: whoever runs it makes lines of it. */
import type { PartitionName } from '../../model/names.ts';
import type { LeftAloneCode } from './nic-said.ts';

export type AgentEvent =
  | { readonly kind: 'connected'; readonly partition: PartitionName }
  /** Told once for as long as the reason is the same. */
  | { readonly kind: 'disconnected'; readonly code: string; readonly message: string }
  | { readonly kind: 'accepted'; readonly generation: number }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'unread'; readonly code: string; readonly message: string }
  /** As the host wants it, by the agent. */
  | { readonly kind: 'nic-configured'; readonly interface: string; readonly address: string }
  /** One of the agent's own, that the host wants there no more. */
  | { readonly kind: 'nic-address-removed'; readonly interface: string; readonly address: string }
  /** Told once for as long as the reason is the same, as the next two. */
  | {
      readonly kind: 'nic-left-alone';
      readonly interface: string;
      readonly code: LeftAloneCode;
      readonly message: string;
    }
  | { readonly kind: 'nic-missing'; readonly message: string }
  | { readonly kind: 'nic-failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'state-not-written'; readonly message: string };

export type EmitAgent = (event: AgentEvent) => void;
