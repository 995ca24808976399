/**
 * The lab at moments worth coming back to, each saved once and resumed in seconds. A state stands on
 * the disk of the one before; its name holds what it was made of, so that it is made anew when any
 * of that changes.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { folderBeside, remove } from './folders.ts';
import { agentPrimary, startAgentPrimary } from './agent-primary.ts';
import { HostGaveUp } from './emulation.ts';
import { GuestSilent, Host } from './host.ts';
import { install } from './install.ts';
import { type Accelerator, hardware, Machine, type MachineSpec } from './machine/qemu.ts';
import { type Primary, primaries, startPrimaries } from './primaries.ts';
import type { Timeline } from './timeline.ts';

/** Where the image, the packages and the states are. */
export const cache = '.cache/lab';

/**
 * `tenants`: libvirtd and two Primaries that have booted. `installed`: and unnestd, as by its user.
 * `agent`: and a third Primary, with unnest's agent.
 */
export type StateName = 'tenants' | 'installed' | 'agent';

export interface Built {
  readonly accelerator: Accelerator;
  /** The folder with disk.raw, vmlinuz and initrd.img. */
  readonly image: string;
  readonly tarball: string;
}

/** How a state is made, from the one that it stands on or from a host that boots. */
interface Making {
  readonly from: StateName | null;
  readonly make: (host: Host, timeline: Timeline, tarball: string) => Promise<void>;
  /** Who runs in it. */
  readonly primaries: readonly Primary[];
}

const makings: Readonly<Record<StateName, Making>> = {
  tenants: { from: null, make: startPrimaries, primaries },
  installed: {
    from: 'tenants',
    make: (host, timeline, tarball) => install(host, tarball, timeline),
    primaries,
  },
  agent: { from: 'installed', make: startAgentPrimary, primaries: [...primaries, agentPrimary] },
};

interface State {
  readonly disk: string;
  readonly memory: string;
}

/** A kernel that panics begins anew at once, which is noticed at once. */
const commandLine = 'root=/dev/vda rw console=ttyS0 apparmor=0 mitigations=off panic=-1';

export class States {
  readonly #built: Built;
  readonly #timeline: Timeline;
  readonly #keys: Readonly<Record<StateName, string>>;

  constructor(built: Built, timeline: Timeline) {
    this.#built = built;
    this.#timeline = timeline;
    this.#keys = keysOf(built);
  }

  /** Without KVM outside: then QEMU's emulation of SVM is what its guests run on. */
  get isEmulated(): boolean {
    return this.#built.accelerator === 'tcg';
  }

  get tarball(): string {
    return this.#built.tarball;
  }

  /** A host that goes on from there, on a disk of its own. @throws HostGaveUp */
  async resume(name: StateName, dir: string, detached = false): Promise<Host> {
    const state = await this.#made(name);
    const host = await this.#hostOn(dir, state.disk, { resume: state.memory, detached });
    try {
      for (const { name: primary } of makings[name].primaries) {
        await host.sh(`virsh resume ${primary}`);
      }
      // It has slept since it was saved.
      await host.sh(`date --set=@${Math.floor(Date.now() / 1000)} >/dev/null`);
      return host;
    } catch (error) {
      throw await this.#ended(host, error);
    }
  }

  /** A host that boots from the disk of a state. @param more of the kernel's command line @throws HostGaveUp */
  async boot(dir: string, name: StateName, more: string): Promise<Host> {
    const from = await this.#made(name);
    return this.#hostOn(dir, from.disk, { commandLine: `${commandLine} ${more}` });
  }

  /** A host that boots from another image than this one's. */
  bootImage(dir: string, image: string): Promise<Host> {
    return new States({ ...this.#built, image }, this.#timeline).#hostOn(dir);
  }

  async #made(name: StateName): Promise<State> {
    const dir = join(cache, `state-${name}-${this.#keys[name]}`);
    const state = { disk: join(dir, 'disk.qcow2'), memory: join(dir, 'memory') };
    if (existsSync(dir)) return state;
    for (const old of readdirSync(cache).filter((each) => each.startsWith(`state-${name}-`))) {
      remove(join(cache, old));
    }
    for (let triesLeft = 2; ; triesLeft -= 1) {
      const building = folderBeside(dir);
      try {
        await this.#make(name, building);
        renameSync(building, dir);
        return state;
      } catch (error) {
        if (!(error instanceof HostGaveUp)) throw error;
        // Whoever asks for it is not to begin all of that again.
        if (triesLeft === 0) throw new Error(error.message, { cause: error });
        remove(building);
        this.#timeline.does(`AGAIN: ${error.message}`);
      }
    }
  }

  async #make(name: StateName, dir: string): Promise<void> {
    const memory = join(dir, 'memory');
    const { from, make, primaries: running } = makings[name];
    const host = await (from === null ? this.#hostOn(dir) : this.resume(from, dir));
    try {
      await make(host, this.#timeline, this.#built.tarball);
      // QEMU 7.2 does not read a state in which an emulated processor is inside a guest.
      for (const { name: primary } of running) await host.sh(`virsh suspend ${primary}`);
      // What they have said is judged by whoever has seen it.
      await host.sh('for log in /var/log/lab/*.log; do : >$log; done; sync; fstrim / || true');
    } catch (error) {
      throw await this.#ended(host, error);
    }
    host.close();
    await host.machine.saveAndEnd(memory).catch((error: Error) => {
      throw this.#ofTheMachine(error);
    });
  }

  /** Ends a host in which something has failed. @returns what to throw for it */
  async #ended(host: Host, error: unknown): Promise<Error> {
    try {
      if (error instanceof HostGaveUp) return error;
      const isSilent = error instanceof GuestSilent;
      const why = isSilent ? error.message : await host.givenUp();
      if (this.isEmulated && why !== null) return new HostGaveUp(why);
      const message = `${(error as Error).message}\n${await host.evidence()}`;
      return new Error(message, { cause: error });
    } finally {
      await host.end();
    }
  }

  /** Nothing of ours runs in it by then, or has anything to do with it. */
  #ofTheMachine(error: Error): Error {
    return this.isEmulated ? new HostGaveUp(error.message) : error;
  }

  /** @param backing nothing is written to it; without one, that of the image */
  async #hostOn(dir: string, backing?: string, more: Partial<MachineSpec> = {}): Promise<Host> {
    const { image, accelerator } = this.#built;
    const disk = join(dir, 'disk.qcow2');
    const below = resolve(backing ?? join(image, 'disk.raw'));
    const format = backing === undefined ? 'raw' : 'qcow2';
    const create = ['create', '-q', '-f', 'qcow2', '-b', below, '-F', format];
    execFileSync('qemu-img', [...create, disk]);
    const spec = {
      accelerator,
      dir,
      disk,
      kernel: join(image, 'vmlinuz'),
      initrd: join(image, 'initrd.img'),
      commandLine,
      ...more,
    };
    try {
      const machine = await Machine.start(spec);
      return await Host.of(machine).catch(async (error: unknown) => {
        await machine.end();
        throw error;
      });
    } catch (error) {
      throw this.#ofTheMachine(error as Error);
    }
  }
}

/** Whatever a state depends on, the code that makes it included. */
function keysOf({ accelerator, image, tarball }: Built): Record<StateName, string> {
  const code = (file: string) => readFileSync(`test/lab/${file}`, 'utf8');
  const qemu = execFileSync('qemu-system-x86_64', ['--version'], { encoding: 'utf8' });
  const machine = [JSON.stringify(hardware), commandLine, code('machine/qemu.ts')];
  const tenants = [basename(image), accelerator, qemu, ...machine, code('primaries.ts')];
  const installed = [...tenants, basename(tarball), code('install.ts')];
  const agent = [...installed, code('agent-primary.ts')];
  return { tenants: digestOf(tenants), installed: digestOf(installed), agent: digestOf(agent) };
}

function digestOf(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16);
}
