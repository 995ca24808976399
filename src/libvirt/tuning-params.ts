import type { TypedParam } from './wire/typed-params.ts';

/**
 * The tuning parameters that can be set, with the types that libvirt insists on. Names are
 * libvirt's own, so that what is read and what is set go by the same ones.
 */
type ParamType = 'i32' | 'u32' | 'i64' | 'u64' | 'string';
type ParamTypes = Readonly<Record<string, ParamType>>;

/** An object that sets some of the parameters of a table. */
export type ParamsOf<T extends ParamTypes> = {
  readonly [K in keyof T]?: (T[K] extends 'string' ? string : number | bigint) | undefined;
};

/** CPU time. Quotas and periods in microseconds; a quota of -1 is no limit. */
export const schedulerParams = {
  cpu_shares: 'u64',
  vcpu_period: 'u64',
  vcpu_quota: 'i64',
  emulator_period: 'u64',
  emulator_quota: 'i64',
  global_period: 'u64',
  global_quota: 'i64',
  iothread_period: 'u64',
  iothread_quota: 'i64',
} as const satisfies ParamTypes;

/** Host memory, in KiB; 9007199254740991 is no limit. */
export const memoryParams = {
  hard_limit: 'u64',
  soft_limit: 'u64',
  min_guarantee: 'u64',
  swap_hard_limit: 'u64',
} as const satisfies ParamTypes;

/** Block I/O of the whole domain: a weight, or `/dev/x,number,...` lists per host device. */
export const blkioParams = {
  weight: 'u32',
  device_weight: 'string',
  device_read_iops_sec: 'string',
  device_write_iops_sec: 'string',
  device_read_bytes_sec: 'string',
  device_write_bytes_sec: 'string',
} as const satisfies ParamTypes;

/** NUMA: nodes as `0-1,3`; mode 0 strict, 1 preferred, 2 interleave, 3 restrictive. */
export const numaParams = {
  numa_nodeset: 'string',
  numa_mode: 'i32',
} as const satisfies ParamTypes;

/** One network interface: average, peak and floor in KiB/s, burst in KiB. */
export const interfaceParams = {
  'inbound.average': 'u32',
  'inbound.peak': 'u32',
  'inbound.burst': 'u32',
  'inbound.floor': 'u32',
  'outbound.average': 'u32',
  'outbound.peak': 'u32',
  'outbound.burst': 'u32',
} as const satisfies ParamTypes;

/** One disk: bytes/s, operations/s, the height of bursts and their length in seconds. 0 is no limit. */
export const blockIoTuneParams = {
  total_bytes_sec: 'u64',
  read_bytes_sec: 'u64',
  write_bytes_sec: 'u64',
  total_iops_sec: 'u64',
  read_iops_sec: 'u64',
  write_iops_sec: 'u64',
  total_bytes_sec_max: 'u64',
  read_bytes_sec_max: 'u64',
  write_bytes_sec_max: 'u64',
  total_iops_sec_max: 'u64',
  read_iops_sec_max: 'u64',
  write_iops_sec_max: 'u64',
  total_bytes_sec_max_length: 'u64',
  read_bytes_sec_max_length: 'u64',
  write_bytes_sec_max_length: 'u64',
  total_iops_sec_max_length: 'u64',
  read_iops_sec_max_length: 'u64',
  write_iops_sec_max_length: 'u64',
  size_iops_sec: 'u64',
  group_name: 'string',
} as const satisfies ParamTypes;

/** Pairs the values with their types; throws `RangeError` for a number that is not whole. */
export function toParams<T extends ParamTypes>(
  types: T,
  values: ParamsOf<T>,
): readonly TypedParam[] {
  const given: ReadonlyArray<readonly [string, string | number | bigint | undefined]> =
    Object.entries(values);
  return given.flatMap(([field, value]) => {
    const type = types[field];
    if (value === undefined) return [];
    if (type === undefined || !Object.hasOwn(types, field))
      throw new RangeError(`there is no parameter "${field}"`);
    return [toParam(field, type, value)];
  });
}

function toParam(field: string, type: ParamType, value: string | number | bigint): TypedParam {
  switch (type) {
    case 'string':
      return { field, type, value: String(value) };
    case 'i32':
    case 'u32':
      return { field, type, value: Number(value) };
    case 'i64':
    case 'u64':
      return { field, type, value: BigInt(value) };
  }
}
