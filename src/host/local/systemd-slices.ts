/**
 * Slices as transient units of systemd, told by `busctl`: what somebody else writes into their files,
 * systemd writes over at the next occasion. They are gone after a reboot, and so are all guests.
 */
import { join } from 'node:path';
import { eachCpu, lastCpu } from '../../model/cpu-set.ts';
import type { SliceFields, SliceRef } from '../../model/slice.ts';
import { HostError } from '../host-error.ts';
import { runProgram } from './run-program.ts';
import { isGroup } from './slice-files.ts';
import type { SliceMaker } from './slices.ts';

export function systemdSlices(root: string): SliceMaker {
  const folder = (ref: SliceRef) => `${parentOf(ref)}.slice/${unitOf(ref)}`;
  return {
    folder,
    apply: async (ref, fields, device, signal) => {
      const properties = propertiesOf(fields, device);
      if (await isGroup(join(root, folder(ref)))) {
        await manager('SetUnitProperties', 'sba(sv)', [unitOf(ref), 'true', ...properties], signal);
        return;
      }
      const unit = [unitOf(ref), 'fail', ...properties, '0'];
      await manager('StartTransientUnit', 'ssa(sv)a(sa(sv))', unit, signal);
      // It answers once the job is queued.
      await until(() => isGroup(join(root, folder(ref))), signal);
    },
    promise: async (ref, memoryMinBytes, signal) => {
      const unit = `${parentOf(ref)}.slice`;
      const value = ['1', 'MemoryMin', 't', `${memoryMinBytes}`];
      await manager('SetUnitProperties', 'sba(sv)', [unit, 'true', ...value], signal);
    },
    remove: async (ref, signal) => {
      await manager('StopUnit', 'ss', [unitOf(ref), 'fail'], signal);
      await until(async () => !(await isGroup(join(root, folder(ref)))), signal);
    },
  };
}

/** `/unnest/pX` is `unnest-pX.slice`, below `unnest.slice`. */
function unitOf(ref: SliceRef): string {
  return `${ref.path.slice(1).replaceAll('/', '-')}.slice`;
}

function parentOf(ref: SliceRef): string {
  return ref.path.slice(1, ref.path.lastIndexOf('/'));
}

/** Of 64 bits: what systemd calls infinity. */
const infinity = '18446744073709551615';

/** How many there are, and then each by name, type and value (systemd.resource-control(5)). */
function propertiesOf(fields: SliceFields, device: string | null): readonly string[] {
  const limit = (value: number | null, per = 1) => (value === null ? infinity : `${value * per}`);
  const disk = (name: string, value: number | null) =>
    value === null || device === null
      ? [name, 'a(st)', '0']
      : [name, 'a(st)', '1', `/dev/block/${device}`, `${value}`];
  const properties = [
    ['Description', 's', 'What a partition of unnest can have'],
    ['MemoryMax', 't', limit(fields.memoryMaxBytes)],
    ['MemorySwapMax', 't', limit(fields.swapMaxBytes)],
    ['CPUQuotaPerSecUSec', 't', limit(fields.cpus, 1_000_000)],
    ['CPUWeight', 't', limit(fields.cpuWeight)],
    ['AllowedCPUs', 'ay', ...bitsOf(fields.cpuset)],
    ['MemoryMin', 't', `${fields.memoryMinBytes ?? 0}`],
    ['TasksMax', 't', limit(fields.pidsMax)],
    disk('IOReadBandwidthMax', fields.diskBytesPerSecond),
    disk('IOWriteBandwidthMax', fields.diskBytesPerSecond),
    disk('IOReadIOPSMax', fields.diskOperationsPerSecond),
    disk('IOWriteIOPSMax', fields.diskOperationsPerSecond),
  ];
  return [`${properties.length}`, ...properties.flat()];
}

/** How many bytes, and each: the eight CPUs of the first come first. */
function bitsOf(cpuset: string | null): readonly string[] {
  if (cpuset === null) return ['0'];
  const bytes = Array.from({ length: Math.floor(lastCpu(cpuset) / 8) + 1 }, () => 0);
  for (const cpu of eachCpu(cpuset)) bytes[Math.floor(cpu / 8)]! |= 1 << (cpu % 8);
  return [`${bytes.length}`, ...bytes.map(String)];
}

async function manager(
  method: string,
  signature: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const name = 'org.freedesktop.systemd1';
  const object = ['/org/freedesktop/systemd1', `${name}.Manager`];
  await runProgram({
    command: 'busctl',
    args: ['--system', '--quiet', 'call', name, ...object, method, signature, ...args],
    remedy: 'it comes with systemd',
    timeLimitMs: 20_000,
    outputBytesMax: 65_536,
    signal,
  });
}

const pollMs = 20;
const settleMs = 5000;

async function until(isSo: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  for (let leftMs = settleMs; leftMs > 0; leftMs -= pollMs) {
    if (await isSo()) return;
    signal.throwIfAborted();
    await new Promise((done) => setTimeout(done, pollMs));
  }
  throw new HostError('Timeout', 'systemd has said yes, and nothing has come of it');
}
