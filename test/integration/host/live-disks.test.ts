/**
 * Volumes come and go under real guests: a guest sees them come and go, one that does not let go keeps what it
 * has, and what moves from one to another is never two guests' at once.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Open, openLibvirtHost, openLibvirtView } from '../../../src/host/libvirt/open.ts';
import { storePath } from '../../../src/host/local/store.ts';
import type { Host } from '../../../src/host/ports.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import type { DesiredState, Secondary } from '../../../src/model/secondary.ts';
import { useOf, type Volume } from '../../../src/model/volume.ts';
import { deaf, describeDiskContract } from '../../contract/disk-contract.ts';
import type { Subject } from '../../contract/host-contract.ts';
import { virsh } from '../../support/cli.ts';
import {
  desiredWith,
  partition,
  planPass,
  runPlan,
  secondary,
  volume,
} from '../../support/passes.ts';
import { until } from '../../support/until.ts';

const { signal } = new AbortController();

function storeIn(stateDir: string, of: PartitionName): void {
  const store = storePath(stateDir, of);
  const kit = process.env['UNNEST_GUEST_KIT'] ?? '';
  mkdirSync(store, { recursive: true });
  for (const file of ['vmlinuz', 'initrd.img']) copyFileSync(join(kit, file), join(store, file));
}

async function clear(host: Host): Promise<void> {
  for (const { domainName } of await host.domains.list(signal)) {
    await virsh('destroy', domainName).catch(() => undefined);
    await virsh('undefine', domainName).catch(() => undefined);
  }
}

describeDiskContract('a real libvirt', async (): Promise<Subject> => {
  const stateDir = mkdtempSync(join(tmpdir(), 'unnest-'));
  const of = 'disk-contract' as PartitionName;
  storeIn(stateDir, of);
  const target = { uri: 'qemu:///system', stateDir, partition: of };
  const [opened, view] = await Promise.all([
    openLibvirtHost(target, signal),
    openLibvirtView(target, signal),
  ]);
  return {
    host: opened.host,
    view: view.host,
    partition: of,
    suspend: async ({ domainName }) => void (await virsh('suspend', domainName)),
    dispose: async () => {
      await clear(opened.host);
      await Promise.all([opened.close(), view.close()]);
      rmSync(stateDir, { recursive: true });
    },
  };
});

describe('a Volume that moves between real guests', () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'unnest-'));
  const [data, logs] = [
    volume('data', { sizeBytes: 2 ** 20 }),
    volume('logs', { sizeBytes: 2 ** 21 }),
  ];
  let opened: Open<Host>;

  beforeAll(async () => {
    storeIn(stateDir, partition);
    opened = await openLibvirtHost({ uri: 'qemu:///system', stateDir, partition }, signal);
  });
  afterEach(() => clear(opened.host));
  afterAll(async () => {
    await opened.close();
    rmSync(stateDir, { recursive: true });
  });

  const guest = (name: string, disks: readonly Volume[], words = ''): Secondary => {
    const commandLine = `console=ttyS0 quiet unnest.name=${name} ${words}`.trim();
    const boot = { kind: 'kernel', kernel: 'vmlinuz', initrd: 'initrd.img', commandLine };
    return secondary(name, {
      boot: boot as Secondary['boot'],
      memoryBytes: 96 * 2 ** 20,
      disks: disks.map(useOf),
      stopGraceMs: 0,
    });
  };
  const wanting = (...secondaries: readonly Secondary[]): DesiredState =>
    desiredWith({ volumes: [data, logs], secondaries });
  const planned = async (wanted: DesiredState) => planPass(opened.host, wanted, true);
  /** @param haste how many times as fast the clock of the executor goes */
  const pass = async (wanted: DesiredState, haste = 1) => {
    const host = { ...opened.host, clock: { now: () => performance.now() * haste } };
    const { outcomes } = await runPlan(await planned(wanted), host, { inFlightMax: 4 });
    return outcomes.map(({ operation: { id }, result }) =>
      result.status === 'failed'
        ? `${id} failed: ${result.failure.message}`
        : `${id} ${result.status}`,
    );
  };
  const blocks = async (wanted: DesiredState) =>
    (await planned(wanted)).entries.flatMap((entry) =>
      entry.kind === 'blocked' ? [`${entry.resource.name}: ${entry.block.message}`] : [],
    );
  const domain = (name: string) => `unnest.${partition}.${name}`;
  /** What its QEMU has open, by QEMU's own word and in its order. */
  const open = async (name: string) => {
    const said = await virsh('qemu-monitor-command', domain(name), '--hmp', 'info block');
    return [...said.matchAll(/volumes\/([a-z]+)\//g)].flatMap(([, found]) => found ?? []);
  };
  const sees = async (name: string, pattern: RegExp) => {
    const refs = await opened.host.domains.list(signal);
    const ref = refs.find(({ domainName }) => domainName === domain(name));
    if (ref === undefined) throw new Error(`there is no ${name}`);
    let text = '';
    const enough = new AbortController();
    for await (const chunk of await opened.host.domains.console(ref, enough.signal)) {
      text += Buffer.from(chunk).toString('latin1');
      if (pattern.test(text)) break;
    }
    enough.abort();
    expect(text).toMatch(pattern);
  };

  test('comes while its guest runs, goes to another, and each of them sees it', async () => {
    await pass(wanting(guest('a', [logs]), guest('b', [])));
    await sees('a', /disks vdb:logs:2\r|disks vda:logs:2\r/);
    await sees('b', /up [0-9]+ s/);
    // No restart: both guests are those that they were.
    const runs = async () => Promise.all(['a', 'b'].map((name) => virsh('domid', domain(name))));
    const before = await runs();
    expect(await pass(wanting(guest('a', [logs, data]), guest('b', [])))).toEqual([
      'domain.define/a applied',
      'domain.attach-disk/a.data applied',
    ]);
    await sees('a', /disks [^\r]*:data:1\r/);
    expect(await pass(wanting(guest('a', [logs, data]), guest('b', [])))).toEqual([]);
    expect(await pass(wanting(guest('a', [data]), guest('b', [logs])))).toEqual([
      'domain.define/a applied',
      'domain.define/b applied',
      'domain.detach-disk/a.logs applied',
      'domain.attach-disk/b.logs applied',
    ]);
    expect([await open('a'), await open('b')]).toEqual([['data'], ['logs']]);
    await sees('a', /disks vd[a-z]:data:1\r/);
    await sees('b', /disks vd[a-z]:logs:2\r/);
    expect(await runs()).toEqual(before);
    expect(await pass(wanting(guest('a', [data]), guest('b', [logs])))).toEqual([]);
  });

  test('stays where it is as long as its guest does not let go, and then goes on', async () => {
    await pass(wanting(guest('a', [data], deaf), guest('b', [])));
    await sees('a', /up [0-9]+ s/);
    await sees('b', /up [0-9]+ s/);
    const moved = wanting(guest('a', [], deaf), guest('b', [data]));
    // A minute is over in two seconds.
    expect(await pass(moved, 30)).toEqual([
      'domain.define/a applied',
      'domain.define/b applied',
      expect.stringMatching(/^domain.detach-disk\/a.data failed: .*has not let go of Volume data/),
      'domain.attach-disk/b.data skipped',
    ]);
    expect([await open('a'), await open('b')]).toEqual([['data'], []]);
    // It was asked for it, and lets go of it when it resets: until then nobody gets it.
    await virsh('reset', domain('a'));
    await until(
      'it has let go',
      () => open('a'),
      (has) => has.length === 0,
    );
    expect((await pass(moved)).join('\n')).toContain('domain.attach-disk/b.data applied');
    expect([await open('a'), await open('b')]).toEqual([[], ['data']]);
    expect(await blocks(moved)).toEqual([]);
  });

  test('waits for a restart where there is no port, as with guests of before', async () => {
    await pass(wanting(guest('a', [])));
    // What an earlier version wrote: libvirt leaves one port.
    const xml = await virsh('dumpxml', '--inactive', domain('a'));
    const bare = xml.replaceAll(
      /<controller type='pci'[^>]*(?:\/>|>[^]*?<\/controller>)|<address type='pci'[^>]*\/>/g,
      '',
    );
    const file = join(stateDir, 'bare.xml');
    writeFileSync(file, bare);
    await virsh('define', file);
    await virsh('destroy', domain('a'));
    await pass(wanting(guest('a', [])));
    const both = wanting(guest('a', [data, logs]));
    const entry = (await planned(both)).entries.find(({ resource }) => resource.name === 'a');
    expect(entry).toMatchObject({ impact: 'live', waiting: [{ path: 'spec.disks' }] });
    expect(await pass(wanting(guest('a', [data])))).toContain('domain.attach-disk/a.data applied');
    const again = (await planned(both)).entries.find(({ resource }) => resource.name === 'a');
    expect(again).toMatchObject({ waiting: [{ path: 'spec.disks', impact: 'restart' }] });
    expect(await pass(both)).toEqual(['domain.define/a applied']);
    await virsh('destroy', domain('a'));
    await pass(both);
    expect(await open('a')).toEqual(['data', 'logs']);
    expect((await planned(both)).operations).toEqual([]);
    expect((await pass(wanting(guest('a', [logs])))).at(-1)).toMatch(/detach-disk/);
  });
});
