/** A daemon that only remembers: what was asked of it, and what a test makes it say. */
import type {
  Answer,
  ConsoleAnswer,
  ConsoleLogAnswer,
  Control,
  ImageAnswer,
  PartitionProblem,
  PlanResult,
  UploadAnswer,
} from '../../../src/channel/control.ts';
import type { ThinPool } from '../../../src/model/thin-pool.ts';
import type { InstallationId } from '../../../src/model/identity.ts';
import {
  partitionName,
  type PartitionName,
  type SecondaryName,
  secondaryName,
} from '../../../src/model/names.ts';
import type { AuditEntry } from '../../../src/report/audit.ts';
import type { DaemonEvent, EventRecord } from '../../../src/report/event.ts';
import type { HostSum } from '../../../src/report/host-sum.ts';
import type { PartitionStatus, SecondaryReport } from '../../../src/report/partition-status.ts';
import type { UsageSample } from '../../../src/report/usage-sample.ts';
import type {
  AcceptedBundle,
  HistoryEntry,
  SubmissionResult,
} from '../../../src/report/submission.ts';

export const teamA = partitionName('team-a') as PartitionName;
export const web = secondaryName('web') as SecondaryName;

export function secondaryReport(more: Partial<SecondaryReport> = {}): SecondaryReport {
  return {
    name: web,
    status: 'Running',
    sync: 'Synced',
    health: 'Healthy',
    domain: 'unnest.team-a.web',
    uuid: '7b0c6f0e-0c0a-5d0e-8c1f-000000000001',
    address: '10.20.0.2',
    vcpus: 2,
    memoryBytes: 512 * 2 ** 20,
    labels: { app: 'web' },
    conditions: [],
    ...more,
  };
}

export function partitionStatus(more: Partial<PartitionStatus> = {}): PartitionStatus {
  return {
    apiVersion: 'unnest.dev/v1',
    kind: 'PartitionStatus',
    partition: teamA,
    generation: 6,
    observedGeneration: more.generation ?? 6,
    digest: `sha256:${'6'.repeat(64)}`,
    sync: 'Synced',
    health: 'Healthy',
    conditions: [],
    secondaries: [secondaryReport()],
    resources: [],
    usage: {
      secondaries: 1,
      runningVcpus: 2,
      runningMemoryBytes: 512 * 2 ** 20,
      storageBytes: 0,
      allocated: { vcpus: 0, memoryBytes: 0, storageBytes: 0, secondaries: 0 },
      primary: null,
      limits: null,
    },
    primaryNic: { status: 'None', mac: null, address: null, prefixLength: null },
    lastPass: null,
    nextTryAt: null,
    ...more,
  };
}

export function bundle(generation: number, more: Partial<AcceptedBundle> = {}): AcceptedBundle {
  return {
    partition: teamA,
    generation,
    digest: `sha256:${`${generation}`.repeat(64)}`,
    acceptedAt: `2026-01-01T00:00:0${generation}.000Z`,
    source: 'Apply',
    submitter: 'uid 0, pid 1',
    rollbackOf: null,
    deleteEverything: false,
    deletionsMax: null,
    documents: [{ file: 'web.yaml', value: { kind: 'Secondary' } }],
    ...more,
  };
}

export interface FakeControl {
  readonly control: Control;
  readonly calls: { readonly method: string; readonly args: readonly unknown[] }[];
  say(event: DaemonEvent, at?: string): void;
  set(status: PartitionStatus): void;
  /** How many listen, of either kind. */
  listeners(): number;
  /** What the next orders answer; a function is called. */
  answer: Answer | null | (() => Promise<Answer | null>);
  result: SubmissionResult | null | (() => Promise<SubmissionResult | null>);
  kept: readonly HistoryEntry[];
  planned: PlanResult | (() => Promise<PlanResult>);
  console: ConsoleAnswer;
  image: ImageAnswer;
  uploaded: UploadAnswer;
  /** What is found at each look, the last one again and again. */
  samples: readonly UsageSample[];
  metrics: string;
  log: ConsoleLogAnswer;
  claim: Answer;
  readonly audited: AuditEntry[];
  /** Who is attached by now. */
  agent: string | null;
  problems: readonly PartitionProblem[];
  sum: HostSum;
  /** As the daemon says it. */
  place: { readonly host: string; readonly stateDir: string };
  thinPool: ThinPool | null;
  /** Of the spec in the operator's description. */
  spec: object;
  /** From now on the partition is not described. */
  forget(name: PartitionName): void;
  /** Events up to this number are no longer kept. */
  forgotten: number;
}

const describing = (name: string, spec: object) => ({
  apiVersion: 'unnest.dev/v1',
  kind: 'Partition',
  metadata: { name },
  spec,
});

export function fakeControl(): FakeControl {
  const statuses = new Map<string, PartitionStatus>([[teamA, partitionStatus()]]);
  const onStatus = new Set<(status: PartitionStatus) => void>();
  const onEvent = new Set<(record: EventRecord) => void>();
  const records: EventRecord[] = [];
  const calls: FakeControl['calls'] = [];
  const listen = <T>(all: Set<T>, one: T) => {
    all.add(one);
    return () => void all.delete(one);
  };
  const valueOf = async <T>(given: T | (() => Promise<T>)): Promise<T> =>
    typeof given === 'function' ? (given as () => Promise<T>)() : given;
  const order =
    (method: string) =>
    async (partition: PartitionName, ...args: unknown[]) => {
      calls.push({ method, args: [partition, ...args] });
      return statuses.has(partition) ? valueOf(fake.answer) : null;
    };
  const submission =
    (method: string) =>
    async (partition: PartitionName, ...args: unknown[]) => {
      calls.push({ method, args: [partition, ...args] });
      return statuses.has(partition) ? valueOf(fake.result) : null;
    };
  const fake: FakeControl = {
    calls,
    spec: {},
    answer: { status: 'ok', message: 'taken down' },
    result: { status: 'accepted', bundle: historyEntry(7) },
    kept: [5, 6].map((generation) => historyEntry(generation)),
    problems: [],
    agent: null,
    log: { status: 'refused', code: 'NoConsoleLogs', message: 'none are kept' },
    claim: { status: 'ok', message: 'this reader types now' },
    audited: [],
    samples: [{ atMs: 0, slice: null, secondaries: null }],
    metrics: 'unnest_partition_generation{partition="team-a"} 6\n',
    console: { status: 'refused', code: 'GuestNotRunning', message: 'web does not run' },
    image: { status: 'refused', code: 'NoSuchImage', message: 'there is no such Image' },
    uploaded: { status: 'ok', receivedBytes: 4, sizeBytes: 8 },
    planned: {
      status: 'planned',
      plan: {
        partition: teamA,
        installation: 'none' as InstallationId,
        entries: [],
        operations: [],
      },
      generation: 6,
    },
    sum: {
      vcpus: { promised: 4, available: 24, there: 16, reserved: 0, factor: 1.5 },
      memoryBytes: {
        promised: 2 ** 33,
        available: 2 ** 35,
        there: 2 ** 35,
        reserved: 0,
        factor: 1,
      },
      unlimited: [],
      waiting: [],
    },
    place: { host: 'qemu:///system', stateDir: '/var/lib/unnest' },
    thinPool: null,
    forget: (name) => void statuses.delete(name),
    forgotten: 0,
    listeners: () => onStatus.size + onEvent.size,
    say: (event, at = '2026-01-01T00:00:10.000Z') => {
      const record = { seq: records.length + 1, at, event };
      records.push(record);
      for (const listener of onEvent) listener(record);
    },
    set: (status) => {
      statuses.set(status.partition, status);
      for (const listener of onStatus) listener(status);
    },
    control: {
      image: async (partition, image) => {
        calls.push({ method: 'image', args: [partition, image] });
        return statuses.has(partition) ? fake.image : null;
      },
      upload: async (partition, image, atByte, bytes) => {
        calls.push({ method: 'upload', args: [partition, image, atByte, bytes.length] });
        return statuses.has(partition) ? fake.uploaded : null;
      },
      imageWritten: order('imageWritten'),
      version: '1.2.3',
      get host() {
        return fake.place.host;
      },
      get stateDir() {
        return fake.place.stateDir;
      },
      get thinPool() {
        return fake.thinPool;
      },
      partitionsDir: '/etc/unnest/partitions',
      problems: () => fake.problems,
      hostSum: () => fake.sum,
      partitions: () => [...statuses.values()],
      status: (name) => statuses.get(name) ?? null,
      onStatus: (listener) => listen(onStatus, listener),
      submit: submission('submit'),
      description: (name) =>
        statuses.has(name) ? { file: 'team-a.yaml', value: describing(name, fake.spec) } : null,
      accepted: (name) => (statuses.has(name) ? bundle(6) : null),
      history: (name) => (statuses.has(name) ? fake.kept : null),
      rollback: submission('rollback'),
      plan: async (partition, files) => {
        calls.push({ method: 'plan', args: [partition, files] });
        return statuses.has(partition) ? valueOf(fake.planned) : null;
      },
      console: (partition, secondary) => {
        calls.push({ method: 'console', args: [partition, secondary] });
        return statuses.has(partition) ? fake.console : null;
      },
      consoleLog: (partition, ...args) => {
        calls.push({ method: 'consoleLog', args: [partition, ...args] });
        return statuses.has(partition) ? fake.log : null;
      },
      claimConsole: (partition, ...args) => {
        calls.push({ method: 'claimConsole', args: [partition, ...args] });
        return statuses.has(partition) ? fake.claim : null;
      },
      typeOnConsole: order('typeOnConsole'),
      audit: (entry) => void fake.audited.push(entry),
      audited: async () => fake.audited,
      usage: async (partition, secondaries) => {
        calls.push({ method: 'usage', args: [partition, secondaries] });
        const [sample, ...later] = fake.samples;
        if (later.length > 0) fake.samples = later;
        if (!statuses.has(partition) || sample === undefined) return null;
        return secondaries ? sample : { ...sample, secondaries: null };
      },
      metrics: (partition) => (statuses.has(partition) ? Promise.resolve(fake.metrics) : null),
      agent: () => fake.agent,
      attachAgent: (_partition, who) => {
        if (fake.agent !== null) return null;
        fake.agent = who;
        return () => void (fake.agent = null);
      },
      pause: order('pause'),
      resume: order('resume'),
      power: order('power'),
      retry: order('retry'),
      drain: order('drain'),
      events: (after) => records.filter(({ seq }) => seq > Math.max(after, fake.forgotten)),
      eventsKept: () => ({ lostThrough: fake.forgotten, newest: records.length }),
      onEvent: (listener) => listen(onEvent, listener),
    },
  };
  return fake;
}

export function historyEntry(generation: number, more: Partial<AcceptedBundle> = {}): HistoryEntry {
  const { documents, ...entry } = bundle(generation, more);
  return { ...entry, documentCount: documents.length };
}
