/**
 * `unnest console`: what a Secondary writes to its serial console, and typing there. On a terminal it is the
 * console itself; anywhere else lines of text, without the control characters a terminal would obey.
 */
import { Command, InvalidArgumentError } from 'commander';
import type { Host } from '../../host/ports.ts';
import type { DomainRef } from '../../model/domain.ts';
import { CommandError, usageError } from '../command-error.ts';
import {
  type ConsoleLink,
  linkThrough,
  linkTo,
  pieceBytesMax,
  type Typing,
} from '../console-link.ts';
import { showScreen } from '../console-screen.ts';
import { printLines } from '../console-text.ts';
import { askDaemonFirst } from '../daemon-first.ts';
import type { Environment, Target, Terminal } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { findSecondary } from '../one-secondary.ts';
import { type HostOptions, requireSecondary, withHostOptions } from '../options.ts';
import { type Limits, limitsOf } from '../pass.ts';
import { targetFor } from '../place.ts';
import { using } from '../using.ts';

interface Options extends HostOptions {
  readonly lines?: number;
  readonly readOnly?: true;
  readonly write?: true;
  readonly force?: true;
}

export function consoleCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withHostOptions(new Command('console'), environment)
    .description("a Secondary's serial console: on a terminal type there too, until Ctrl-]")
    .argument('<name>', 'which one')
    .option('--lines <count>', 'only read, and end after this many lines', positive)
    .option('--read-only', 'only read, also on a terminal: as lines of text, until Ctrl-C')
    .option('--write', 'type what comes on standard input, also where it is no terminal')
    .option('--force', 'type also where another does, who is told and only reads from then on')
    .action(async (name: string, options: Options, command: Command) => {
      const limits = limitsOf(environment, options.timeout);
      const session = sessionOf(options, environment, limits);
      const secondary = requireSecondary(name);
      const through = await askDaemonFirst(command, options, environment, limits, (client, of) =>
        session((typing, stop) => linkThrough(client, { ...of, secondary }, typing, stop)),
      );
      if (through !== null) return exit(through);
      const target = await targetFor(command, options, environment, limits);
      const code = await using(environment.openHost, target, limits, async (host) => {
        const ref = await findRunning(name, host, target, environment, limits);
        return session((typing, stop) => linkTo(ref, host, typing, stop));
      });
      exit(code);
    });
}

type Opening = (typing: Typing | null, stop: AbortSignal) => Promise<ConsoleLink>;

function sessionOf(
  options: Options,
  environment: Environment,
  limits: Limits,
): (opening: Opening) => Promise<ExitCode> {
  const { readOnly = false, write = false, force = false, lines } = options;
  if (readOnly && (write || force)) {
    throw usageError(`--read-only does not go with --${write ? 'write' : 'force'}`);
  }
  const { terminal } = environment;
  const isScreen = terminal !== null && !readOnly && lines === undefined;
  if (isScreen) return (opening) => onScreen(opening, force, terminal, limits, environment);
  const typing = write || force ? { force } : null;
  return (opening) => asText(opening, typing, options, environment, limits);
}

async function onScreen(
  opening: Opening,
  force: boolean,
  terminal: Terminal,
  limits: Limits,
  { stderr }: Environment,
): Promise<ExitCode> {
  const leaving = new AbortController();
  const stop = AbortSignal.any([limits.stop, leaving.signal]);
  // What is said before the terminal is ours is said then.
  const said: string[] = [];
  let say = (text: string): void => void said.push(text);
  const typing: Typing = {
    force,
    onReady: () => undefined,
    onReadOnly: (why) => say(`only reading: ${why} (--force takes it)`),
  };
  const code = await endOf(limits, leaving.signal, async () => {
    const link = await opening(typing, stop);
    stderr.write('Ctrl-] leaves the console.\n');
    await showScreen({ link, terminal, leave: () => leaving.abort(), stop }, (sayNow) => {
      say = sayNow;
      for (const text of said) sayNow(text);
    });
  });
  stderr.write(
    code === exitCodes.ok && !leaving.signal.aborted ? '\nthe guest has ended it\n' : '\n',
  );
  return code;
}

async function asText(
  opening: Opening,
  typing: { readonly force: boolean } | null,
  { lines = Number.POSITIVE_INFINITY }: Options,
  environment: Environment,
  limits: Limits,
): Promise<ExitCode> {
  const over = new AbortController();
  const stop = AbortSignal.any([limits.stop, over.signal]);
  let failure: unknown = null;
  const fail = (error: unknown) => {
    if (!stop.aborted) failure = error;
    over.abort();
  };
  let ready = (): void => undefined;
  const isReady = new Promise<void>((done) => (ready = done));
  const wish: Typing | null = typing && {
    ...typing,
    onReady: ready,
    onReadOnly: (why) => fail(notWriter(why)),
  };
  const code = await endOf(limits, over.signal, async () => {
    const link = await opening(wish, stop);
    const typeAll = async () => {
      await isReady;
      for await (const bytes of environment.standardInput(stop)) await typeOn(link, bytes);
    };
    if (typing !== null) typeAll().catch(fail);
    await printLines(link.bytes, lines, environment.stdout, stop);
  }).finally(() => over.abort());
  if (failure !== null) throw failure;
  return code;
}

async function typeOn(link: ConsoleLink, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += pieceBytesMax) {
    await link.type(bytes.subarray(at, at + pieceBytesMax));
  }
}

function notWriter(why: string): CommandError {
  const remedy = '`--force` takes it from them; without --write it is only read';
  return new CommandError(exitCodes.conflict, why, { remedy });
}

/**
 * How it ended is told by the limits: what breaks reading off differs from host to host, and may be
 * an error as well as the end of the stream.
 */
async function endOf(
  limits: Limits,
  left: AbortSignal,
  work: () => Promise<void>,
): Promise<ExitCode> {
  try {
    await work();
    if (!limits.stop.aborted) return exitCodes.ok;
  } catch (error) {
    if (!limits.stop.aborted && !left.aborted) throw error;
  }
  if (limits.timedOut()) return exitCodes.timeout;
  return limits.stop.aborted ? exitCodes.interrupted : exitCodes.ok;
}

async function findRunning(
  name: string,
  host: Host,
  target: Target,
  environment: Environment,
  limits: Limits,
): Promise<DomainRef> {
  const found = await findSecondary(name, host, target, environment, limits);
  if (found.domain !== null && found.status === 'Running') return found.domain;
  throw new CommandError(exitCodes.partial, `${name} does not run: it is ${found.status}`);
}

function positive(text: string): number {
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number from 1');
}
