/** What is said of a partition that does not fit: one code, and every reason. */
import { expect, test } from 'vitest';
import { fitBlock, unjudged } from '../../../src/daemon/host-words.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import {
  type Conflict,
  CONFLICT_KINDS,
  interfaceConflict,
  unknownConflict,
} from '../../../src/partition/host-conflict.ts';

const name = 'team-a' as PartitionName;
const unknown = unknownConflict(name, 'how much it has', 'no answer');
const taken = interfaceConflict(name, '10.0.0.0/24', 256, [
  { name: 'eth0', cidr: '10.0.0.5/25', used: 128 },
]);

test('what is known counts more than what is not, and all of it is said', () => {
  const block = fitBlock([unknown, taken]);
  expect(block.code).toBe('SubnetTaken');
  expect(block.message).toBe(`${unknown.text}; ${taken.text}`);
  expect(fitBlock([unknown]).code).toBe('HostUnknown');
});

test('every kind has its code', () => {
  const codes = CONFLICT_KINDS.map(
    (kind) => fitBlock([{ ...taken, kind } satisfies Conflict]).code,
  );
  expect(codes).toEqual([
    'HostOvercommitted',
    'HostOvercommitted',
    'HostOvercommitted',
    'SubnetTaken',
    'SubnetTaken',
    'HostUnknown',
  ]);
});

test('what could not be written down is not what is still being looked into', () => {
  expect(unjudged('the disk is full').message).toContain('the disk is full');
  expect(unjudged(null).message).not.toBe(unjudged('the disk is full').message);
});
