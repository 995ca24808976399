/** The one way through, end to end, for tests: desired state and host in, plan and report out. */
import { diff } from '../../src/diff/diff.ts';
import { execute, type ExecuteOptions } from '../../src/execute/execute.ts';
import type { Report } from '../../src/execute/outcome.ts';
import type { Host, HostView } from '../../src/host/ports.ts';
import type { InstallationId } from '../../src/model/identity.ts';
import type { PartitionName, SecondaryName } from '../../src/model/names.ts';
import { type DesiredState, filesOf, type Secondary } from '../../src/model/secondary.ts';
import { observe } from '../../src/observe/observe.ts';
import { makePlan, type Plan } from '../../src/plan/plan.ts';

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
    serialConsole: true,
    runPolicy: 'Always',
    updatePolicy: 'Staged',
    stopGraceMs: 1000,
    labels: new Map(),
    protect: false,
    startAfter: [],
    ...overrides,
  };
}

export function desired(...secondaries: readonly Secondary[]): DesiredState {
  return { partition, secondaries: new Map(secondaries.map((each) => [each.name, each])) };
}

export async function planPass(
  host: HostView,
  wanted: DesiredState,
  deleteEverything = false,
  deletionsMax: number | null = null,
): Promise<Plan> {
  const observed = await observe(host, {
    partition: wanted.partition,
    wanted: new Set(wanted.secondaries.keys()),
    files: new Set([...wanted.secondaries.values()].flatMap(({ boot }) => filesOf(boot))),
    newInstallation: installation,
    signal: new AbortController().signal,
  });
  return makePlan(diff(wanted, observed), observed, {
    deleteEverything,
    deletionsMax,
    deletionReason: 'not-in-documents',
    deletionGraceMs: null,
  });
}

/** A host whose time stands still until it is waited for says what time it is. */
type TimedHost = Host & { readonly clock?: { readonly now: () => number } };

export async function applyPass(
  host: TimedHost,
  wanted: DesiredState,
  options: Partial<ExecuteOptions> = {},
): Promise<Report> {
  return runPlan(await planPass(host, wanted, true), host, options);
}

export function runPlan(
  plan: Plan,
  host: TimedHost,
  options: Partial<ExecuteOptions> = {},
): Promise<Report> {
  let clock = 0;
  return execute(plan, host, {
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
