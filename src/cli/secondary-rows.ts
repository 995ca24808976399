/**
 * `unnest get`: Secondaries as rows for people and for programs, from the host or from unnestd. Both
 * have name, status, labels, domain, uuid and address under the same names.
 */
import { type Observed, type ObservedDomain, splitLabels } from '../model/domain.ts';
import { checkOf, isReady } from '../model/readiness.ts';
import { formatSize } from '../model/sizes.ts';
import type { PartitionStatus, SecondaryReport } from '../report/partition-status.ts';
import type { Condition } from '../report/condition.ts';
import { printable } from './render/paint.ts';
import { isNews } from './render/partition-status.ts';
import { type SecondaryStatus, statusOf } from './status.ts';

export interface SecondaryRow {
  readonly name: string;
  readonly isUnknown: boolean;
  readonly labels: ReadonlyMap<string, string>;
  readonly cells: readonly string[];
  readonly wideCells: readonly string[];
  /** For `-o json`, `yaml` and `custom-columns`. */
  readonly object: object;
}

export interface SecondaryRows {
  readonly titles: readonly string[];
  readonly wideTitles: readonly string[];
  readonly rows: readonly SecondaryRow[];
}

/** As the host is, which nobody has judged. */
export function rowsOfHost(observed: Observed): SecondaryRows {
  return {
    titles: ['NAME', 'STATUS', 'VCPUS', 'MEMORY', 'NOTE'],
    wideTitles: ['NAME', 'STATUS', 'VCPUS', 'MEMORY', 'BOOT', 'ADDRESS', 'DOMAIN', 'UUID', 'NOTE'],
    rows: statusOf(observed).map(rowOfHost),
  };
}

/** As unnestd says, which also knows what the documents ask for. */
export function rowsOfReport({ secondaries }: PartitionStatus): SecondaryRows {
  const head = ['NAME', 'STATUS', 'SYNC', 'HEALTH', 'VCPUS', 'MEMORY'];
  return {
    titles: [...head, 'NOTE'],
    wideTitles: [...head, 'ADDRESS', 'DOMAIN', 'UUID', 'NOTE'],
    rows: secondaries.map(rowOfReport),
  };
}

function rowOfHost(row: SecondaryStatus): SecondaryRow {
  const { name, status, fields, domain, address, why, waiting } = row;
  const head = [name, status, `${fields?.vcpus ?? '?'}`, sizeOf(fields?.memoryBytes)];
  const note = noteOf(row);
  const where = [address ?? '-', domain?.domainName ?? '?', domain?.uuid ?? '?'];
  const labels = splitLabels(domain?.defined.labels ?? '');
  return {
    name,
    isUnknown: status === 'Unknown',
    labels,
    cells: [...head, note],
    wideCells: [...head, printable(bootOf(fields)), ...where, note],
    object: {
      name,
      status,
      why,
      uuid: domain?.uuid ?? null,
      domain: domain?.domainName ?? null,
      labels: Object.fromEntries(labels),
      address,
      power: domain?.power ?? null,
      defined: domain?.defined ?? null,
      live: domain?.live ?? null,
      restartRequired: waiting.map(({ path, from, to }) => ({ path, from, to })),
    },
  };
}

function rowOfReport(report: SecondaryReport): SecondaryRow {
  const { name, status, sync, health, vcpus, memoryBytes, conditions } = report;
  const head = [name, status, sync, health, `${vcpus ?? '?'}`, sizeOf(memoryBytes)];
  const note = newsOf(conditions);
  const where = [report.address ?? '-', report.domain ?? '?', report.uuid ?? '?'];
  return {
    name,
    isUnknown: status === 'Unknown',
    labels: new Map(Object.entries(report.labels)),
    cells: [...head, note].map(printable),
    wideCells: [...head, ...where, note].map(printable),
    object: report,
  };
}

/** Without what SYNC and HEALTH say already, and nothing twice. */
function newsOf(conditions: readonly Condition[]): string {
  const news = conditions.filter(isNews);
  const isBlocked = news.some(({ type }) => type === 'Blocked');
  return news
    .flatMap(({ type, reason, message }) => {
      switch (type) {
        case 'Ready':
          // What it waits for, where it says so.
          return isBlocked || !/^(?:Awaits|NeedsRestart)/.test(reason) ? [] : [message];
        case 'Synced':
          return isBlocked || message === '' ? [] : [message];
        case 'Paused':
        case 'CrashLoop':
          return isBlocked ? [] : [saying(type, message)];
        case 'Blocked':
          return [saying(reason, message)];
        case 'RestartRequired':
        case 'DocumentsValid':
        case 'Accepted':
        case 'AgentConnected':
        case 'HostReachable':
        case 'GaveUp':
        case 'FitsHost':
        case 'OverBudget':
        case 'PrimaryOutside':
        case 'CpusGuaranteed':
        case 'UplinkDiffers':
        case 'OomKilled':
        case 'MemoryPressure':
        case 'CpuThrottled':
        case 'Draining':
          return [saying(type, message)];
      }
      return [saying(type, message)];
    })
    .join('; ');
}

const saying = (word: string, message: string) => (message === '' ? word : `${word}: ${message}`);

const sizeOf = (bytes: number | null | undefined) =>
  typeof bytes === 'number' ? formatSize(bytes) : '?';

function bootOf(fields: SecondaryStatus['fields']): string {
  if (fields === null) return '-';
  const { kernel, disk, bootVolume } = fields;
  if (bootVolume !== null) return `volume ${bootVolume.replace(/:.*/, '')}`;
  return kernel ?? disk ?? '-';
}

function noteOf({ why, waiting, domain }: SecondaryStatus): string {
  if (why !== null) return printable(why);
  const restart = waiting.map(({ path }) => path).join(', ');
  return [
    ...(restart === '' ? [] : [`restart required: ${restart}`]),
    ...(domain === null ? [] : readyNotes(domain)),
  ].join('; ');
}

/** Here nobody tries its port, or hears it. */
function readyNotes(domain: ObservedDomain): readonly string[] {
  const check = checkOf(domain.defined);
  if (domain.power.status !== 'running' || check === null || check === 'GuestAgent') return [];
  return isReady(domain)
    ? []
    : [`not known to be ready (${printable(check)}): only unnestd finds out`];
}
