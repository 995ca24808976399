/** Partitions on a real libvirtd whose guests take commands: what the tests of the packet filter use. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Report } from '../../src/execute/outcome.ts';
import { openLibvirtHost } from '../../src/host/libvirt/open.ts';
import { storePath } from '../../src/host/local/store.ts';
import type { Host } from '../../src/host/ports.ts';
import {
  bridgeName,
  domainName,
  filterTable,
  macAddress,
  secondaryUuid,
  tapName,
} from '../../src/model/identity.ts';
import type { PartitionName, SecondaryName } from '../../src/model/names.ts';
import { gatewayOf, type NetworkFields } from '../../src/model/network.ts';
import type { PrimaryWanted } from '../../src/model/primary.ts';
import type { Secondary } from '../../src/model/secondary.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { GuestConsole } from './guest-wire.ts';
import { desiredWith, installation, planPass, runPlan, secondary } from './passes.ts';
import { until } from './until.ts';

const never = new AbortController().signal;
const kit = process.env['UNNEST_GUEST_KIT'] ?? '';

/** Runs a program of the host, and throws what it complains about. */
export function sh(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

export function guestOf(name: string, more: Partial<Secondary> = {}): Secondary {
  const quiet = readFileSync(join(kit, 'cmdline'), 'utf8').trim();
  const commandLine = `${quiet} unnest.name=${name} unnest.do=client unnest.every=60`;
  const boot = { kind: 'kernel', kernel: 'vmlinuz', initrd: 'initrd.img', commandLine };
  return secondary(name, {
    boot: boot as Secondary['boot'],
    network: 'Partition',
    stopGraceMs: 0,
    ...more,
  });
}

export class FilteredPartition {
  readonly name: PartitionName;
  readonly host: Host;
  readonly fields: NetworkFields;
  /** Null: no document names one. */
  primary: PrimaryWanted | null = null;
  readonly #close: () => Promise<void>;

  private constructor(
    name: PartitionName,
    fields: NetworkFields,
    opened: Awaited<ReturnType<typeof openLibvirtHost>>,
    stateDir: string,
  ) {
    this.name = name;
    this.fields = fields;
    this.host = opened.host;
    this.#close = async () => {
      await opened.close();
      rmSync(stateDir, { recursive: true });
    };
  }

  static async open(name: string, fields: NetworkFields): Promise<FilteredPartition> {
    const partition = name as PartitionName;
    const stateDir = mkdtempSync(join(tmpdir(), 'unnest-'));
    const store = storePath(stateDir, partition);
    mkdirSync(store, { recursive: true });
    for (const file of ['vmlinuz', 'initrd.img']) copyFileSync(join(kit, file), join(store, file));
    const opened = await openLibvirtHost({ uri: 'qemu:///system', stateDir, partition }, never);
    return new FilteredPartition(partition, fields, opened, stateDir);
  }

  get us() {
    return { installation, partition: this.name };
  }
  get bridge(): string {
    return bridgeName(this.us);
  }
  get table(): string {
    return filterTable(this.us);
  }
  get gateway(): string {
    return gatewayOf(this.fields.cidr);
  }
  get gatewayMac(): string {
    return readFileSync(`/sys/class/net/${this.bridge}/address`, 'utf8').trim();
  }

  plan(secondaries: readonly Secondary[], fields: Partial<NetworkFields> = {}): Promise<Plan> {
    const network = { ...this.fields, ...fields };
    const { primary } = this;
    const wanted = { ...desiredWith({ secondaries, network, primary }), partition: this.name };
    return planPass(this.host, wanted, true);
  }

  /** @throws Error if any of it fails */
  async apply(
    secondaries: readonly Secondary[],
    fields: Partial<NetworkFields> = {},
  ): Promise<Report> {
    const plan = await this.plan(secondaries, fields);
    const timed = { ...this.host, clock: { now: () => performance.now() } };
    const report = await runPlan(plan, timed, { inFlightMax: 4 });
    const failed = report.outcomes.filter(({ result }) => result.status === 'failed');
    if (failed.length > 0) throw new Error(JSON.stringify(failed.map(({ result }) => result)));
    return report;
  }

  owner(name: string) {
    return { ...this.us, secondary: name as SecondaryName };
  }

  async address(name: string): Promise<string> {
    const seen = await this.host.filters.find({ table: this.table, bridge: this.bridge }, never);
    const ports = seen.status === 'present' ? seen.value.ports : [];
    const port = ports.find(({ tap }) => tap === tapName(this.owner(name)));
    if (port === undefined) throw new Error(`${name} has no port`);
    return port.address;
  }

  mac(name: string): string {
    return macAddress(this.owner(name));
  }
  tap(name: string): string {
    return tapName(this.owner(name));
  }

  /** Of a guest, once it has its address. */
  async console(name: string): Promise<GuestConsole> {
    const ref = {
      uuid: secondaryUuid(this.owner(name)),
      domainName: domainName(this.name, name as SecondaryName),
    };
    const opened = await GuestConsole.open(this.host, ref);
    await opened.answers();
    const facts = () => opened.do('GET /facts');
    await until(`${name} has an address`, facts, (said) => said.includes('"addresses":["'));
    return opened;
  }

  /** Guests, network and filter go as they go for everybody. */
  async close(): Promise<void> {
    const nothing = { ...desiredWith({ network: null }), partition: this.name };
    await runPlan(await planPass(this.host, nothing, true), this.host);
    await this.#close();
  }
}
