/**
 * The daemon's configuration: a text, or none, to plain values with units decided. Its mistakes are
 * told as those of every document are: all at once, with place and remedy.
 */
import type { Diagnostic } from '../documents/diagnostic.ts';
import { documentLimits } from '../documents/limits.ts';
import { parseSource, type SourceDocument } from '../documents/source.ts';
import { validateAs } from '../documents/validate.ts';
import type { PartitionName } from '../model/names.ts';
import type { ThinPool } from '../model/thin-pool.ts';
import type { HostRules } from '../partition/host-room.ts';
import { placeConflicts } from './config-places.ts';
import { CONFIG_KIND, type ConfigSpec, configSchema } from './config-schema.ts';
import type { Address } from './runtime.ts';

export const CONFIG_PATH = '/etc/unnest/unnestd.yaml';

type UnixAddress = Extract<Address, { readonly kind: 'unix' }>;

export interface DaemonConfig {
  /** libvirt's URI. */
  readonly host: string;
  /** Absolute, as all paths here. */
  readonly stateDir: string;
  /** Where new Volumes are put; null: into files. */
  readonly thinPool: ThinPool | null;
  readonly partitionsDir: string;
  /** Each partition's documents are in a folder of its name in it. */
  readonly desiredStateDir: string;
  readonly runDir: string;
  readonly statusDir: string;
  readonly operatorGroup: string;
  readonly operatorSocket: UnixAddress;
  /** Null: nowhere. */
  readonly metrics: Address | null;
  /** Of vsock, for Primaries. */
  readonly channelPort: number;
  /** Of Primaries whose VM has a Unix socket in the place of vsock. */
  readonly channelSockets: ReadonlyMap<PartitionName, string>;
  readonly resyncMs: number;
  readonly passesInFlightMax: number;
  readonly operationsInFlightMax: number;
  readonly retry: { readonly attemptsMax: number; readonly delayMsMax: number };
  readonly deletionsMax: number;
  /** What may be promised of the host. */
  readonly hostRules: HostRules;
  /** Whether what guests write to their consoles is kept. */
  readonly consoleLogs: boolean;
  /** Of certificates that are trusted besides those that Node trusts, when Images are fetched; null: none. */
  readonly fetchCaFile: string | null;
  readonly logLevel: ConfigSpec['logLevel'];
}

export type ReadConfig =
  | { readonly ok: true; readonly config: DaemonConfig }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** @param text null: there is no file, so everything is as by default. @param path for messages */
export function readConfig(text: string | null, path: string = CONFIG_PATH): ReadConfig {
  if (text === null) return { ok: true, config: configOf(defaults()) };
  if (text.length > documentLimits.documentBytesMax) return refused([tooLarge(path)]);
  const { documents, diagnostics } = parseSource({ path, text });
  if (diagnostics.length > 0) return refused(diagnostics);
  const [first, second] = documents;
  // Nothing but comments.
  if (first === undefined) return { ok: true, config: configOf(defaults()) };
  if (second !== undefined) {
    return refused([second.complain('DuplicateName', [], `there is only one ${CONFIG_KIND}`)]);
  }
  return configIn(first);
}

function configIn(source: SourceDocument): ReadConfig {
  const checked = validateAs(source, CONFIG_KIND, configSchema);
  if (!checked.ok) return checked;
  const { spec } = checked.value;
  const conflicts = placeConflicts(spec).map(({ fields, message }) => {
    // Of the two, the one that somebody wrote: defaults do not conflict with each other.
    const written = fields.find((field) => isWritten(source, field)) ?? fields[0];
    return source.complain('InvalidValue', ['spec', written], message);
  });
  return conflicts.length > 0 ? refused(conflicts) : { ok: true, config: configOf(spec) };
}

function isWritten(source: SourceDocument, field: string): boolean {
  // Border: the document is valid, so that it is a mapping; whether it has a `spec` is left open.
  const { spec = {} } = source.value as { readonly spec?: Readonly<Record<string, unknown>> };
  return Object.hasOwn(spec, field);
}

function refused(diagnostics: readonly Diagnostic[]): ReadConfig {
  return { ok: false, diagnostics };
}

function tooLarge(file: string): Diagnostic {
  return {
    code: 'TooLarge',
    file,
    line: 0,
    column: 0,
    path: '',
    message: `the configuration is larger than ${documentLimits.documentBytesMax} bytes`,
    remedy: null,
    excerpt: null,
  };
}

function defaults(): ConfigSpec {
  return configSchema.parse({ apiVersion: 'unnest.dev/v1', kind: CONFIG_KIND }).spec;
}

function configOf(spec: ConfigSpec): DaemonConfig {
  const { host, stateDir, partitionsDir, desiredStateDir, runDir, operatorGroup } = spec;
  return Object.freeze({
    host,
    stateDir,
    thinPool: spec.store.thinPool ?? null,
    partitionsDir,
    desiredStateDir,
    runDir,
    statusDir: `${runDir}/status`,
    operatorGroup,
    operatorSocket: groupSocket(spec, 'operator.sock'),
    metrics: metricsAddress(spec),
    channelPort: spec.channel.port,
    // Border: the schema takes names only.
    channelSockets: new Map(
      Object.entries(spec.channel.sockets ?? {}) as [PartitionName, string][],
    ),
    resyncMs: spec.resyncSeconds * 1000,
    passesInFlightMax: spec.passesInFlightMax,
    operationsInFlightMax: spec.operationsInFlightMax,
    retry: Object.freeze({
      attemptsMax: spec.retry.attemptsMax,
      delayMsMax: spec.retry.delaySecondsMax * 1000,
    }),
    deletionsMax: spec.maxDeletions,
    hostRules: rulesOf(spec),
    consoleLogs: spec.consoleLogs,
    fetchCaFile: spec.fetch.caFile ?? null,
    logLevel: spec.logLevel,
  });
}

function rulesOf({ hostReserved, overcommit }: ConfigSpec): HostRules {
  const { vcpus, memory: memoryBytes } = hostReserved;
  return Object.freeze({
    reserved: Object.freeze({ vcpus, memoryBytes }),
    overcommit: Object.freeze({ ...overcommit }),
  });
}

function groupSocket({ runDir, operatorGroup }: ConfigSpec, name: string): UnixAddress {
  return { kind: 'unix', path: `${runDir}/${name}`, mode: 0o660, group: operatorGroup };
}

/** What OpenTelemetry's exporters for Prometheus take. */
const portDefault = 9464;

function metricsAddress(spec: ConfigSpec): Address | null {
  const { listen, port } = spec.metrics;
  switch (listen) {
    case 'unix':
      return groupSocket(spec, 'metrics.sock');
    case 'loopback':
      return { kind: 'loopback', port: port ?? portDefault };
    case 'none':
      return null;
  }
}
