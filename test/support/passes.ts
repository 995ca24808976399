/** The one way through, end to end, for tests: desired state and host in, plan and report out. */
import { diff } from '../../src/diff/diff.ts';
import { type Held, nothingHeld } from '../../src/diff/held.ts';
import { execute, type ExecuteOptions } from '../../src/execute/execute.ts';
import type { Report } from '../../src/execute/outcome.ts';
import type { Host, HostView } from '../../src/host/ports.ts';
import type { Observed } from '../../src/model/domain.ts';
import type { InstallationId } from '../../src/model/identity.ts';
import type {
  FileName,
  ImageName,
  PartitionName,
  SecondaryName,
  VolumeName,
} from '../../src/model/names.ts';
import type { Resource } from '../../src/model/resource.ts';
import type { DesiredState, Secondary } from '../../src/model/secondary.ts';
import type { Image, ImageSource, Volume } from '../../src/model/volume.ts';
import { observe } from '../../src/observe/observe.ts';
import { wantedBy } from '../../src/observe/wanted.ts';
import { makePlan, type Plan, type PlanOptions } from '../../src/plan/plan.ts';
import { noWishes } from '../../src/plan/wishes.ts';

export const partition = 'team-a' as PartitionName;
export const installation = '6b1f0c52-5a0e-4d38-9a86-1f6f4f0a7c11' as InstallationId;

export function secondary(name: string, overrides: Partial<Secondary> = {}): Secondary {
  return {
    name: name as SecondaryName,
    vcpus: 1,
    memoryBytes: 128 * 2 ** 20,
    boot: {
      kind: 'kernel',
      kernel: 'vmlinuz',
      initrd: null,
      commandLine: 'quiet',
    } as Secondary['boot'],
    disks: [],
    seed: null,
    network: 'None',
    slice: null,
    serialConsole: true,
    guestAgent: false,
    runPolicy: 'Always',
    updatePolicy: 'Staged',
    stopGraceMs: 1000,
    forceStop: true,
    labels: new Map(),
    protect: false,
    startAfter: [],
    readiness: 'Running',
    readinessPort: null,
    ...overrides,
  };
}

/** Secondaries alone, on whatever network there is. */
export function desired(...secondaries: readonly Secondary[]): DesiredState {
  return desiredWith({ secondaries });
}

export interface DesiredParts {
  readonly secondaries?: readonly Secondary[];
  readonly volumes?: readonly Volume[];
  readonly images?: readonly Image[];
  readonly imageHosts?: DesiredState['imageHosts'];
  readonly seedContents?: DesiredState['seedContents'];
  readonly network?: DesiredState['network'];
  readonly share?: DesiredState['share'];
  readonly commonCpus?: DesiredState['commonCpus'];
  readonly primary?: DesiredState['primary'];
}

export function desiredWith(parts: DesiredParts): DesiredState {
  const named = <N extends string, T extends { readonly name: N }>(all: readonly T[] = []) =>
    new Map(all.map((each) => [each.name, each]));
  return {
    partition,
    secondaries: named(parts.secondaries),
    volumes: named(parts.volumes),
    images: named(parts.images),
    imageHosts: parts.imageHosts ?? [],
    seedContents: parts.seedContents ?? new Map(),
    network: parts.network === undefined ? 'unspoken' : parts.network,
    share: parts.share === undefined ? 'unspoken' : parts.share,
    commonCpus: parts.commonCpus ?? 'unspoken',
    primary: parts.primary === undefined ? 'unspoken' : parts.primary,
  };
}

export function volume(name: string, overrides: Partial<Volume> = {}): Volume {
  return {
    name: name as VolumeName,
    sizeBytes: 64 * 2 ** 20,
    format: 'raw',
    origin: null,
    copyOf: null,
    deletionPolicy: 'Retain',
    ...overrides,
  };
}

export function image(name: string, overrides: Partial<Image> = {}): Image {
  return {
    name: name as ImageName,
    digest: `sha256:${'a'.repeat(64)}`,
    format: 'raw',
    source: fromFile('root.img'),
    virtualBytesMax: null,
    ...overrides,
  };
}

/** Of an Image: the operator has put it into the partition's store. */
export function fromFile(file: string): Extract<ImageSource, { readonly kind: 'file' }> {
  return { kind: 'file', file: file as FileName };
}

export function fileOf({ source }: Image): FileName {
  if (source.kind === 'file') return source.file;
  throw new Error(`it comes by ${source.kind}`);
}

/** At all that these documents are about. */
export function look(host: HostView, wanted: DesiredState): Promise<Observed> {
  const { names, ...others } = wantedBy(wanted);
  return observe(host, {
    partition: wanted.partition,
    wanted: names,
    ...others,
    newInstallation: installation,
    signal: new AbortController().signal,
  });
}

export async function planPass(
  host: HostView,
  wanted: DesiredState,
  deleteEverything = false,
  deletionsMax: number | null = null,
  more: Partial<PlanOptions> = {},
  held: Held = nothingHeld,
): Promise<Plan> {
  const observed = await look(host, wanted);
  return makePlan(diff(wanted, observed, held), observed, {
    ...noWishes,
    deleteEverything,
    deletionsMax,
    deletionReason: 'not-in-documents',
    deletionGraceMs: null,
    ...more,
  });
}

/** A host whose time stands still until it is waited for says what time it is. */
type TimedHost = Host & { readonly clock?: { readonly now: () => number } };

export async function applyPass(
  host: TimedHost,
  wanted: DesiredState,
  options: Partial<ExecuteOptions> = {},
): Promise<Report> {
  const { seedContents } = wanted;
  return runPlan(await planPass(host, wanted, true), host, { seedContents, ...options });
}

/** What a plan holds back, each with its code. @param called as the words before that */
export function blocksIn(
  { entries }: Plan,
  called: (resource: Resource) => string = ({ name }) => name,
): readonly string[] {
  return entries.flatMap((entry) =>
    entry.kind === 'blocked' ? [`${called(entry.resource)} ${entry.block.code}`] : [],
  );
}

/** The same, by what kinds of things they are. */
export const blockedKindsIn = (plan: Plan) => blocksIn(plan, ({ kind }) => kind);

/** What waits for a guest to let go is done a pass later, and what waits for that one more. */
const passesMax = 4;

/**
 * Passes until there is nothing left to do.
 * @returns the report of the first
 * @throws Error if they do not come to an end
 */
export async function converge(
  host: TimedHost,
  wanted: DesiredState,
  options: Partial<ExecuteOptions> = {},
): Promise<Report> {
  const report = await applyPass(host, wanted, options);
  for (let pass = 1; pass < passesMax; pass += 1) {
    const plan = await planPass(host, wanted, true);
    if (plan.operations.length === 0) return report;
    await runPlan(plan, host, { seedContents: wanted.seedContents });
  }
  const { operations } = await planPass(host, wanted, true);
  if (operations.length === 0) return report;
  throw new Error(`never done: ${operations.map(({ id }) => id).join(', ')}`);
}

export function runPlan(
  plan: Plan,
  host: TimedHost,
  options: Partial<ExecuteOptions> = {},
): Promise<Report> {
  let clock = 0;
  return execute(plan, host, {
    seedContents: new Map(),
    inFlightMax: 1,
    stop: new AbortController().signal,
    abort: new AbortController().signal,
    // Without one every look at the clock is a second later, so that waiting ends.
    now: host.clock?.now ?? (() => (clock += 1000)),
    onStart: () => undefined,
    onOutcome: () => undefined,
    ...options,
  });
}
