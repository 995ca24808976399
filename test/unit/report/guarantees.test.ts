/** What is said of CPUs that a partition has for itself. */
import { expect, test } from 'vitest';
import type { Observed } from '../../../src/model/domain.ts';
import type { SliceCpus } from '../../../src/model/slice.ts';
import { guaranteeStatements } from '../../../src/report/guarantees.ts';

function said(cpus: SliceCpus, cpuset: string | null = '2-3'): readonly string[] {
  const observed = { slice: { status: 'present', value: { cpus } } } as unknown as Observed;
  const share = { guarantees: { cpuset, memoryBytes: null } } as never;
  return guaranteeStatements(observed, { share }).map(
    ({ status, reason }) => `${status} ${reason}`,
  );
}

test.each([
  ['the kernel keeps others off', { effective: '2-3', partition: 'root' }, 'True KeptByKernel'],
  ['and isolates them', { effective: '2-3', partition: 'isolated' }, 'True KeptByKernel'],
  ['an old kernel cannot', { effective: '2-3', partition: null }, 'False OthersMayUseThem'],
  [
    'the kernel does not want to',
    { effective: '2-3', partition: 'root invalid (Cpu list in cpuset.cpus not exclusive)' },
    'False OthersMayUseThem',
  ],
  ['it runs elsewhere', { effective: '0-1', partition: 'member' }, 'False NotEffective'],
])('%s', (_, cpus, words) => {
  expect(said(cpus)).toEqual([words]);
});

test('nothing, where none are guaranteed', () => {
  expect(said({ effective: '0-3', partition: null }, null)).toEqual([]);
});
