/**
 * `unnest top`: what partitions really use, as the kernel counts it for their slices, and their guests,
 * as libvirt counts it, beside what is allocated to them and what they may have.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import type { HostView } from '../../host/ports.ts';
import type { GuestUsage } from '../../model/domain.ts';
import { domainUuid, slicePath } from '../../model/identity.ts';
import type { PartitionName } from '../../model/names.ts';
import type { SliceUsage } from '../../model/slice.ts';
import type { PartitionStatus } from '../../report/partition-status.ts';
import { type DaemonOptions, requireDaemon, withDaemonOptions, withinLimits } from '../daemon.ts';
import type { Environment } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { outputOption, partitionGiven } from '../options.ts';
import { type Limits, limitsOf } from '../pass.ts';
import { renderTop, type Used, type UsedByGuest } from '../render/top.ts';
import { using } from '../using.ts';

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
  const { host: uri, stateDir } = await client.about(stop);
  const look = async (status: PartitionStatus): Promise<Sample> => {
    // An older daemon does not say where its host is.
    if (uri === null || stateDir === null) return { atMs: environment.now(), ...nothingSeen };
    const { partition } = status;
    return using(environment.openView, { uri, stateDir, partition }, limits, async (view) => {
      const usage = await sliceUsage(view, partition, limits);
      const guests = options.secondaries ? await guestUsage(view, status, limits) : null;
      return { atMs: environment.now(), usage, guests };
    });
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
  /** Those that run, by name; null: nobody has asked. */
  readonly guests: ReadonlyMap<string, GuestUsage> | null;
}

const nothingSeen = { usage: null, guests: null };

async function sliceUsage(
  { installation, slices }: HostView,
  partition: PartitionName,
  { stop }: Limits,
): Promise<SliceUsage | null> {
  const id = await installation.read();
  if (id === null) return null;
  const path = slicePath({ installation: id, partition });
  // A host without cgroup v2 has none, and allocations are shown all the same.
  const seen = await slices.find({ path }, stop).catch(() => null);
  return seen?.status === 'present' ? seen.value.usage : null;
}

async function guestUsage(
  { domains }: HostView,
  { secondaries }: PartitionStatus,
  { stop }: Limits,
): Promise<ReadonlyMap<string, GuestUsage>> {
  const known = secondaries.flatMap(({ name, domain, uuid }) => {
    const id = uuid === null ? undefined : domainUuid(uuid);
    return domain === null || id === undefined ? [] : [{ name, domainName: domain, uuid: id }];
  });
  const seen = await domains.usage(known, stop);
  const running = known.flatMap(({ name }, index): [string, GuestUsage][] => {
    const usage = seen[index] ?? null;
    return usage === null ? [] : [[name, usage]];
  });
  return new Map(running);
}

function usedBetween(
  status: PartitionStatus,
  first: Sample | undefined,
  second: Sample | undefined,
): Used {
  const { partition, usage } = status;
  const { allocated, limits } = usage;
  const elapsedUs = Math.max(1, ((second?.atMs ?? 0) - (first?.atMs ?? 0)) * 1000);
  const guests = guestsBetween(status, first, second, elapsedUs);
  const of = { partition, allocated, limits, ...(guests === null ? {} : { secondaries: guests }) };
  const [before, now] = [first?.usage ?? null, second?.usage ?? null];
  if (before === null || now === null) {
    return { ...of, cpus: null, memoryBytes: null, processes: null };
  }
  const { memoryBytes, processes } = now;
  return { ...of, cpus: cpusBetween(before, now, elapsedUs), memoryBytes, processes };
}

function guestsBetween(
  { secondaries }: PartitionStatus,
  first: Sample | undefined,
  second: Sample | undefined,
  elapsedUs: number,
): readonly UsedByGuest[] | null {
  const [before, now] = [first?.guests ?? null, second?.guests ?? null];
  if (before === null || now === null) return null;
  return secondaries.flatMap(({ name, vcpus, memoryBytes: given }) => {
    const [then, usage] = [before.get(name), now.get(name)];
    if (usage === undefined) return [];
    // One that was started in between has used nothing before.
    const cpus = then === undefined ? null : cpusBetween(then, usage, elapsedUs);
    return [{ name, cpus, memoryBytes: usage.memoryBytes, vcpus, givenBytes: given }];
  });
}

interface Counted {
  readonly cpuUs: number;
}

function cpusBetween(before: Counted, now: Counted, elapsedUs: number): number {
  return Math.max(0, now.cpuUs - before.cpuUs) / elapsedUs;
}
