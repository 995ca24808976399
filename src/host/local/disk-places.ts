/**
 * Where a domain's disks are, and what those that are no files need besides: to be there before a guest gets them, and to
 * be made larger before QEMU is told.
 */
import { resolve } from 'node:path';
import type { PartitionName, VolumeName } from '../../model/names.ts';
import type { ThinPool } from '../../model/thin-pool.ts';
import { HostError } from '../host-error.ts';
import { lookInto } from './kept-folder.ts';
import { type StoreLayout, storeLayout } from './layout.ts';
import { machineLvm } from './lvm.ts';
import { volumePlace } from './places.ts';
import {
  growThin,
  activate,
  deviceOf,
  isThin,
  placeOf,
  thinDevice,
  type ThinRecord,
  type ThinTools,
} from './thin-volumes.ts';
import { noteThinSize } from './thin-making.ts';
import { machineUdev } from './udev-rule.ts';

export interface DiskPlaces {
  /** Where each of these is; of one that is not there yet, where it will be. */
  located(volumes: readonly VolumeName[]): Promise<Located>;
}

export interface Located {
  readonly layout: StoreLayout;
  /** Those of which it cannot be known, and why. */
  readonly unknown: ReadonlyMap<VolumeName, string>;
}

export interface DiskCare extends DiskPlaces {
  /** Whether any of its disks may need care at all. */
  readonly hasDevices: boolean;
  /** Before a guest gets them. */
  provide(volumes: readonly VolumeName[], signal: AbortSignal): Promise<void>;
  /**
   * Makes it larger, unless it is already, has `tell` tell QEMU of it, and then notes that its guest knows. One that is
   * larger than is asked for stays as it is, and that is a conflict.
   */
  grow(
    volume: VolumeName,
    bytes: number,
    tell: (bytes: number) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>;
}

/** @param thinPool null: all are files */
export function diskPlaces(
  stateDir: string,
  partition: PartitionName,
  thinPool: ThinPool | null,
): DiskPlaces {
  const layout = storeLayout(resolve(stateDir), partition);
  if (thinPool === null) return { located: async () => ({ layout, unknown: new Map() }) };
  return {
    located: async (volumes) => {
      const devices = new Map<VolumeName, string>();
      const unknown = new Map<VolumeName, string>();
      for (const volume of new Set(volumes)) {
        const seen = await lookInto(volumePlace(layout, volume));
        const record = seen.status === 'present' ? seen.value : null;
        // What a crash has left half made is made where new ones are.
        const isNew = seen.status === 'absent' || (record !== null && record.state !== 'ready');
        if (isNew) devices.set(volume, thinDevice(thinPool, partition, volume));
        else if (record !== null && isThin(record)) devices.set(volume, deviceOf(placeOf(record)));
        if (seen.status === 'unknown') unknown.set(volume, seen.why);
      }
      // Whatever is not raw is a file.
      const volumeDevice: StoreLayout['volumeDevice'] = (volume, format) =>
        format === 'raw' ? (devices.get(volume) ?? null) : null;
      return { layout: { ...layout, volumeDevice }, unknown };
    },
  };
}

export function diskCare(
  stateDir: string,
  partition: PartitionName,
  thinPool: ThinPool | null,
  tools: ThinTools = { lvm: machineLvm, udev: machineUdev() },
): DiskCare {
  const layout = storeLayout(resolve(stateDir), partition);
  /** Null: it is a file. */
  const thinRecord = async (volume: VolumeName): Promise<ThinRecord | null> => {
    if (thinPool === null) return null;
    const seen = await lookInto(volumePlace(layout, volume));
    if (seen.status === 'unknown') {
      throw new HostError('Refused', `looking for volume ${volume}: ${seen.why}`);
    }
    const record = seen.status === 'present' ? seen.value : null;
    return record !== null && isThin(record) ? record : null;
  };
  return {
    ...diskPlaces(stateDir, partition, thinPool),
    hasDevices: thinPool !== null,
    provide: async (volumes, signal) => {
      for (const volume of volumes) {
        const record = await thinRecord(volume);
        if (record !== null) await activate(tools, placeOf(record), signal);
      }
    },
    grow: async (volume, bytes, tell, signal) => {
      const record = await thinRecord(volume);
      if (record === null) return tell(bytes);
      const now = await growThin(tools, placeOf(record), bytes, signal);
      await tell(now);
      await noteThinSize(volumePlace(layout, volume).folder, record, now);
    },
  };
}
