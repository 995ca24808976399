/** `unnest logs`: what a Secondary has written to its serial console, as unnestd has kept it, as lines of text. */
import { Command, InvalidArgumentError } from 'commander';
import type { ConsoleLogLine } from '../../channel/api-reads.ts';
import { HostError } from '../../host/host-error.ts';
import type { SecondaryName } from '../../model/names.ts';
import { CommandError } from '../command-error.ts';
import { printLines } from '../console-text.ts';
import {
  type DaemonOptions,
  daemonFor,
  partitionOf,
  requireDaemon,
  socketOption,
} from '../daemon.ts';
import type { Environment, Output } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type HostOptions, requireSecondary, withHostOptions } from '../options.ts';
import { limitsOf } from '../pass.ts';

interface Options extends HostOptions, DaemonOptions {
  readonly previous?: true;
  readonly tail?: number;
  readonly follow?: true;
}

export function logsCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withHostOptions(new Command('logs'), environment)
    .addOption(socketOption(environment))
    .description('what a Secondary has written to its serial console in its last run')
    .argument('<name>', 'which one')
    .option('--previous', 'of the run before the last one')
    .option('--tail <count>', 'only this many lines, the last ones', lineCount)
    .option('-f, --follow', 'also what it writes from now on, until the run ends')
    .action(async (name: string, options: Options, command: Command) => {
      const limits = limitsOf(environment, options.timeout);
      const secondary = requireSecondary(name);
      const client = await daemonFor(command, options, environment);
      if (client === null && command.getOptionValueSource('host') === 'cli') throw byHost();
      const asked = client ?? (await requireDaemon(options, environment));
      const { previous = false, follow = false, tail = null } = options;
      const wish = { previous, follow };
      const lines = await asked.consoleLog(partitionOf(options), secondary, wish, limits.stop);
      await print(secondary, lines, tail, environment.stdout, limits.stop);
      if (limits.timedOut()) return exit(exitCodes.timeout);
      exit(limits.stop.aborted ? exitCodes.interrupted : exitCodes.ok);
    });
}

function byHost(): CommandError {
  const remedy = '`unnest console` reads what it writes from now on, also with --host';
  return new CommandError(exitCodes.usage, 'logs are kept by unnestd, and --host goes without it', {
    remedy,
  });
}

async function print(
  secondary: SecondaryName,
  lines: AsyncIterable<ConsoleLogLine>,
  tail: number | null,
  stdout: Output,
  stop: AbortSignal,
): Promise<void> {
  const all = Number.POSITIVE_INFINITY;
  await printLines(bytesIn(secondary, lines, tail), all, stdout, stop);
}

/** What is kept is cut before any of it is given; it is bounded. */
async function* bytesIn(
  secondary: SecondaryName,
  lines: AsyncIterable<ConsoleLogLine>,
  tail: number | null,
): AsyncGenerator<Uint8Array> {
  let kept: Uint8Array[] | null = tail === null ? null : [];
  const cut = () => {
    const bytes = kept === null ? null : lastLines(Buffer.concat(kept), tail ?? 0);
    kept = null;
    return bytes;
  };
  for await (const line of lines) {
    switch (line.kind) {
      case 'data': {
        const bytes = Buffer.from(line.data, 'base64');
        if (kept === null) yield bytes;
        else kept.push(bytes);
        break;
      }
      case 'now': {
        const bytes = cut();
        if (bytes !== null) yield bytes;
        break;
      }
      case 'end': {
        const bytes = cut();
        if (bytes !== null) yield bytes;
        if (line.message === null) return;
        throw new HostError('Unreachable', `reading the log of ${secondary}`, {
          cause: new Error(line.message),
        });
      }
    }
  }
}

const newLine = 0x0a;

function lastLines(bytes: Uint8Array, count: number): Uint8Array {
  // A line that goes on is one too.
  let at = bytes.at(-1) === newLine ? bytes.length - 1 : bytes.length;
  for (let left = count; left > 0 && at > 0; left -= 1) at = bytes.lastIndexOf(newLine, at - 1);
  return count === 0 ? new Uint8Array() : bytes.subarray(at < 0 ? 0 : at + (at === 0 ? 0 : 1));
}

function lineCount(text: string): number {
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number');
}
