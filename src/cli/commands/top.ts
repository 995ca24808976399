/**
 * `unnest top`: what partitions really use, as the kernel counts it for their slices, and their guests,
 * as libvirt counts it, beside what is allocated to them and what they may have.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import type { PartitionName } from '../../model/names.ts';
import type { PartitionStatus } from '../../report/partition-status.ts';
import type { GuestSample, UsageSample } from '../../report/usage-sample.ts';
import { type DaemonOptions, requireDaemon, withDaemonOptions, withinLimits } from '../daemon.ts';
import type { Environment } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { outputOption, partitionGiven } from '../options.ts';
import { type Limits, limitsOf } from '../pass.ts';
import { renderTop, type Used, type UsedByGuest } from '../render/top.ts';

interface Options extends DaemonOptions {
  readonly secondaries?: true;
  readonly output: 'text' | 'json';
}

export function topCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withDaemonOptions(new Command('top'), environment)
    .description('show what partitions really use, beside what is allocated and what they may have')
    .option('--secondaries', 'also each running Secondary')
    .addOption(outputOption('text', 'json'))
    .action(async (options: Options, command: Command) => {
      const limits = limitsOf(environment, options.timeout);
      const name = partitionGiven(command, environment);
      const rows = await withinLimits(
        limits,
        'the usage was read',
        measure(name, options, environment, limits),
      );
      const { stdout } = environment;
      stdout.write(
        options.output === 'json' ? `${JSON.stringify(rows, null, 2)}\n` : renderTop(rows),
      );
      exit(exitCodes.ok);
    });
}

/** Long enough for the kernel's counts to move, short enough not to be waited for. */
const betweenMs = 1000;

async function measure(
  name: PartitionName | null,
  options: Options,
  environment: Environment,
  limits: Limits,
): Promise<readonly Used[]> {
  const client = await requireDaemon(options, environment);
  const { stop } = limits;
  const statuses =
    name === null ? (await client.partitions(stop)).items : [await client.status(name, stop)];
  const all = options.secondaries === true;
  const look = ({ partition }: PartitionStatus) => client.usage(partition, all, stop);
  const first = await Promise.all(statuses.map(look));
  // Whoever ends it learns so from the next look.
  await sleep(betweenMs, undefined, { signal: stop }).catch(() => undefined);
  const second = await Promise.all(statuses.map(look));
  return statuses.map((status, index) => usedBetween(status, first[index], second[index]));
}

function usedBetween(
  status: PartitionStatus,
  first: UsageSample | undefined,
  second: UsageSample | undefined,
): Used {
  const { partition, usage } = status;
  const { allocated, limits } = usage;
  const elapsedUs = Math.max(1, ((second?.atMs ?? 0) - (first?.atMs ?? 0)) * 1000);
  const guests = guestsBetween(status, first, second, elapsedUs);
  const of = { partition, allocated, limits, ...(guests === null ? {} : { secondaries: guests }) };
  const [before, now] = [first?.slice ?? null, second?.slice ?? null];
  if (before === null || now === null) {
    return { ...of, cpus: null, memoryBytes: null, processes: null };
  }
  const { memoryBytes, processes } = now;
  return { ...of, cpus: cpusBetween(before, now, elapsedUs), memoryBytes, processes };
}

function guestsBetween(
  { secondaries }: PartitionStatus,
  first: UsageSample | undefined,
  second: UsageSample | undefined,
  elapsedUs: number,
): readonly UsedByGuest[] | null {
  const [before, after] = [first?.secondaries ?? null, second?.secondaries ?? null];
  if (before === null || after === null) return null;
  const byName = (all: readonly GuestSample[]) => new Map(all.map((each) => [each.name, each]));
  const [thens, nows] = [byName(before), byName(after)];
  return secondaries.flatMap(({ name, vcpus, memoryBytes: given }) => {
    const [then, now] = [thens.get(name), nows.get(name)];
    if (now === undefined) return [];
    // One that was started in between has used nothing before.
    const cpus = then === undefined ? null : cpusBetween(then, now, elapsedUs);
    return [{ name, cpus, memoryBytes: now.memoryBytes, vcpus, givenBytes: given }];
  });
}

interface Counted {
  readonly cpuUs: number;
}

function cpusBetween(before: Counted, now: Counted, elapsedUs: number): number {
  return Math.max(0, now.cpuUs - before.cpuUs) / elapsedUs;
}
