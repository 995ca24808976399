/** `unnest events`: what has happened in unnestd, and with `-w` what happens. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { EventRecord } from '../../report/event.ts';
import { type DaemonOptions, requireDaemon, withDaemonOptions, withinLimits } from '../daemon.ts';
import type { Environment } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { outputOption, partitionGiven } from '../options.ts';
import { type Limits, limitsOf } from '../pass.ts';
import { eventLine } from '../render/events.ts';
import { paintFor } from '../render/paint.ts';

interface Options extends DaemonOptions {
  readonly output: 'text' | 'json';
  readonly watch?: boolean;
  readonly after?: number;
}

export function eventsCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withDaemonOptions(new Command('events'), environment)
    .description('show what has happened, of a partition with -p, and what happens with -w')
    .option('-w, --watch', 'go on with those that come')
    .addOption(
      new Option('--after <number>', 'only those behind this one, of `-o json`').argParser(
        sequence,
      ),
    )
    .addOption(outputOption('text', 'json'))
    .action(async (options: Options, command: Command) => {
      exit(await runEvents(options, command, environment));
    });
}

async function runEvents(
  options: Options,
  command: Command,
  environment: Environment,
): Promise<ExitCode> {
  const { after, watch = false } = options;
  const limits = limitsOf(environment, options.timeout);
  const client = await requireDaemon(options, environment);
  const partition = partitionGiven(command, environment);
  const query = {
    watch,
    ...(after === undefined ? {} : { after }),
    ...(partition === null ? {} : { partition }),
  };
  await withinLimits(
    limits,
    'events were read',
    client.events(query, limits.stop).then((events) => print(events, options, environment, limits)),
  );
  if (limits.timedOut()) return exitCodes.timeout;
  return limits.stop.aborted ? exitCodes.interrupted : exitCodes.ok;
}

/** With `-o json` a line is an event: a stream has no end to close a list with. */
async function print(
  events: AsyncIterable<EventRecord>,
  { output }: Options,
  { stdout, variables }: Environment,
  { stop }: Limits,
): Promise<void> {
  const paint = paintFor(stdout, variables);
  for await (const record of events) {
    stdout.write(`${output === 'json' ? JSON.stringify(record) : eventLine(record, paint)}\n`);
    await stdout.taken(stop);
  }
}

function sequence(text: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected the number of an event');
}
