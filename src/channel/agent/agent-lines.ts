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
    case 'state-not-written':
      return { level: 'warn', message: 'a state file could not be written' };
  }
}
