/**
 * The daemon beside a command that could do without: asked who it is, and not waited for. One that hangs keeps
 * nobody from looking at the host.
 */
import type { Command } from 'commander';
import type { About } from '../channel/client-answers.ts';
import type { DaemonClient } from '../channel/client.ts';
import { socketPath } from './daemon.ts';
import type { Environment } from './environment.ts';
import type { Limits } from './pass.ts';
import { saidOf } from './said-where.ts';
import { timeoutSignal } from './timeout-signal.ts';

const answerMs = 2000;

export interface Beside {
  readonly client: DaemonClient;
  readonly about: About;
  /** Until when it may say more. */
  readonly soon: AbortSignal;
}

/** By the command, which may want to know more than once. */
const asked = new WeakMap<Command, Promise<Beside | null>>();

/**
 * Null: there is none, or a host is named to work on.
 * @throws DaemonError where it does not say who it is
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
  const client = await environment.findDaemon(socketPath(command, environment));
  if (client === null) return null;
  const soon = AbortSignal.any([stop, timeoutSignal(answerMs)]);
  return { client, about: await client.about(soon), soon };
}
