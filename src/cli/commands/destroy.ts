/**
 * `unnest destroy`: remove Secondaries by name, or all of a partition. It is a plan like any other,
 * for a desired state without them. Volumes go only with the whole partition, and only those whose
 * policy says so; files in the store stay.
 */
import { Command, Option } from 'commander';
import { diff } from '../../diff/diff.ts';
import { HostError } from '../../host/host-error.ts';
import type { Host } from '../../host/ports.ts';
import type { Changes, FilterChange, NetworkChange } from '../../diff/change.ts';
import { isOurs } from '../../diff/network.ts';
import type { Observed } from '../../model/domain.ts';
import type { PartitionOwner } from '../../model/identity.ts';
import type { SecondaryName } from '../../model/names.ts';
import { makePlan, type Plan } from '../../plan/plan.ts';
import { noWishes } from '../../plan/wishes.ts';
import { carryOut } from '../carry-out.ts';
import { usageError } from '../command-error.ts';
import { secondaryOf } from '../../model/seed.ts';
import type { Environment, Target } from '../environment.ts';
import type { ExitCode } from '../exit-codes.ts';
import {
  type HostOptions,
  outputOption,
  requireSecondary,
  wholeSeconds,
  withHostOptions,
} from '../options.ts';
import { nothingWanted } from '../../observe/wanted.ts';
import { type Limits, limitsOf, observeHost } from '../pass.ts';
import { using } from '../using.ts';
import { refuseKept, targetFor } from '../place.ts';
import { whileLocked } from '../while-locked.ts';

interface Options extends HostOptions {
  readonly output: 'text' | 'json';
  readonly yes?: boolean;
  readonly all?: boolean;
  readonly gracePeriod?: number;
}

export function destroyCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withHostOptions(new Command('destroy'), environment)
    .description('shut Secondaries down and remove them; their Volumes and files stay')
    .argument('[name...]', 'which ones')
    .option('--all', 'every Secondary, the network, and Volumes with deletionPolicy: Delete')
    .addOption(outputOption('text', 'json'))
    .addOption(
      new Option('--grace-period <seconds>', 'power off after this time; 0: at once').argParser(
        wholeSeconds,
      ),
    )
    .option('-y, --yes', 'do not ask')
    .action(async (names: readonly string[], options: Options, command: Command) => {
      exit(await runDestroy(names, options, command, environment));
    });
}

type Chosen = 'all' | readonly SecondaryName[];

async function runDestroy(
  names: readonly string[],
  options: Options,
  command: Command,
  environment: Environment,
): Promise<ExitCode> {
  const chosen: Chosen = options.all ? 'all' : names.map(requireSecondary);
  if (chosen === 'all' && names.length > 0) throw usageError('both names and --all were given');
  if (chosen.length === 0) throw usageError('nothing was named', 'give names, or --all');
  const limits = limitsOf(environment, options.timeout);
  const target = await targetFor(command, options, environment, limits);
  const remove = async () => {
    await refuseKept(command, target, environment, limits);
    return using(environment.openHost, target, limits, async (host) => {
      const plan = await planRemoval(chosen, host, target, options, environment, limits);
      const { output, yes = false } = options;
      return carryOut(plan, host, { output, yes, seedContents: new Map() }, environment, limits);
    });
  };
  return whileLocked(environment.lock(target), remove, throughDaemon);
}

/** unnestd would make anew what is still in the documents. */
const throughDaemon = 'take its document out and `unnest apply`, or `unnest drain`';

async function planRemoval(
  chosen: Chosen,
  host: Host,
  { partition }: Target,
  { gracePeriod }: Options,
  environment: Environment,
  limits: Limits,
): Promise<Plan> {
  const observed = await observeHost(host, partition, nothingWanted, environment, limits);
  if (chosen === 'all') checkAllListed(observed);
  const nothing = {
    secondaries: new Map(),
    volumes: new Map(),
    images: new Map(),
    imageHosts: [],
    seedContents: new Map(),
  };
  // Of one Secondary the network loses the address, and of all of them itself.
  const network = chosen === 'all' ? null : 'unspoken';
  const unspoken = {
    share: 'unspoken',
    primary: 'unspoken',
    commonCpus: 'unspoken',
  } as const;
  const changes = diff({ partition, ...nothing, network, ...unspoken }, observed);
  return makePlan(pick(changes, chosen, observed), observed, {
    ...noWishes,
    deleteEverything: true,
    deletionsMax: null,
    deletionReason: 'asked-for',
    deletionGraceMs: gracePeriod === undefined ? null : gracePeriod * 1000,
  });
}

/** @throws CommandError `usage` if one of the names is not there */
function pick(changes: Changes, chosen: Chosen, observed: Observed): Changes {
  if (chosen === 'all') return changes;
  const { secondaries, network, filter } = changes;
  const there = secondaries.map(({ name }) => name);
  const missing = chosen.filter((name) => !there.includes(name));
  if (missing.length === 0) {
    return {
      share: changes.share,
      slice: null,
      primary: null,
      nic: null,
      network: network === null ? null : onlyAddressesOf(network, chosen, observed),
      filter: filter === null ? null : onlyPortsOf(filter),
      imageDisk: null,
      intakes: [],
      images: [],
      seeds: changes.seeds.filter(({ name }) => chosen.includes(secondaryOf(name))),
      volumes: [],
      secondaries: secondaries.filter(({ name }) => chosen.includes(name)),
    };
  }
  throw usageError(
    `partition ${observed.partition} has no Secondary ${missing.join(', ')}`,
    `it has: ${there.join(', ') || 'none'}`,
  );
}

/** All of what could not be listed is not nothing. */
function checkAllListed(observed: Observed): void {
  const { unlistedVolumes, unlistedImages, unlistedIntakes, unlistedSeeds } = observed;
  const why = unlistedVolumes ?? unlistedImages ?? unlistedIntakes ?? unlistedSeeds;
  if (why === null) return;
  throw new HostError('Unreachable', 'the store could not be listed', { cause: new Error(why) });
}

/** Who loses their address loses their port. */
function onlyPortsOf(filter: FilterChange): FilterChange | null {
  return filter.kind === 'update' ? { ...filter, changes: [] } : null;
}

/** What else there may be to mend about the network is not what was asked for. */
function onlyAddressesOf(
  network: NetworkChange,
  chosen: readonly SecondaryName[],
  us: PartitionOwner,
): NetworkChange | null {
  if (network.kind !== 'update') return null;
  const unreserve = chosen.filter((name) => isOurs(name, network.observed.leases, us));
  return {
    ...network,
    definition: [],
    running: [],
    reserve: new Map(),
    unreserve,
    activate: false,
  };
}
