/**
 * The whole machine in memory: a clock that stands still until the test lets it go on, a disk that
 * outlives a crash, sockets, and chance that is the same in every run.
 *
 *     const runtime = virtualRuntime();
 *     runtime.disk.write('/etc/unnest/desired/team-a/web.yaml', text);
 *     await runtime.advance(2_000);
 *     runtime.files.crashAtWrite(3, 'before');
 *     const next = runtime.restart();
 */
import type { HostAddress } from '../../src/partition/host-fit.ts';
import type { Runtime, Timers } from '../../src/daemon/runtime.ts';
import { VirtualDisk } from './virtual-disk.ts';
import { type VirtualFiles, virtualFiles } from './virtual-files.ts';
import { type VirtualSockets, virtualSockets } from './virtual-sockets.ts';
import { type VirtualTime, virtualTime } from './virtual-time.ts';

export interface VirtualRuntime extends Runtime {
  readonly files: VirtualFiles;
  readonly sockets: VirtualSockets;
  readonly disk: VirtualDisk;
  readonly time: VirtualTime;
  /** Of the machine; may be added to, and stay when it is started anew. */
  readonly hostAddresses: HostAddress[];
  /** Runs what falls due within `ms`, in order, and lets everything settle in between. */
  readonly advance: (ms: number) => Promise<void>;
  /** Lets go on what can go on without time. */
  readonly settle: () => Promise<void>;
  /** The process ends without another word: its timers, files and sockets do nothing more. */
  readonly crash: () => void;
  /** Another process, on the same disk and in the same time. This one is dead then. */
  readonly restart: (options?: { readonly losePower?: boolean }) => VirtualRuntime;
}

export interface VirtualRuntimeOptions {
  readonly time?: VirtualTime;
  readonly disk?: VirtualDisk;
  /** Always the same, so that waits with jitter are known; 0.5 if nothing is said. */
  readonly random?: () => number;
  readonly hostAddresses?: HostAddress[];
}

export function virtualRuntime(options: VirtualRuntimeOptions = {}): VirtualRuntime {
  const { time = virtualTime(), random = () => 0.5, hostAddresses = [] } = options;
  const disk = options.disk ?? new VirtualDisk(() => time.clock.wall());
  const sockets = virtualSockets();
  const life = { alive: true };
  const files = virtualFiles(disk, () => {
    life.alive = false;
    sockets.crash();
  });
  const crash = () => files.crash();
  return {
    clock: time.clock,
    timers: whileAlive(time.timers, life),
    files,
    sockets,
    random,
    addresses: () => [...hostAddresses],
    hostAddresses,
    disk,
    time,
    advance: (ms) => time.advance(ms),
    settle: () => time.settle(),
    crash,
    restart: ({ losePower = false } = {}) => {
      crash();
      if (losePower) disk.loseUnsynced();
      return virtualRuntime({ time, disk, random, hostAddresses });
    },
  };
}

/** Of a process that has died nothing wakes any more. */
function whileAlive(timers: Timers, life: { readonly alive: boolean }): Timers {
  return {
    after: (ms, act) =>
      timers.after(ms, () => {
        if (life.alive) act();
      }),
    sleep: async (ms, signal) => {
      await timers.sleep(ms, signal);
      if (!life.alive) await new Promise<never>(() => {});
    },
  };
}
