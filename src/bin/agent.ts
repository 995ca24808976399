/** The agent on a real machine: its runtime, the way to the host, and its log. */
import { createConnection, type Socket } from 'node:net';
import { pino } from 'pino';
import { runAgent } from '../channel/agent/agent.ts';
import type { AgentEvent } from '../channel/agent/agent-event.ts';
import { agentLineOf } from '../channel/agent/agent-lines.ts';
import type { AgentSettings } from '../cli/environment.ts';
import { logDestinationOf } from '../daemon/machine/log-destination.ts';
import { machineRuntime } from '../daemon/machine/machine-runtime.ts';
import { dialVsock } from '../daemon/machine/vsock.ts';
import { machineLinks } from '../host/local/links.ts';
import { instantOf } from '../report/instant.ts';
import { version } from './version.ts';

/** VMADDR_CID_HOST (vsock(7)). */
const hostCid = 2;

export async function agentOnMachine(settings: AgentSettings, stop: AbortSignal): Promise<void> {
  const { host, runDir, group, folder, configureNic } = settings;
  const links = configureNic ? machineLinks() : null;
  const runtime = machineRuntime();
  // Timers of the runtime keep nobody alive, and the agent lives until it is told to end.
  const alive = setInterval(() => undefined, 2 ** 30);
  const emit = logTo(process.stdout);
  const dial =
    host.kind === 'vsock' ? () => dialVsock(hostCid, host.port) : () => dialUnix(host.path);
  const hostName = host.kind === 'vsock' ? `vsock port ${host.port} of the host` : host.path;
  try {
    await runAgent({ version, runtime, dial, hostName, runDir, group, folder, links, emit }, stop);
  } finally {
    clearInterval(alive);
  }
}

function dialUnix(path: string): Promise<Socket> {
  return new Promise((done, fail) => {
    const socket = createConnection({ path, allowHalfOpen: true });
    socket.once('connect', () => done(socket));
    socket.once('error', fail);
  });
}

/** One line of JSON for each event, as unnestd's. */
function logTo(stream: NodeJS.WriteStream): (event: AgentEvent) => void {
  const logger = pino(
    {
      base: null,
      timestamp: () => `,"time":"${instantOf(Date.now())}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    unlessLost(logDestinationOf(stream)),
  );
  return ({ kind, ...fields }) => {
    const { level, message: text } = agentLineOf({ kind, ...fields } as AgentEvent);
    const { message: reason, ...rest } = fields as { readonly message?: string };
    logger[level]({ event: kind, ...rest, ...(reason === undefined ? {} : { reason }) }, text);
  };
}

/** That nobody reads the log ends no agent. */
function unlessLost(to: { write(line: string): void }): { write(line: string): void } {
  return {
    write: (line) => {
      try {
        to.write(line);
      } catch {
        // It is lost.
      }
    },
  };
}
