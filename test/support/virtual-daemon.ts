/**
 * A whole daemon without a machine: its partitions, loops, stores and sources on a virtual clock
 * and disk, and a simulated host that follows the same time.
 */
import { controlOf } from '../../src/daemon/control.ts';
import type { Control, SubmittedFiles } from '../../src/channel/control.ts';
import { fetchFailed, type ImageFetcher } from '../../src/daemon/image-fetcher.ts';
import type { DocumentParser } from '../../src/daemon/parser.ts';
import { type Slots, slots } from '../../src/daemon/slots.ts';
import { Supervisor } from '../../src/daemon/supervisor.ts';
import { EventLog } from '../../src/daemon/watching/event-log.ts';
import { tenantBundle, tenantDocuments } from '../../src/documents/tenant-bundle.ts';
import type { Call, FaultRule } from '../../src/host/simulated/faults.ts';
import { type SimulatedHosts, simulatedHosts } from '../../src/host/simulated/daemon-hosts.ts';
import { keepInMemory } from '../../src/host/simulated/keeper.ts';
import type { World } from '../../src/host/simulated/world.ts';
import type { HostRules } from '../../src/partition/host-room.ts';
import { Problems } from '../../src/daemon/problems.ts';
import type { PartitionName, SecondaryName } from '../../src/model/names.ts';
import type { DaemonEvent } from '../../src/report/event.ts';
import type { PartitionStatus } from '../../src/report/partition-status.ts';
import type { SubmissionResult } from '../../src/report/submission.ts';
import { installation, partition } from './passes.ts';
import { worldOf } from './simulation.ts';
import { type VirtualRuntime, virtualRuntime } from './virtual-runtime.ts';

export interface VirtualDaemonOptions {
  readonly runtime?: VirtualRuntime;
  readonly world?: World;
  /** May be added to while the daemon runs. */
  readonly rules?: readonly FaultRule[];
  readonly source?: 'Apply' | 'Directory';
  readonly partitions?: readonly string[];
  readonly parser?: DocumentParser;
  readonly fetcher?: ImageFetcher;
  readonly fetchSlots?: Slots;
  /** Taken by somebody else; may be taken from while the daemon runs. */
  readonly locked?: Set<string>;
  readonly onRelease?: (name: string) => void;
  /** Of a call to the host. */
  readonly latency?: (call: Call) => Promise<void>;
  readonly attemptsMax?: number;
  readonly hostRules?: HostRules;
  /** Off by default: what guests write would be one more reason for everything. */
  readonly consoleLogs?: boolean;
}

const noRules: HostRules = {
  reserved: { vcpus: 0, memoryBytes: 0 },
  overcommit: { vcpus: 1, memory: 1 },
};

export interface VirtualDaemon {
  readonly runtime: VirtualRuntime;
  readonly world: World;
  readonly hosts: SimulatedHosts;
  readonly supervisor: Supervisor;
  readonly control: Control;
  readonly statuses: readonly PartitionStatus[];
  /** What has happened, without when. */
  readonly events: readonly DaemonEvent[];
  /** Every mutating call so far: `define unnest.team-a.web`. */
  readonly writes: readonly string[];
  submit(text: string, more?: Partial<SubmittedFiles>): Promise<SubmissionResult>;
  status(): PartitionStatus;
  /** The word for one Secondary, and its sync and health. */
  words(name: string): string;
  condition(type: string, name?: string): string;
  advance(ms: number): Promise<void>;
  describe(source?: 'Apply' | 'Directory', names?: readonly string[]): void;
  close(): Promise<void>;
  /** Ends without another word, be it to the host or to the disk. @returns for the next daemon */
  crash(options?: { readonly losePower?: boolean }): VirtualRuntime;
}

export const stateDir = '/var/lib/unnest';
export const desiredStateDir = '/etc/unnest/desired';

export function virtualDaemon(options: VirtualDaemonOptions = {}): VirtualDaemon {
  const { runtime = virtualRuntime(), rules = [], locked = new Set<string>() } = options;
  const world = options.world ?? worldOf({ files: ['vmlinuz'] });
  const whenDead: FaultRule = () =>
    runtime.files.crashed ? { kind: 'error', error: new Error('the process is dead') } : null;
  const hosts = simulatedHosts({
    keeper: keepInMemory(world),
    clock: runtime.time.hostClock,
    rules: [whenDead, ...rules],
    ...(options.latency === undefined ? {} : { latency: options.latency }),
  });
  const events = new EventLog({ clock: runtime.clock });
  const statuses: PartitionStatus[] = [];
  const listeners = new Set<(status: PartitionStatus) => void>();
  const stop = new AbortController();
  const problems = new Problems(events.emit);
  const supervisor = new Supervisor({
    runtime,
    hosts,
    parser: options.parser ?? honestParser,
    lock: async (name) => {
      if (locked.has(name)) throw new Error(`another process is changing partition ${name}`);
      return { release: async () => options.onRelease?.(name) };
    },
    newInstallation: () => installation,
    slots: slots(2),
    rules: { attemptsMax: options.attemptsMax ?? 5, delayMsMin: 1000, delayMsMax: 300_000 },
    stateDir,
    desiredStateDir,
    consoleLogs: options.consoleLogs ?? false,
    resyncMs: 300_000,
    operationsInFlightMax: 4,
    deletionsMax: 10,
    heavy: slots(2),
    fetcher: options.fetcher ?? nobodyFetches,
    fetchSlots: options.fetchSlots ?? slots(4),
    abort: stop.signal,
    hurry: stop.signal,
    emit: events.emit,
    onStatus: (status) => {
      statuses.push(status);
      for (const listener of listeners) listener(status);
    },
    onGone: () => undefined,
    hostRules: options.hostRules ?? noRules,
    onProblems: (now) => problems.tell('host', now),
  });
  const control = controlOf({
    audit: { record: () => undefined, last: async () => [] },
    metrics: { text: async () => '' },
    version: '0.0.0',
    places: { host: 'sim:', stateDir, thinPool: null, partitionsDir: '/etc/unnest/partitions' },
    problems,
    supervisor,
    clock: runtime.clock,
    timers: runtime.timers,
    events,
    onStatus: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    stop: stop.signal,
  });
  const describe: VirtualDaemon['describe'] = (
    source = options.source ?? 'Apply',
    names = options.partitions ?? [partition],
  ) => supervisor.describe(new Map(names.map((name) => descriptionOf(name, { source }))));
  const status = () => {
    const found = control.status(partition);
    if (found === null) throw new Error('no such partition');
    return found;
  };
  const one = (name: string) => status().secondaries.find((each) => each.name === name);
  describe();
  return {
    runtime,
    world,
    hosts,
    supervisor,
    control,
    statuses,
    get events() {
      return events.after(0).map(({ event }) => event);
    },
    get writes() {
      return hosts.faults.calls
        .filter(({ writes }) => writes)
        .map(({ name, subjects: [subject] }) =>
          subject === undefined ? name : `${name} ${subject}`,
        );
    },
    submit: async (text, more = {}) => {
      // So that the partition is open.
      await runtime.settle();
      const submitting = control.submit(partition, { ...submitted(text), ...more });
      await runtime.settle();
      const result = await submitting;
      if (result === null) throw new Error('no such partition');
      await runtime.settle();
      return result;
    },
    status,
    words: (name) => {
      const found = one(name);
      return found === undefined ? 'absent' : `${found.status} ${found.sync} ${found.health}`;
    },
    condition: (type, name) => {
      const { conditions } = name === undefined ? status() : (one(name) ?? status());
      const found = conditions.find((each) => each.type === type);
      return found === undefined
        ? 'unsaid'
        : `${found.status} ${found.reason} ${found.message}`.trim();
    },
    advance: (ms) => runtime.advance(ms),
    describe,
    crash: (how) => runtime.restart(how),
    close: async () => {
      const closing = supervisor.close();
      await runtime.advance(1000);
      await closing;
    },
  };
}

/** The operator's, with its name: as `Supervisor.describe` takes it. */
export function descriptionOf(name: string, spec: Readonly<Record<string, unknown>>) {
  const value = { apiVersion: 'unnest.dev/v1', kind: 'Partition', metadata: { name }, spec };
  return [name as PartitionName, { file: `${name}.yaml`, value }] as const;
}

export function submitted(text: string): SubmittedFiles {
  return {
    source: 'Apply',
    submitter: 'uid 0',
    files: [{ path: 'web.yaml', text }],
    generation: null,
    ifGeneration: null,
    deleteEverything: false,
    deletionsMax: null,
    folder: null,
  };
}

/** Of a machine without a network. */
export const nobodyFetches: ImageFetcher = async () => ({
  kind: 'failed',
  ...fetchFailed('nobody takes a connection there'),
});

/** Reads in the daemon's own process: what a worker does, without one. */
export const honestParser: DocumentParser = {
  parse: async (name, files) => {
    const parsed = tenantBundle(files, name, null);
    if (!parsed.ok) return { status: 'invalid', diagnostics: parsed.diagnostics };
    return { status: 'parsed', documents: tenantDocuments(parsed.bundle.documents) };
  },
  without: (_name, act) => act(),
  close: async () => undefined,
};

export interface SecondaryText {
  readonly commandLine?: string;
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** One document of a Secondary that boots a kernel. */
export function secondaryText(
  name: string,
  { commandLine = 'quiet', spec = {} }: SecondaryText = {},
): string {
  const document = {
    apiVersion: 'unnest.dev/v1',
    kind: 'Secondary',
    metadata: { name },
    spec: {
      vcpus: 1,
      memory: '128MiB',
      boot: { kernel: { file: 'vmlinuz', commandLine } },
      ...spec,
    },
  };
  return `---\n${JSON.stringify(document)}\n`;
}

export const secondaryNamed = (name: string) => name as SecondaryName;
