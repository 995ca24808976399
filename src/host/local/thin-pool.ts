/**
 * What a thin pool has room for. Its data is what its logical volumes may come to at most, all of them, whoever made
 * them: so none of them ever finds it full, which a guest sees as a broken disk, and its neighbours with it.
 */
import { poolName, roundedUp, type ThinPool, type VolumeStore } from '../../model/thin-pool.ts';
import { HostError } from '../host-error.ts';
import type { LogicalVolume, VolumeGroup } from './lvm.ts';

/**
 * From here on nothing new is put into it. LVM itself extends a pool, if at all, from 70 or 80 % on; with its map
 * full nothing in it can be written to, and it has to be repaired by hand (lvmthin(7)).
 */
const fullPercent = { data: 95, metadata: 80 };

/** @throws HostError `Refused` if there is no such pool */
export function poolIn(group: VolumeGroup, thin: ThinPool): LogicalVolume {
  const found = group.volumes.get(thin.pool);
  if (found === undefined) throw new HostError('Refused', `there is no ${poolName(thin)}`);
  if (!found.isThinPool) throw new HostError('Refused', `${poolName(thin)} is no thin pool`);
  return found;
}

export function storeIn(group: VolumeGroup, thin: ThinPool): VolumeStore {
  const pool = poolIn(group, thin);
  return {
    pool: poolName(thin),
    grainBytes: grainIn(group, thin),
    keeps: 'raw',
    freeBytes: Math.max(0, pool.sizeBytes - promisedIn(group, thin)),
    refusal: zeroingObjection(group, thin) ?? refusalOf(pool, thin),
  };
}

/** A Volume is whole extents, and takes whole chunks. */
export function grainIn(group: VolumeGroup, thin: ThinPool): number {
  return leastCommonMultiple(group.extentBytes, poolIn(group, thin).chunkBytes);
}

function leastCommonMultiple(a: number, b: number): number {
  return (a / greatestCommonDivisor(a, b)) * b;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** What all of them may come to, in whole chunks: those of a large pool may be larger than an extent. */
export function promisedIn(group: VolumeGroup, thin: ThinPool): number {
  const { chunkBytes } = poolIn(group, thin);
  return [...group.volumes.values()]
    .filter((volume) => volume.pool === thin.pool)
    .reduce((sum, { sizeBytes }) => sum + roundedUp(sizeBytes, chunkBytes), 0);
}

/** What somebody has deleted would be read by whoever gets its blocks next. @returns null: it zeroes them */
export function zeroingObjection(group: VolumeGroup, thin: ThinPool): string | null {
  if (poolIn(group, thin).isZeroing) return null;
  const name = poolName(thin);
  return `thin pool ${name} does not zero what it hands out: lvchange --zero y ${name}`;
}

/** Tenants are told of it: so it does not say how much of it others have. */
function refusalOf(pool: LogicalVolume, thin: ThinPool): string | null {
  const name = poolName(thin);
  const what = `thin pool ${name}`;
  const { health, dataPercent, metadataPercent } = pool;
  if (health !== '') return `LVM says of ${what}: ${health}`;
  if (dataPercent === null || metadataPercent === null) {
    return `${what} is not active: lvchange --activate y ${name}`;
  }
  if (metadataPercent >= fullPercent.metadata) {
    return `the map of ${what} is over ${fullPercent.metadata} % full: lvextend --poolmetadatasize`;
  }
  if (dataPercent >= fullPercent.data)
    return `${what} is over ${fullPercent.data} % full: lvextend`;
  return null;
}
