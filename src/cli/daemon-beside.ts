/**
 * The daemon beside a command that could do without: asked who it is, and not waited for. One that hangs keeps
 * nobody from looking at the host. Where somebody has said which socket, as the agent does in a Primary, there
 * is no host to look at in its place.
 */
import type { Command } from 'commander';
import type { About } from '../channel/client-answers.ts';
import type { DaemonClient } from '../channel/client.ts';
import { DaemonError } from '../channel/daemon-error.ts';
import { requireDaemon, socketPath } from './daemon.ts';
import type { Environment } from './environment.ts';
import type { Limits } from './pass.ts';
import { saidOf } from './said-where.ts';
import { timeoutSignal } from '../host/timeout-signal.ts';

/** A Primary may be as busy as its tenant likes, and its agent asks a host that is. */
const answerSecondsMax = { besideHost: 5, alone: 30 };

export interface Beside {
  readonly client: DaemonClient;
  readonly about: About;
  /** Until when it may say more. */
  readonly soon: AbortSignal;
}

/** By the command, which may want to know more than once. */
const asked = new WeakMap<Command, Promise<Beside | null>>();

/**
 * Null: there is none that says who it is, or a host is named to work on.
 * @throws DaemonError where there is none, and nothing else that could be asked
 */
export function daemonBeside(
  command: Command,
  environment: Environment,
  limits: Limits,
): Promise<Beside | null> {
  const asking = asked.get(command) ?? askWho(command, environment, limits);
  asked.set(command, asking);
  return asking;
}

async function askWho(
  command: Command,
  environment: Environment,
  { stop }: Limits,
): Promise<Beside | null> {
  if (saidOf(command, 'host', environment) !== 'nothing') return null;
  const socket = socketPath(command, environment);
  const isAlone = saidOf(command, 'socket', environment) !== 'nothing';
  const client = isAlone
    ? await requireDaemon({ socket }, environment)
    : await environment.findDaemon(socket);
  if (client === null) return null;
  const secondsMax = isAlone ? answerSecondsMax.alone : answerSecondsMax.besideHost;
  const soon = AbortSignal.any([stop, timeoutSignal(secondsMax * 1000)]);
  try {
    return { client, about: await client.about(soon), soon };
  } catch (error) {
    if (!(error instanceof DaemonError)) throw error;
    const isLate = error.code === 'Cancelled' && !stop.aborted;
    const late = `${socket} has not answered within ${secondsMax} s`;
    if (isAlone) throw isLate ? new DaemonError('NoAnswer', late) : error;
    // What only it knows is missing from what is said then.
    if (isLate) environment.stderr.write(`${late}: this is said without unnestd\n`);
    return null;
  }
}
