/** What each event of an agent is in its log: how grave, and which constant message. */
import type { AgentEvent } from './agent-event.ts';

interface AgentLogLine {
  readonly level: 'info' | 'warn';
  readonly message: string;
}

export function agentLineOf({ kind }: AgentEvent): AgentLogLine {
  switch (kind) {
    case 'connected':
      return { level: 'info', message: 'the host listens' };
    case 'disconnected':
      return { level: 'warn', message: 'there is no connection to the host' };
    case 'accepted':
      return { level: 'info', message: 'the host has accepted the documents' };
    case 'refused':
      return { level: 'warn', message: 'the host has refused the documents' };
    case 'unread':
      return { level: 'warn', message: 'the documents could not be read' };
    case 'nic-configured':
      return { level: 'info', message: "the NIC on the partition's network is configured" };
    case 'nic-address-removed':
      return { level: 'info', message: 'an address of the agent was removed from an interface' };
    case 'nic-left-alone':
      return { level: 'warn', message: "the NIC on the partition's network is left alone" };
    case 'nic-missing':
      return { level: 'info', message: "there is no NIC on the partition's network yet" };
    case 'nic-failed':
      return { level: 'warn', message: "the NIC on the partition's network is not configured" };
    case 'state-not-written':
      return { level: 'warn', message: 'a state file could not be written' };
  }
}
