/**
 * `unnest top`: what partitions really use, as the kernel counts it for their slices, beside what is
 * allocated to them and what they may have.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import type { HostView } from '../../host/ports.ts';
import { slicePath } from '../../model/identity.ts';
import type { PartitionName } from '../../model/names.ts';
import type { SliceUsage } from '../../model/slice.ts';
import type { PartitionStatus } from '../../report/partition-status.ts';
import { type DaemonOptions, requireDaemon, withDaemonOptions, withinLimits } from '../daemon.ts';
import type { Environment } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { outputOption, partitionGiven } from '../options.ts';
import { type Limits, limitsOf } from '../pass.ts';
import { renderTop, type Used } from '../render/top.ts';
import { using } from '../using.ts';

interface Options extends DaemonOptions {
  readonly output: 'text' | 'json';
}

export function topCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withDaemonOptions(new Command('top'), environment)
    .description('show what partitions really use, beside what is allocated and what they may have')
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
  const { host: uri, stateDir } = await client.about(stop);
  const look = async ({ partition }: PartitionStatus): Promise<Sample> => {
    // An older daemon does not say where its host is.
    if (uri === null || stateDir === null) return { atMs: environment.now(), usage: null };
    return using(environment.openView, { uri, stateDir, partition }, limits, (view) =>
      usageOf(view, partition, environment, limits),
    );
  };
  const first = await Promise.all(statuses.map(look));
  // Whoever ends it learns so from the next look.
  await sleep(betweenMs, undefined, { signal: stop }).catch(() => undefined);
  const second = await Promise.all(statuses.map(look));
  return statuses.map((status, index) => usedBetween(status, first[index], second[index]));
}

interface Sample {
  readonly atMs: number;
  /** Null: there is no slice, or it could not be read. */
  readonly usage: SliceUsage | null;
}

async function usageOf(
  { installation, slices }: HostView,
  partition: PartitionName,
  { now }: Environment,
  { stop }: Limits,
): Promise<Sample> {
  const id = await installation.read();
  if (id === null) return { atMs: now(), usage: null };
  const path = slicePath({ installation: id, partition });
  // A host without cgroup v2 has none, and allocations are shown all the same.
  const seen = await slices.find({ path }, stop).catch(() => null);
  return { atMs: now(), usage: seen?.status === 'present' ? seen.value.usage : null };
}

function usedBetween(
  { partition, usage }: PartitionStatus,
  first: Sample | undefined,
  second: Sample | undefined,
): Used {
  const { allocated, limits } = usage;
  const [before, now] = [first?.usage ?? null, second?.usage ?? null];
  if (before === null || now === null) {
    return { partition, cpus: null, memoryBytes: null, processes: null, allocated, limits };
  }
  const elapsedUs = Math.max(1, ((second?.atMs ?? 0) - (first?.atMs ?? 0)) * 1000);
  const cpus = Math.max(0, now.cpuUs - before.cpuUs) / elapsedUs;
  const { memoryBytes, processes } = now;
  return { partition, cpus, memoryBytes, processes, allocated, limits };
}
