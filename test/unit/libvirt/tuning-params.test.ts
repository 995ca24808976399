import { expect, test } from 'vitest';
import {
  interfaceParams,
  numaParams,
  schedulerParams,
  toParams,
} from '../../../src/libvirt/tuning-params.ts';

test('pairs each value with the type that libvirt wants', () => {
  expect(toParams(schedulerParams, { vcpu_quota: -1, cpu_shares: 2n ** 60n })).toEqual([
    { field: 'vcpu_quota', type: 'i64', value: -1n },
    { field: 'cpu_shares', type: 'u64', value: 2n ** 60n },
  ]);
  expect(toParams(interfaceParams, { 'inbound.average': 5 })).toEqual([
    { field: 'inbound.average', type: 'u32', value: 5 },
  ]);
  expect(toParams(numaParams, { numa_nodeset: '0-1', numa_mode: undefined })).toEqual([
    { field: 'numa_nodeset', type: 'string', value: '0-1' },
  ]);
});

test('refuses what cannot be one', () => {
  expect(() => toParams(schedulerParams, { vcpu_quota: 1.5 })).toThrow(RangeError);
  expect(() => toParams(schedulerParams, { nonsense: 1 } as object)).toThrow(
    'no parameter "nonsense"',
  );
});
