/**
 * The daemon, put together: partitions as the operator describes them, the API, the log, metrics and
 * status files, each fed by the same events. What it needs of the machine is handed in.
 */
import { openApi } from '../channel/api.ts';
import { channelUsers } from '../channel/channel-users.ts';
import type { Control } from '../channel/control.ts';
import { Heartbeats } from '../channel/heartbeats.ts';
import { PrimaryChannel } from '../channel/primary-channel.ts';
import { SocketChannels } from '../channel/socket-channels.ts';
import type { PlainDocument } from '../documents/plain-document.ts';
import type { DaemonHosts } from '../host/ports.ts';
import type { InstallationId } from '../model/identity.ts';
import type { PartitionName } from '../model/names.ts';
import type { PartitionStatus } from '../report/partition-status.ts';
import { passableMode } from './accepted/accepted-folder.ts';
import type { DaemonConfig } from './config.ts';
import { controlOf } from './control.ts';
import type { Shared } from './kept-partition.ts';
import type { ImageFetcher } from './image-fetcher.ts';
import type { DocumentParser } from './parser.ts';
import { Problems } from './problems.ts';
import type { Listening, Runtime } from './runtime.ts';
import { slots } from './slots.ts';
import { partitionsSource } from './sources/partitions-source.ts';
import { Supervisor, type SupervisorOptions } from './supervisor.ts';
import { AuditLog } from './watching/audit-log.ts';
import { EventLog } from './watching/event-log.ts';
import { type LogDestination, openLog } from './watching/log.ts';
import { type LibvirtCall, type Metrics, openMetrics } from './watching/metrics.ts';
import { PartitionMetrics } from './watching/partition-metrics.ts';
import { serveMetrics } from './watching/metrics-server.ts';
import { type Notifier, notifier, type NotifyTarget } from './watching/notify.ts';
import { openStatusWriter, type StatusWriter } from './watching/status-writer.ts';

export interface DaemonParts {
  readonly version: string;
  readonly runtime: Runtime;
  readonly config: DaemonConfig;
  readonly parser: DocumentParser;
  readonly fetcher: ImageFetcher;
  readonly lock: Shared['lock'];
  readonly newInstallation: () => InstallationId;
  readonly logTo: LogDestination;
  /** Null: nobody wants to be told. */
  readonly notify: NotifyTarget | null;
  /** @param onCall is told of every call to libvirt */
  readonly openHosts: (onCall: (call: LibvirtCall) => void) => Promise<DaemonHosts>;
}

export interface Daemon {
  /** Finishes what is under way and begins nothing more. */
  close(): Promise<void>;
  /** Breaks off what is under way. */
  abort(): void;
}

const retryMsMin = 1000;
const imagesCopiedMax = 2;
const imagesFetchedMax = 4;
/** systemd waits 90 s (`TimeoutStopSec`). */
const hurryMs = 20_000;
const abortMs = 60_000;

/** @throws Error if a socket cannot be listened on: then nobody could ask anything of it */
export async function startDaemon(parts: DaemonParts): Promise<Daemon> {
  const { runtime, config, version, notify } = parts;
  const { clock, timers, files } = runtime;
  const abort = new AbortController();
  const hurry = new AbortController();
  const stop = new AbortController();
  const log = openLog(parts.logTo, config.logLevel, clock);
  const events = new EventLog({ clock, onListenerError: (error) => log.bug(error) });
  events.onEvent((record) => log.record(record));
  const waiting = slots(config.passesInFlightMax);
  const metrics = openMetrics({
    version,
    statuses: () => supervisor.statuses,
    slices: () => supervisor.slices,
    queueDepth: () => waiting.waiting,
  });
  events.onEvent((record) => metrics.record(record));
  const ofPartitions = new PartitionMetrics({
    version,
    statuses: () => supervisor.statuses,
    slices: () => supervisor.slices,
  });
  events.onEvent((record) => ofPartitions.record(record));
  const { emit } = events;
  emit({ kind: 'daemon-started', version });
  // QEMU, as whoever it runs, has to get to the disks below it.
  await files.makeFolder(config.stateDir, passableMode);
  const statusFiles = await openStatusWriter({ files, timers, folder: config.statusDir, emit });
  const statuses = new StatusListeners();
  const hosts = await parts.openHosts((call) => metrics.libvirtCall(call));
  const problems = new Problems(emit);
  const ending = { abort: abort.signal, hurry: hurry.signal };
  const { vmRuns } = hosts;
  const onBug = (error: unknown) => log.bug(error);
  const heartbeats = new Heartbeats({
    runtime,
    vmRuns,
    whose: (cid) => supervisor.heartbeatOf(cid),
    emit,
    onBug,
  });
  const supervisor: Supervisor = new Supervisor({
    ...sharedOf(parts, { hosts, slots: waiting, ...ending, emit }),
    onStatus: (status) => {
      statusFiles.update(status);
      statuses.tell(status);
      heartbeats.listen(supervisor.awaitsHeartbeats);
    },
    onGone: (partition) => {
      heartbeats.listen(supervisor.awaitsHeartbeats);
      return statusFiles.remove(partition);
    },
    onProblems: (now) => problems.tell('host', now),
  });
  const audit = new AuditLog({
    files,
    folder: `${config.stateDir}/audit`,
    onFailure: (message) => emit({ kind: 'audit-not-written', message }),
  });
  const control = controlOf({
    audit,
    metrics: ofPartitions,
    version,
    places: config,
    problems,
    supervisor,
    clock,
    timers,
    events,
    onStatus: (listener) => statuses.add(listener),
    stop: stop.signal,
  });
  const listening = await listen(control, metrics, parts, onBug);
  const port = config.channelPort;
  const channel = new PrimaryChannel({ control, runtime, port, vmRuns, emit, onBug });
  const { channelSockets: sockets } = config;
  const socketChannels = new SocketChannels({ control, runtime, port, sockets, emit, onBug });
  const stopSigns = hosts.onSign((sign) => channel.onSign(sign));
  const manager = notifier(notify, timers, () => true);
  const source = follow(
    { supervisor, channel, socketChannels, statusFiles, problems, manager },
    parts,
  );
  return {
    abort: () => abort.abort(),
    close: async () => {
      emit({ kind: 'daemon-stopping' });
      stop.abort();
      const impatience = [
        timers.after(hurryMs, () => hurry.abort()),
        timers.after(abortMs, () => abort.abort()),
      ];
      await manager.stopping();
      await source.close();
      stopSigns();
      const all = [...listening, channel, socketChannels, heartbeats];
      const doors = all.map((each) => each.close());
      await Promise.all([supervisor.close(), ...doors]);
      for (const cancel of impatience) cancel();
      await parts.parser.close();
      await audit.close();
      await statusFiles.close();
      await hosts.close();
      manager.close();
    },
  };
}

function sharedOf(
  { runtime, config, parser, fetcher, lock, newInstallation }: DaemonParts,
  made: Pick<Shared, 'hosts' | 'slots' | 'abort' | 'hurry' | 'emit'>,
): Omit<SupervisorOptions, 'onStatus' | 'onGone' | 'onProblems'> {
  const { stateDir, desiredStateDir, resyncMs, operationsInFlightMax } = config;
  const { deletionsMax, retry, hostRules, consoleLogs } = config;
  return {
    ...made,
    runtime,
    parser,
    fetcher,
    lock,
    newInstallation,
    stateDir,
    desiredStateDir,
    resyncMs,
    operationsInFlightMax,
    consoleLogs,
    deletionsMax,
    hostRules,
    heavy: slots(imagesCopiedMax),
    fetchSlots: slots(imagesFetchedMax),
    rules: { ...retry, delayMsMin: retryMsMin },
  };
}

async function listen(
  control: Control,
  metrics: Metrics,
  { runtime, config }: DaemonParts,
  onBug: (error: unknown) => void,
): Promise<readonly Listening[]> {
  const { operatorSocket } = config;
  const api = await openApi(control, runtime, { address: operatorSocket, onBug });
  if (config.metrics === null) return [api];
  return [api, await serveMetrics(metrics, config.metrics, runtime)];
}

interface Following {
  readonly supervisor: Supervisor;
  readonly channel: PrimaryChannel;
  readonly socketChannels: SocketChannels;
  readonly statusFiles: StatusWriter;
  readonly problems: Problems;
  readonly manager: Notifier;
}

/** Ready is said once it is known which partitions there are: then each of them can be asked about. */
function follow(
  { supervisor, channel, socketChannels, statusFiles, problems, manager }: Following,
  { runtime, config }: DaemonParts,
) {
  let isReady = false;
  return partitionsSource(runtime, config.partitionsDir, async ({ partitions, problems: now }) => {
    problems.tell('folder', now);
    const described = new Map<PartitionName, PlainDocument>(
      [...partitions].map(([name, { file, value }]) => [name, { file, value }]),
    );
    supervisor.describe(described);
    const users = [...channelUsers(described)];
    channel.admit(new Map(users.filter(([, partition]) => !socketChannels.has(partition))));
    socketChannels.admit(new Set(users.map(([, partition]) => partition)));
    const words = `${described.size} partitions`;
    if (isReady) return manager.status(words);
    isReady = true;
    await statusFiles.sweep(new Set(described.keys()));
    await manager.ready(words);
  });
}

class StatusListeners {
  readonly #listeners = new Set<(status: PartitionStatus) => void>();

  add(listener: (status: PartitionStatus) => void): () => void {
    const added = (status: PartitionStatus) => listener(status);
    this.#listeners.add(added);
    return () => void this.#listeners.delete(added);
  }

  tell(status: PartitionStatus): void {
    for (const listener of this.#listeners) listener(status);
  }
}
