/**
 * The agent in a Primary: the one that speaks with the host. It hands in what a folder holds, forwards
 * what others in the VM ask, configures the NIC that the host has given it where it is asked to, and writes down what the host says. Whatever becomes of it, what was
 * accepted stays in force.
 */
import type { Runtime } from '../../daemon/runtime.ts';
import { daemonClient } from '../client.ts';
import type { Links } from '../../host/links.ts';
import type { EmitAgent } from './agent-event.ts';
import { FolderSync } from './folder-sync.ts';
import { forwardToHost } from './forwarding.ts';
import { type Dial, hostTransport } from './host-agent.ts';
import { NicCare } from './nic-care.ts';
import { StateFiles } from './state-files.ts';
import { stayConnected } from './stay.ts';

export interface AgentOptions {
  /** Its own. */
  readonly version: string;
  readonly runtime: Runtime;
  /** How to get to the host, and how to call that. */
  readonly dial: Dial;
  readonly hostName: string;
  /** Absolute, and not in what is watched. */
  readonly runDir: string;
  /** Whose members may use the socket; null: the agent's own. */
  readonly group: string | null;
  /** Whose documents are handed in; null: what others in the VM hand in. */
  readonly folder: string | null;
  /** The interfaces of this VM, of which it is to configure the one on the partition's network; null: it is not. */
  readonly links: Links | null;
  readonly emit: EmitAgent;
}

const socketMode = 0o660;
/** Its stay, the status, the documents, and one more. Together with those of others, fewer than the host takes. */
const connectionsOwn = 4;
const connectionsForOthers = 16;

/** Resolves when the signal has fired and all is put in order. @throws Error if it cannot listen */
export async function runAgent(options: AgentOptions, signal: AbortSignal): Promise<void> {
  const { version, runtime, dial, hostName, runDir, group, folder, links, emit } = options;
  await runtime.files.makeFolder(runDir, 0o755);
  const path = `${runDir}/agent.sock`;
  // What others ask waits for one another, and never keeps the agent waiting.
  const own = hostTransport(hostName, dial, connectionsOwn);
  const host = hostTransport(hostName, dial, connectionsForOthers);
  const client = daemonClient(own, { version });
  const address = { kind: 'unix', path, mode: socketMode, group } as const;
  const listening = await forwardToHost({ runtime, address, host, folder });
  const files = new StateFiles({ runtime, runDir, socket: path, emit });
  const onSaid = (said: Parameters<StateFiles['folder']>[0]) => files.folder(said);
  const sync = folder === null ? null : new FolderSync({ runtime, client, folder, emit, onSaid });
  const onNicSaid = (said: Parameters<StateFiles['nic']>[0]) => files.nic(said);
  const nic = links === null ? null : new NicCare({ runtime, links, emit, onSaid: onNicSaid });
  const caring = nic?.run(signal);
  await stayConnected(
    {
      client,
      runtime,
      emit,
      onConnected: (partition) => {
        files.connected(partition);
        sync?.connected(partition);
      },
      onDisconnected: (message) => {
        files.disconnected(message);
        sync?.disconnected();
      },
      onStatus: (status) => {
        files.status(status);
        nic?.hear(status);
      },
    },
    signal,
  );
  files.disconnected('the agent has ended');
  await sync?.close();
  await caring;
  await listening.close();
  host.close();
  own.close();
  await files.close();
}
