/** What people and the world do to a daemon in tests, in few words. */
import type { Hold } from '../../src/channel/control.ts';
import type { DocumentParser } from '../../src/daemon/parser.ts';
import type { Timers } from '../../src/daemon/runtime.ts';
import { HostError, type HostErrorCode } from '../../src/host/host-error.ts';
import type { Call, FaultRule } from '../../src/host/simulated/faults.ts';
import type { SimulatedDomain } from '../../src/host/simulated/world.ts';
import type { StopReason } from '../../src/model/domain.ts';
import { partition } from './passes.ts';
import { onCall } from './simulation.ts';
import {
  desiredStateDir,
  honestParser,
  secondaryNamed,
  secondaryText,
  type VirtualDaemon,
} from './virtual-daemon.ts';
import type { VirtualRuntime } from './virtual-runtime.ts';

export const folder = `${desiredStateDir}/${partition}`;

/** Its guest does not end when it is asked to. */
const stuck = { commandLine: 'unnest.do=ignore-shutdown' };

export function stuckText(name: string, spec: Readonly<Record<string, unknown>> = {}): string {
  return secondaryText(name, { ...stuck, spec });
}

/** One that deletes its data when no document speaks of it any more, if nothing else is said. */
export function volumeText(spec: Readonly<Record<string, unknown>> = {}): string {
  const document = {
    apiVersion: 'unnest.dev/v1',
    kind: 'Volume',
    metadata: { name: 'data' },
    spec: { size: '64MiB', format: 'raw', deletionPolicy: 'Delete', ...spec },
  };
  return `---\n${JSON.stringify(document)}\n`;
}

/** @param name null: the whole partition */
export function holdOf(name: string | null): Hold {
  const secondary = name === null ? null : secondaryNamed(name);
  return { secondary, reason: 'mine', submitter: 'uid 0', expiresAt: null };
}

export function power(daemon: VirtualDaemon, name: string, action: 'start' | 'stop' | 'restart') {
  return daemon.control.power(partition, secondaryNamed(name), action, 'uid 0');
}

export function domainIn(daemon: VirtualDaemon, name: string): SimulatedDomain {
  const all = [...daemon.world.domains.values()];
  const found = all.find(({ domainName }) => domainName === `unnest.${partition}.${name}`);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

export function runIdIn(daemon: VirtualDaemon, name: string): number | null {
  return domainIn(daemon, name).guest?.runId ?? null;
}

/** Its guest ends by itself, and libvirt tells. */
export function ends(daemon: VirtualDaemon, name: string, stopReason: StopReason): void {
  const domain = domainIn(daemon, name);
  domain.guest = null;
  domain.stopReason = stopReason;
  daemon.supervisor.wakeAll('host-event');
}

export function writesOf(daemon: VirtualDaemon, ...words: readonly string[]): readonly string[] {
  return daemon.writes.filter((each) => words.some((word) => each.startsWith(word)));
}

export function passes({ events }: VirtualDaemon): number {
  return events.filter(({ kind }) => kind === 'pass-started').length;
}

export function refusing(
  name: Parameters<typeof onCall>[0],
  code: HostErrorCode,
  secondary = 'web',
): FaultRule {
  const error = new HostError(code, 'no');
  return onCall(name, { kind: 'error', error }, `unnest.${partition}.${secondary}`);
}

/** What only goes wrong as long as it is told to. */
export function switched(rule: FaultRule): { on: boolean; readonly rule: FaultRule } {
  const state = { on: true, rule: (call: Call) => (state.on ? rule(call) : null) };
  return state;
}

/** Takes that long for whatever is handed in while `slow` is set. */
export function slowParser(ms: number, timers: Timers): DocumentParser & { slow: boolean } {
  const parser: DocumentParser & { slow: boolean } = {
    slow: false,
    parse: async (...asked) => {
      const parsed = await honestParser.parse(...asked);
      if (parser.slow) await timers.sleep(ms, new AbortController().signal);
      return parsed;
    },
    without: (_name, act) => act(),
    close: async () => undefined,
  };
  return parser;
}

/** Reading, writing, or listing, below a folder of that name takes that long from now on. */
export function slowFiles(
  { files, timers }: VirtualRuntime,
  call: 'read' | 'replace' | 'list',
  below: string,
  ms: number,
): void {
  const replace = files.replace.bind(files);
  const list = files.list.bind(files);
  const read = files.read.bind(files);
  const wait = async (path: string) => {
    if (path.includes(`/${below}`)) await timers.sleep(ms, new AbortController().signal);
  };
  if (call === 'read') files.read = (path, ...more) => wait(path).then(() => read(path, ...more));
  else if (call === 'list') files.list = (path) => wait(path).then(() => list(path));
  else files.replace = (path, ...more) => wait(path).then(() => replace(path, ...more));
}

/** One kind of call takes that long. */
export function slowCall(name: Call['name'], secondary: string, ms: number, timers: Timers) {
  return async (call: Call) => {
    const isIt = call.name === name && call.subjects.includes(`unnest.${partition}.${secondary}`);
    if (isIt) await timers.sleep(ms, new AbortController().signal);
  };
}
