/**
 * A partition's network without libvirt: a bridge that the real kernel filters as it filters any, and
 * guests that are network namespaces, plugged in as a VM's tap would be. What they send is real.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { localFilters } from '../../src/host/local/filters.ts';
import { type FilterFields, filterFieldsOf, filterRefOf, portsOf } from '../../src/model/filter.ts';
import { bridgeName, macAddress, type PartitionOwner, tapName } from '../../src/model/identity.ts';
import type { PartitionName, SecondaryName } from '../../src/model/names.ts';
import {
  addressAt,
  gatewayOf,
  type NetworkFields,
  type Reservation,
} from '../../src/model/network.ts';
import { sh } from './filtered-partitions.ts';
import { installation } from './passes.ts';
import { until } from './until.ts';

const { signal } = new AbortController();
const traffic = fileURLToPath(new URL('traffic.pl', import.meta.url));

/** Somebody outside, at the other end of a cable. */
export function outside(name: string, subnet: string): void {
  sh('ip', 'netns', 'add', name);
  sh('ip', 'link', 'add', `${name}0`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  sh('ip', 'address', 'add', `${subnet}.1/24`, 'dev', `${name}0`);
  sh('ip', 'link', 'set', `${name}0`, 'up');
  const there = (...args: readonly string[]) => sh('ip', '-n', name, ...args);
  there('address', 'add', `${subnet}.2/24`, 'dev', 'eth0');
  there('link', 'set', 'eth0', 'up');
  there('route', 'add', 'default', 'via', `${subnet}.1`);
}

/** The end of the cable first: a namespace goes later than `ip` says. */
function unplug(namespace: string, link: string): void {
  sh('ip', 'link', 'delete', link);
  sh('ip', 'netns', 'delete', namespace);
}

export function noMoreOutside(name: string): void {
  unplug(name, `${name}0`);
}

export class WiredPartition {
  readonly fields: NetworkFields;
  readonly us: PartitionOwner;
  readonly #reservations = new Map<SecondaryName, Reservation>();

  constructor(name: string, fields: NetworkFields) {
    this.us = { installation, partition: name as PartitionName };
    this.fields = fields;
    const bridge = bridgeName(this.us);
    sh('ip', 'link', 'add', bridge, 'type', 'bridge');
    sh('ip', 'address', 'add', `${gatewayOf(fields.cidr)}/24`, 'dev', bridge);
    sh('ip', 'link', 'set', bridge, 'up');
  }

  get table(): string {
    return filterRefOf(this.us).table;
  }

  /** In the namespace of its name; nothing of it passes before the next `apply`. */
  plug(name: string): string {
    const secondary = name as SecondaryName;
    const owner = { ...this.us, secondary };
    const address = addressAt(this.fields.cidr, 2 + this.#reservations.size);
    const mac = macAddress(owner);
    this.#reservations.set(secondary, { mac, address });
    const tap = tapName(owner);
    sh('ip', 'netns', 'add', name);
    sh('ip', 'link', 'add', tap, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    sh('ip', 'link', 'set', tap, 'master', bridgeName(this.us), 'up');
    const there = (...args: readonly string[]) => sh('ip', '-n', name, ...args);
    there('link', 'set', 'eth0', 'address', mac, 'up');
    there('address', 'add', `${address}/24`, 'dev', 'eth0');
    there('route', 'add', 'default', 'via', gatewayOf(this.fields.cidr));
    return address;
  }

  async close(): Promise<void> {
    for (const secondary of this.#reservations.keys()) {
      unplug(secondary, tapName({ ...this.us, secondary }));
    }
    sh('ip', 'link', 'delete', bridgeName(this.us));
    await localFilters().remove(filterRefOf(this.us), signal);
  }

  async apply(fields: Partial<NetworkFields> = {}): Promise<FilterFields> {
    const wanted = filterFieldsOf({ ...this.fields, ...fields });
    const ports = [...portsOf(this.#reservations, this.us).values()];
    await localFilters().apply(filterRefOf(this.us), { fields: wanted, ports }, signal);
    return wanted;
  }
}

/** What somebody in a network namespace does with their network. */
export class Traffic {
  #said = '';
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;

  private constructor(namespace: string, args: readonly string[]) {
    const inside = ['netns', 'exec', namespace, 'perl', traffic, ...args];
    this.#process = spawn('ip', inside, { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    this.#process.stdin.on('error', () => undefined);
    this.#process.stdout.on('data', (chunk: Buffer) => (this.#said += chunk.toString()));
  }

  static of(namespace: string, ...args: readonly string[]): Traffic {
    return new Traffic(namespace, args);
  }

  static async listening(namespace: string, ...args: readonly string[]): Promise<Traffic> {
    const listener = new Traffic(namespace, args);
    await listener.says(/^listens\n/);
    return listener;
  }

  async says(pattern: RegExp): Promise<string> {
    const text = () => this.#said;
    await until(`${pattern} is said`, text, (said) => pattern.test(said));
    return pattern.exec(this.#said)?.[1] ?? '';
  }

  get said(): string {
    return this.#said;
  }

  tell(line: string): void {
    this.#process.stdin.write(`${line}\n`);
  }

  /** With the processes that it has begun. */
  end(): void {
    const { pid } = this.#process;
    if (pid === undefined || this.#process.exitCode !== null) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended by itself just now.
    }
  }
}

interface Way {
  readonly from: string;
  readonly to: string;
  /** Of `to`. */
  readonly address: string;
  readonly port: number;
}

/** Bytes per second that get through of all that can be sent, once what was saved up is used up. */
export async function measure(protocol: 'tcp' | 'udp', way: Way): Promise<number> {
  const { from, to, address, port } = way;
  const [skip, seconds] = [1.5, 2];
  const sink = await Traffic.listening(to, 'sink', protocol, `${port}`, `${skip}`, `${seconds}`);
  const sender = Traffic.of(from, 'send', protocol, address, `${port}`);
  try {
    return Number(await sink.says(/^listens\n(\d+)\n/)) / seconds;
  } finally {
    for (const each of [sender, sink]) each.end();
  }
}
