/**
 * `unnest destroy`: remove Secondaries by name, or all of a partition's. It is a plan like any
 * other, for a desired state without them; their files in the store stay.
 */
import { Command } from 'commander';
import { diff } from '../../diff/diff.ts';
import type { Host } from '../../host/ports.ts';
import { type SecondaryName, secondaryName } from '../../model/names.ts';
import { makePlan, type Plan } from '../../plan/plan.ts';
import { carryOut } from '../carry-out.ts';
import { usageError } from '../command-error.ts';
import type { Environment, Target } from '../environment.ts';
import type { ExitCode } from '../exit-codes.ts';
import { type HostOptions, outputOption, targetOf, withHostOptions } from '../options.ts';
import { type Limits, limitsOf, observeHost } from '../pass.ts';
import { using } from '../using.ts';
import { whileLocked } from '../while-locked.ts';

interface Options extends HostOptions {
  readonly output: 'text' | 'json';
  readonly yes?: boolean;
  readonly all?: boolean;
}

export function destroyCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withHostOptions(new Command('destroy'), environment)
    .description('shut Secondaries down and remove them; their files stay')
    .argument('[name...]', 'which ones')
    .option('--all', 'every Secondary of the partition')
    .addOption(outputOption('text', 'json'))
    .option('-y, --yes', 'do not ask')
    .action(async (names: readonly string[], options: Options) => {
      exit(await runDestroy(names, options, environment));
    });
}

async function runDestroy(
  names: readonly string[],
  options: Options,
  environment: Environment,
): Promise<ExitCode> {
  const chosen = options.all ? 'all' : names.map(requireName);
  if (chosen === 'all' && names.length > 0) throw usageError('both names and --all were given');
  if (chosen.length === 0) throw usageError('nothing was named', 'give names, or --all');
  const target = targetOf(options);
  const limits = limitsOf(environment, options.timeout);
  return whileLocked(environment.lock(target), () =>
    using(environment.openHost(target), async (host) => {
      const plan = await planRemoval(chosen, host, target, environment, limits);
      const { output, yes = false } = options;
      return carryOut(plan, host, { output, yes }, environment, limits);
    }),
  );
}

async function planRemoval(
  chosen: 'all' | readonly SecondaryName[],
  host: Host,
  target: Target,
  environment: Environment,
  limits: Limits,
): Promise<Plan> {
  const none = new Map<SecondaryName, never>();
  const observed = await observeHost(host, target.partition, none, environment, limits);
  const changes = diff({ partition: target.partition, secondaries: none }, observed);
  const removals = chosen === 'all' ? changes : changes.filter(({ name }) => chosen.includes(name));
  const missing =
    chosen === 'all'
      ? []
      : chosen.filter((name) => !removals.some((change) => change.name === name));
  if (missing.length > 0) {
    const there = changes.map(({ name }) => name).join(', ') || 'none';
    throw usageError(
      `partition ${target.partition} has no Secondary ${missing.join(', ')}`,
      `it has: ${there}`,
    );
  }
  return makePlan(removals, observed, { deleteEverything: true, deletionReason: 'asked-for' });
}

function requireName(text: string): SecondaryName {
  const name = secondaryName(text);
  if (name !== undefined) return name;
  throw usageError(`"${text}" is not the name of a Secondary`);
}
