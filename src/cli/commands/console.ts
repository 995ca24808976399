/**
 * `unnest console`: what a Secondary writes to its serial console, from now on. It only reads; the
 * guest's bytes are shown as text, without the control characters a terminal would obey.
 */
import { Command, InvalidArgumentError } from 'commander';
import type { ConsoleLine } from '../../channel/api-reads.ts';
import type { DaemonClient } from '../../channel/client.ts';
import { HostError } from '../../host/host-error.ts';
import type { Host } from '../../host/ports.ts';
import type { DomainRef } from '../../model/domain.ts';
import type { PartitionName, SecondaryName } from '../../model/names.ts';
import { CommandError } from '../command-error.ts';
import type { Environment, Output, Target } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { clientInPrimary } from '../in-primary.ts';
import { findSecondary } from '../one-secondary.ts';
import { type HostOptions, requireSecondary, targetOf, withHostOptions } from '../options.ts';
import { type Limits, limitsOf } from '../pass.ts';
import { targetFor } from '../place.ts';
import { printable } from '../render/paint.ts';
import { using } from '../using.ts';

interface Options extends HostOptions {
  readonly lines?: number;
}

export function consoleCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withHostOptions(new Command('console'), environment)
    .description('show what a Secondary writes to its serial console, until Ctrl-C or it stops')
    .argument('<name>', 'which one')
    .option('--lines <count>', 'end after this many lines', positive)
    .action(async (name: string, options: Options, command: Command) => {
      const limits = limitsOf(environment, options.timeout);
      const client = await clientInPrimary(command, environment, limits);
      if (client !== null) {
        const { partition } = targetOf(options);
        const opening = () => readThrough(client, partition, requireSecondary(name), limits);
        return exit(await follow(opening, options, environment, limits));
      }
      const target = await targetFor(command, options, environment, limits);
      const code = await using(environment.openHost, target, limits, async (host) => {
        const ref = await findRunning(name, host, target, environment, limits);
        const opening = async () => chunksOf(ref, await openConsole(ref, host, limits));
        return follow(opening, options, environment, limits);
      });
      exit(code);
    });
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

/**
 * How it ended is told by the limits: what breaks reading off differs from host to host, and may be
 * an error as well as the end of the stream.
 */
async function follow(
  opening: () => Promise<AsyncIterable<Uint8Array>>,
  options: Options,
  environment: Environment,
  limits: Limits,
): Promise<ExitCode> {
  try {
    if (await printLines(await opening(), options, environment.stdout, limits)) return exitCodes.ok;
  } catch (error) {
    if (!limits.stop.aborted) throw error;
  }
  if (limits.timedOut()) return exitCodes.timeout;
  return limits.stop.aborted ? exitCodes.interrupted : exitCodes.ok;
}

/** In a Primary. */
async function readThrough(
  client: DaemonClient,
  partition: PartitionName,
  secondary: SecondaryName,
  { stop }: Limits,
): Promise<AsyncIterable<Uint8Array>> {
  return bytesIn(secondary, await client.console(partition, secondary, stop));
}

async function* bytesIn(
  secondary: SecondaryName,
  lines: AsyncIterable<ConsoleLine>,
): AsyncGenerator<Uint8Array> {
  for await (const line of lines) {
    switch (line.kind) {
      case 'data':
        yield Buffer.from(line.data, 'base64');
        break;
      case 'end':
        if (line.message === null) return;
        throw new HostError('Unreachable', `reading the console of ${secondary}`, {
          cause: new Error(line.message),
        });
    }
  }
}

async function openConsole(
  ref: DomainRef,
  host: Host,
  { stop }: Limits,
): Promise<AsyncIterable<Uint8Array>> {
  try {
    return await host.domains.console(ref, stop);
  } catch (cause) {
    if (!(cause instanceof HostError) || cause.code !== 'Refused') throw cause;
    const remedy =
      'only one can read a console at a time: is `unnest console` or `virsh console` open? ' +
      'With serialConsole: false there is none';
    throw new CommandError(exitCodes.partial, `${ref.domainName} has no console for us`, {
      cause,
      remedy,
    });
  }
}

/** The port promises errors of opening; what breaks an open stream is the connection's. */
async function* chunksOf(
  { domainName }: DomainRef,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (cause) {
    throw new HostError('Unreachable', `reading the console of ${domainName}`, { cause });
  }
}

const lineCharactersMax = 4096;

/** @returns whether that many lines have come as were asked for. */
async function printLines(
  chunks: AsyncIterable<Uint8Array>,
  { lines: linesMax = Number.POSITIVE_INFINITY }: Options,
  stdout: Output,
  { stop }: Limits,
): Promise<boolean> {
  const decoder = new TextDecoder();
  let rest = '';
  let left = linesMax;
  for await (const chunk of chunks) {
    const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split('\n');
    rest = (lines.pop() ?? '').slice(-lineCharactersMax);
    for (const line of lines.slice(0, left)) stdout.write(`${cleanLine(line)}\n`);
    // The guest waits for a reader that does not read, instead of our memory filling up.
    await stdout.taken(stop);
    left -= lines.length;
    if (left <= 0) return true;
  }
  if (rest !== '') stdout.write(`${cleanLine(rest)}\n`);
  return false;
}

/** Without the carriage return that ends a serial line, and without ANSI colour and cursor moves. */
function cleanLine(line: string): string {
  // oxlint-disable-next-line no-control-regex -- escape sequences begin with one
  return printable(line.replace(/\u001b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])/g, '').replace(/\r/g, ''));
}

function positive(text: string): number {
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number from 1');
}
