/** The lab's host as a process: QEMU with a disk, two serial consoles, a monitor and a guest agent. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../support/until.ts';
import { JsonSocket } from './json-socket.ts';

/** `kvm` where it works on this machine, which its device's being there does not tell. */
export type Accelerator = 'kvm' | 'tcg';

export interface MachineSpec {
  readonly accelerator: Accelerator;
  /** Where its sockets and logs are. */
  readonly dir: string;
  /** qcow2, written to. */
  readonly disk: string;
  readonly kernel: string;
  readonly initrd: string;
  readonly commandLine: string;
  /** A state that `save` made, on a disk that was saved with it. */
  readonly resume?: string;
  /** Lives on when this process ends. */
  readonly detached?: boolean;
}

export const hardware = { vcpus: 2, memoryMiB: 3072 };

/**
 * The processor that emulation gives: one with SVM, so that the host in the lab has a working KVM
 * of its own and its guests cost one translation, not two. No more than that: with all that QEMU 7.2
 * can emulate (`max`), the host's kernel panics after some starts of guests; and 6.12 does with the
 * flags that QEMU leaves behind a cmpxchg16b.
 */
const emulatedCpu = 'qemu64,+svm,+npt,+ssse3,+sse4.1,+sse4.2,+popcnt,-cx16,+lahf_lm';

/** With a state. */
const patience = { msMax: 300_000, everyMs: 50 };
/** Until it ends that was told to. */
const endMsMax = 20_000;

export class Machine {
  readonly dir: string;
  readonly accelerator: Accelerator;
  readonly #process: ChildProcess;
  readonly #monitor: JsonSocket;
  #resets = 0;

  private constructor(
    { dir, accelerator }: MachineSpec,
    process: ChildProcess,
    monitor: JsonSocket,
  ) {
    this.dir = dir;
    this.accelerator = accelerator;
    this.#process = process;
    this.#monitor = monitor;
    monitor.onEvent((name) => {
      if (name === 'RESET') this.#resets += 1;
    });
  }

  /** How often it has begun anew: each time it was told to, or because its processor gave up. */
  get resets(): number {
    return this.#resets;
  }

  /** @throws Error with its process at its end */
  static async start(spec: MachineSpec): Promise<Machine> {
    const process = spawned(spec);
    try {
      return await Machine.#of(spec, process);
    } catch (error) {
      process.kill('SIGKILL');
      throw error;
    }
  }

  static async #of(spec: MachineSpec, process: ChildProcess): Promise<Machine> {
    const failed = new Promise<never>((_, reject) => {
      process.once('exit', (code) =>
        reject(new Error(`QEMU ended (${code}); see ${spec.dir}/qemu.log`)),
      );
    });
    failed.catch(() => undefined);
    const monitor = await Promise.race([JsonSocket.connect(paths(spec.dir).monitor), failed]);
    await Promise.race([monitor.request('qmp_capabilities'), failed]);
    const machine = new Machine(spec, process, monitor);
    if (spec.resume !== undefined) await Promise.race([machine.#goOn(), failed]);
    return machine;
  }

  /** Writes memory and devices to a file, and ends, whatever comes of it. What is on the disk belongs to it. */
  async saveAndEnd(path: string): Promise<void> {
    try {
      await this.#save(path);
    } finally {
      await this.end();
    }
  }

  async #save(path: string): Promise<void> {
    await this.#monitor.request('stop');
    await this.#monitor.request('migrate', { uri: `exec:cat >'${path}'` });
    const ends = ['completed', 'failed', 'cancelled'];
    const status = () => this.#status('query-migrate');
    const how = await until('the state is saved', status, (now) => ends.includes(now), patience);
    if (how !== 'completed') throw new Error(`the state was not saved: ${how}`);
  }

  /** A further disk of nothing but zeroes, under a host that runs; it finds it by its serial number. */
  async plugDisk(name: string, bytes: number): Promise<void> {
    const filename = join(this.dir, `${name}.raw`);
    await writeFile(filename, '');
    await truncate(filename, bytes);
    const file = { driver: 'file', filename, discard: 'unmap' };
    await this.#monitor.request('blockdev-add', { 'node-name': name, driver: 'raw', file });
    const device = { driver: 'virtio-blk-pci', id: name, drive: name, serial: name };
    await this.#monitor.request('device_add', device);
  }

  /** As if its power went away. */
  async end(): Promise<void> {
    const ended = new Promise<void>((done) => {
      if (this.#process.exitCode !== null || this.#process.signalCode !== null) done();
      else this.#process.once('exit', () => done());
    });
    const quits = this.#monitor.request('quit').then(() => ended);
    const isLate = sleep(endMsMax, 'late', { ref: false });
    const how = await Promise.race([quits, isLate]).catch(() => 'late');
    if (how === 'late') this.#process.kill('SIGKILL');
    await ended;
    this.#monitor.close();
  }

  /** It lives on, and can be reached by its sockets. */
  leave(): void {
    this.#monitor.close();
  }

  /** It was stopped when it was saved, and is again once all has been read. */
  async #goOn(): Promise<void> {
    const status = () => this.#status('query-status');
    await until('the saved state is read', status, (now) => now === 'paused', patience);
    await this.#monitor.request('cont');
  }

  /** Migration has none before it begins. */
  async #status(query: string): Promise<string> {
    return ((await this.#monitor.request(query)) as { status?: string }).status ?? '';
  }
}

export function paths(dir: string) {
  return {
    /** Kernel and systemd. */
    console: join(dir, 'console.log'),
    /** A shell of root's. */
    shell: join(dir, 'shell.sock'),
    agent: join(dir, 'agent.sock'),
    monitor: join(dir, 'monitor.sock'),
    log: join(dir, 'qemu.log'),
  };
}

function spawned(spec: MachineSpec): ChildProcess {
  const log = openSync(paths(spec.dir).log, 'w');
  const qemu = ['qemu-system-x86_64', ...argumentsOf(spec)];
  // A runner that dies, however it dies, takes its machine with it.
  const command = spec.detached === true ? qemu : ['setpriv', '--pdeathsig', 'KILL', ...qemu];
  const process = spawn(command[0]!, command.slice(1), {
    stdio: ['ignore', log, log],
    detached: spec.detached === true,
  });
  closeSync(log);
  if (spec.detached === true) process.unref();
  return process;
}

function argumentsOf(spec: MachineSpec): string[] {
  const at = paths(spec.dir);
  const isKvm = spec.accelerator === 'kvm';
  const socket = (id: string, path: string) => `socket,id=${id},path=${path},server=on,wait=off`;
  return [
    ['-accel', isKvm ? 'kvm' : 'tcg,thread=multi,tb-size=512'],
    ['-cpu', isKvm ? 'host' : emulatedCpu],
    ['-smp', String(hardware.vcpus)],
    ['-m', String(hardware.memoryMiB)],
    ['-nodefaults', '-display', 'none'],
    ['-kernel', spec.kernel, '-initrd', spec.initrd, '-append', spec.commandLine],
    ['-drive', `file=${spec.disk},format=qcow2,if=virtio,cache=unsafe,discard=unmap`],
    ['-device', 'virtio-rng-pci'],
    ['-chardev', `file,id=console,path=${at.console}`, '-serial', 'chardev:console'],
    ['-chardev', socket('shell', at.shell), '-serial', 'chardev:shell'],
    ['-device', 'virtio-serial'],
    ['-chardev', socket('agent', at.agent)],
    ['-device', 'virtserialport,chardev=agent,name=org.qemu.guest_agent.0'],
    ['-qmp', `unix:${at.monitor},server=on,wait=off`],
    spec.resume === undefined ? [] : ['-incoming', `exec:cat '${spec.resume}'`],
  ].flat();
}
