/**
 * Whether a host can do the work. Each check tries what later work will need, rather than looking
 * whether something is there; the first that fails ends those that build on it.
 */
import { access, constants, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { connect, connectReadOnly, type ReadOnlyConnection } from '../../libvirt/index.ts';
import { explainError, HostError } from '../host-error.ts';
import { noWorkerPlaces } from '../worker-places.ts';
import { applyScript } from '../local/filter-script.ts';
import { imageSandbox } from '../local/image-sandbox.ts';
import { hasErrno } from '../local/io-error.ts';
import { checkScript, tellsBridge } from '../local/nft.ts';
import { storePath } from '../local/store.ts';
import { diagnoseThinPool } from './diagnose-thin.ts';
import { readFacts } from './facts.ts';
import type { LibvirtTarget } from './open.ts';

export interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly finding: string;
  readonly mend: string | null;
}

export async function diagnose(
  target: LibvirtTarget,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const reading = await checkReading(target, signal);
  return [
    ...reading,
    ...(reading.some(({ status }) => status === 'failed')
      ? []
      : [await checkWriting(target, signal)]),
    await checkNetworks(),
    await checkFilter(signal),
    await checkImages(target, signal),
    await checkImageDisks(target, signal),
    await checkSeeds(),
    await checkVsock(),
    await checkStateDir(target),
    await checkStore(target),
    ...(await diagnoseThinPool(target.thinPool ?? null, signal)),
  ];
}

async function checkReading(
  { uri }: LibvirtTarget,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  try {
    const connection = await connectReadOnly({ uri, signal });
    try {
      return [await describeLibvirt(connection, signal), await describeGuests(connection, signal)];
    } finally {
      connection.close();
    }
  } catch (error) {
    const mend = 'is libvirtd running, and is --host right? (systemctl start libvirtd)';
    return [failed('libvirt', explainError(error), mend)];
  }
}

async function describeLibvirt(
  { node }: ReadOnlyConnection,
  signal: AbortSignal,
): Promise<Finding> {
  const { major, minor, release } = await node.libvirtVersion({ signal });
  const version = `libvirt ${major}.${minor}.${release}`;
  // Older ones were never tried.
  if (major >= 9) return ok('libvirt', `${version} answers`);
  return warning('libvirt', `${version} answers`, 'unnest is tested with libvirt 9.0 and newer');
}

/** A probe that takes this long has met a /dev/kvm that does not work. */
const probeMsMax = 5000;

async function describeGuests(
  connection: ReadOnlyConnection,
  signal: AbortSignal,
): Promise<Finding> {
  const startedMs = performance.now();
  const { platform } = await readFacts(connection, signal);
  const tookMs = performance.now() - startedMs;
  if (tookMs > probeMsMax) {
    const finding = `libvirt took ${Math.round(tookMs / 1000)} s to find out what QEMU can do`;
    const mend = 'if it does so again, /dev/kvm cannot be used by the user QEMU runs as';
    return warning('guests', finding, mend);
  }
  if (platform.domainType === 'kvm') return ok('guests', 'hardware virtualisation (KVM)');
  const mend = 'load the kvm module, or enable virtualisation in the firmware';
  return warning('guests', `emulated (${platform.domainType}), which is slow`, mend);
}

async function checkWriting({ uri }: LibvirtTarget, signal: AbortSignal): Promise<Finding> {
  try {
    (await connect({ uri, signal })).close();
    return ok('permission', 'domains may be changed');
  } catch (error) {
    const mend = 'run as root, or as a member of group libvirt';
    return failed('permission', explainError(error), mend);
  }
}

/** Where services find programs; our own PATH says nothing of libvirtd's. */
const dnsmasqPaths = ['/usr/sbin', '/usr/local/sbin', '/sbin', '/usr/bin'].map((folder) =>
  join(folder, 'dnsmasq'),
);

/** libvirt looks for it only when a network starts. */
async function checkNetworks(): Promise<Finding> {
  const isThere = await Promise.all(dnsmasqPaths.map(canRun));
  const path = dnsmasqPaths.find((_path, index) => isThere[index]);
  if (path !== undefined) return ok('networks', `${path} is there`);
  const mend = 'apt-get install dnsmasq-base';
  return warning('networks', 'without dnsmasq no network of a partition can start', mend);
}

const xorrisoPaths = ['/usr/bin/xorriso', '/usr/local/bin/xorriso'];

async function checkSeeds(): Promise<Finding> {
  const isThere = await Promise.all(xorrisoPaths.map(canRun));
  const path = xorrisoPaths.find((_path, index) => isThere[index]);
  if (path !== undefined) return ok('seeds', `${path} is there`);
  const mend = 'apt-get install xorriso';
  return warning('seeds', 'without xorriso no Secondary with cloudInit can start', mend);
}

const vhostVsock = '/dev/vhost-vsock';

/** QEMU opens it for every guest that has a vsock device; ours only look. */
async function checkVsock(): Promise<Finding> {
  try {
    await access(vhostVsock, constants.F_OK);
    return ok('vsock', `${vhostVsock} is there`);
  } catch {
    const mend =
      'modprobe vhost_vsock, and name it in /etc/modules-load.d; without it no guest with a vsock device starts: no Primary with an agent, no readiness: Heartbeat';
    return warning('vsock', `${vhostVsock} is not there`, mend);
  }
}

/** Told to nft and to the kernel as one would be put in force, and not put in force. */
async function checkFilter(signal: AbortSignal): Promise<Finding> {
  const digits = '0'.repeat(12);
  const fields = {
    gateway: '10.0.0.1',
    mode: 'nat',
    uplink: 'lo',
    portIsolation: false,
    egress: '10.0.0.0/8 tcp 80 443',
    networkBytesPerSecond: 2 ** 20,
  } as const;
  const ref = { table: `un_${digits}`, bridge: `un-${digits}` };
  try {
    const kernel = { tellsBridge: await tellsBridge(signal) };
    await checkScript(applyScript(ref, { fields, ports: [] }, kernel), signal);
    return ok('filter', 'nft and the kernel take the packet filter of a network');
  } catch (error) {
    const mend =
      error instanceof HostError && error.code === 'PermissionDenied'
        ? 'run as root: plans of anybody else call it unknown'
        : 'apt-get install nftables, on a kernel with nf_tables; without it no guest with a NIC starts';
    return warning('filter', explainError(error), mend);
  }
}

/** Made as for an image, of which there is none. */
async function checkImages({ partition }: LibvirtTarget, signal: AbortSignal): Promise<Finding> {
  const limits = { timeLimitMs: 10_000, cpuSeconds: 5 };
  try {
    const args = ['--version'];
    await imageSandbox(partition, noWorkerPlaces).run(
      { tool: 'qemu-img', args, ...limits },
      signal,
    );
    return ok('images', 'qemu-img runs in its sandbox');
  } catch (error) {
    const mend =
      'apt-get install bubblewrap qemu-utils, on a kernel that lets nobody make user namespaces; without it no qcow2 is imported or grown';
    return warning('images', explainError(error), mend);
  }
}

async function checkImageDisks(
  { partition }: LibvirtTarget,
  signal: AbortSignal,
): Promise<Finding> {
  const limits = { timeLimitMs: 10_000, cpuSeconds: 5 };
  const sandbox = imageSandbox(partition, noWorkerPlaces);
  try {
    for (const tool of ['mke2fs', 'debugfs', 'e2fsck'] as const) {
      await sandbox.run({ tool, args: ['-V'], ...limits }, signal);
    }
    return ok('image disks', 'e2fsprogs run in their sandbox');
  } catch (error) {
    const mend =
      'apt-get install bubblewrap e2fsprogs, as for images; without them no Primary gets an image disk';
    return warning('image disks', explainError(error), mend);
  }
}

async function canRun(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function checkStateDir({ stateDir }: LibvirtTarget): Promise<Finding> {
  const existing = await nearestExisting(stateDir);
  try {
    await access(existing, constants.W_OK);
    return ok(
      'state',
      existing === stateDir ? `${stateDir} can be written` : `${stateDir} can be made`,
    );
  } catch {
    return failed(
      'state',
      `${existing} cannot be written`,
      'run as root, or choose another --state-dir',
    );
  }
}

async function nearestExisting(path: string): Promise<string> {
  try {
    await stat(path);
    return path;
  } catch (error) {
    const parent = dirname(path);
    return hasErrno(error, 'ENOENT') && parent !== path ? nearestExisting(parent) : path;
  }
}

async function checkStore({ stateDir, partition }: LibvirtTarget): Promise<Finding> {
  const path = storePath(stateDir, partition);
  if ((await nearestExisting(path)) === path) return ok('store', `${path} is there`);
  const mend = `mkdir -p ${path}, and put kernels and disk images there`;
  return warning('store', `partition ${partition} has no files yet`, mend);
}

function ok(name: string, finding: string): Finding {
  return { name, status: 'ok', finding, mend: null };
}

function warning(name: string, finding: string, mend: string): Finding {
  return { name, status: 'warning', finding, mend };
}

function failed(name: string, finding: string, mend: string): Finding {
  return { name, status: 'failed', finding, mend };
}
