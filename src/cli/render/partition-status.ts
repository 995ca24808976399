/** How a partition is, for a person: what `unnest status` prints. */
import type { Condition } from '../../report/condition.ts';
import type {
  HealthWord,
  PartitionStatus,
  SyncWord,
  Usage,
} from '../../report/partition-status.ts';
import type { AmountName } from '../../partition/amounts.ts';
import { bar } from './bar.ts';
import { formatSize } from '../../model/sizes.ts';
import { formatDuration } from './outcomes.ts';
import { type Paint, printable } from './paint.ts';
import { renderTable } from './table.ts';

export function renderPartitions(all: readonly PartitionStatus[]): string {
  return renderTable(
    ['PARTITION', 'GENERATION', 'SYNC', 'HEALTH', 'SECONDARIES', 'VCPUS', 'MEMORY', 'NOTE'],
    all.map(({ partition, generation, sync, health, usage, conditions }) => [
      printable(partition),
      generation === 0 ? '-' : `${generation}`,
      sync,
      health,
      usedOf(usage.secondaries, usage.limits?.secondaries, String),
      usedOf(usage.runningVcpus, usage.limits?.vcpus, String),
      usage.limits === null
        ? formatSize(usage.runningMemoryBytes)
        : usedOf(usage.allocated.memoryBytes, usage.limits.memoryBytes, formatSize),
      printable(conditions.filter(isNews).map(reasonOf).join(', ')),
    ]),
  );
}

export function renderPartition(status: PartitionStatus, paint: Paint): string {
  const { partition, generation, digest, usage } = status;
  const lines = [
    `${paint.bold(partition)}: ${syncIn(status.sync, paint)}, ${healthIn(status.health, paint)}`,
    generation === 0
      ? '  documents   none were accepted yet'
      : `  documents   generation ${generation} (${shortDigest(digest)})`,
    `  secondaries ${secondariesIn(status)}`,
    ...usageLines(usage),
    ...passLines(status, paint),
    ...(status.nextTryAt === null ? [] : [`  next try    ${printable(status.nextTryAt)}`]),
    ...conditionLines(status.conditions, paint),
    ...status.secondaries.flatMap(({ name, conditions }) => {
      const lines = conditionLines(conditions.filter(isNews), paint);
      return lines.length === 0
        ? []
        : [`  ${printable(name)}:`, ...lines.map((line) => `  ${line}`)];
    }),
  ];
  return `${lines.join('\n')}\n`;
}

function usageLines({ limits, allocated, primary, ...usage }: Usage): string[] {
  if (limits === null) {
    const { runningVcpus, runningMemoryBytes, storageBytes } = usage;
    return [
      `  uses        ${runningVcpus} vCPU and ${formatSize(runningMemoryBytes)} running, ${formatSize(storageBytes)} of storage`,
    ];
  }
  return amountRows.map(([name, word, show]) => {
    const its =
      primary === null || primary[name] === 0 ? '' : `, the Primary ${show(primary[name])}`;
    const amounts = `${show(allocated[name])} of ${show(limits[name])}${its}`;
    return `  ${word.padEnd(11)} ${bar(allocated[name], limits[name])} ${amounts}`;
  });
}

const amountRows: readonly (readonly [AmountName, string, (amount: number) => string])[] = [
  ['vcpus', 'vCPUs', String],
  ['memoryBytes', 'memory', formatSize],
  ['storageBytes', 'storage', formatSize],
  ['secondaries', 'defined', String],
];

/** `2/4` where there is a limit. */
function usedOf(used: number, limit: number | undefined, show: (amount: number) => string): string {
  return limit === undefined ? show(used) : `${show(used)}/${show(limit)}`;
}

/** As git shows a commit: enough to tell two apart. */
export function shortDigest(digest: string): string {
  return printable(digest.slice(0, 'sha256:'.length + 12));
}

export function conditionLines(conditions: readonly Condition[], paint: Paint): string[] {
  return conditions.map((condition) => {
    const { type, status, reason, message, since } = condition;
    const words = `${type.padEnd(15)} ${status.padEnd(7)} ${printable(reason)}`;
    const text = message === '' ? '' : `: ${printable(message)}`;
    const shown = isNews(condition) ? paint.yellow(words) : words;
    return `  ${shown}${text} ${paint.dim(`(since ${printable(since)})`)}`;
  });
}

/** What nobody expects of a partition that is well. */
export function isNews({ type, status }: Condition): boolean {
  switch (type) {
    case 'Ready':
    case 'Synced':
    case 'DocumentsValid':
    case 'Accepted':
    case 'AgentConnected':
    case 'HostReachable':
    case 'FitsHost':
    case 'CpusGuaranteed':
      return status !== 'True';
    case 'RestartRequired':
    case 'Blocked':
    case 'Paused':
    case 'CrashLoop':
    case 'GaveUp':
    case 'OverBudget':
    case 'PrimaryOutside':
    case 'UplinkDiffers':
    case 'OomKilled':
    case 'MemoryPressure':
    case 'CpuThrottled':
    case 'Draining':
      return status !== 'False';
  }
  return anyNews(status);
}

/** Of a type that a newer daemon has: rather one line too many. */
const anyNews = (status: Condition['status']): boolean => status !== 'False';

const reasonOf = ({ type, reason }: Condition) => (type === reason ? type : `${type} (${reason})`);

function secondariesIn({ secondaries }: PartitionStatus): string {
  if (secondaries.length === 0) return 'none';
  const counts = new Map<string, number>();
  for (const { status } of secondaries) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${count} ${word}`).join(', ');
}

function passLines({ lastPass }: PartitionStatus, paint: Paint): string[] {
  if (lastPass === null) return ['  last pass   none yet'];
  const { at, because, durationMs, applied, failed, skipped, failures } = lastPass;
  const parts = [`${applied} done`];
  if (failed > 0) parts.push(paint.red(`${failed} failed`));
  if (skipped > 0) parts.push(`${skipped} skipped`);
  const why = because.length === 0 ? '' : `, because of ${because.join(', ')}`;
  return [
    `  last pass   ${printable(at)}: ${parts.join(', ')} in ${formatDuration(durationMs)}${printable(why)}`,
    ...failures.map((failure) => `    ${paint.red(printable(failure))}`),
  ];
}

function syncIn(word: SyncWord, paint: Paint): string {
  if (word === 'Synced') return paint.green(word);
  return word === 'Blocked' ? paint.red(word) : paint.yellow(word);
}

function healthIn(word: HealthWord, paint: Paint): string {
  if (word === 'Healthy') return paint.green(word);
  return word === 'Degraded' ? paint.red(word) : paint.yellow(word);
}
