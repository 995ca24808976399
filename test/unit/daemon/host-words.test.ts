/** What is said of a partition that does not fit: one code, and every reason. */
import { expect, test } from 'vitest';
import { fitBlock, hostProblems, unjudged } from '../../../src/daemon/host-words.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import {
  type Conflict,
  CONFLICT_KINDS,
  interfaceConflict,
  unknownConflict,
} from '../../../src/partition/host-conflict.ts';

const name = 'team-a' as PartitionName;
const line = { promised: 0, available: 8, there: 8, reserved: 0, factor: 1 };
const nobody = { vcpus: line, memoryBytes: line, unlimited: [], waiting: [] };
const unknown = unknownConflict(name, 'how much it has', 'no answer');
const taken = interfaceConflict(name, '10.0.0.0/24', 256, [
  { name: 'eth0', cidr: '10.0.0.5/25', used: 128 },
]);

test('what is known counts more than what is not, and all of it is said', () => {
  expect(fitBlock([unknown, taken]).code).toBe('SubnetTaken');
  expect(fitBlock([unknown]).code).toBe('HostUnknown');
  const [told] = hostProblems([{ file: 'team-a.yaml', conflicts: [unknown, taken] }], nobody, []);
  expect(told?.message).toBe(`${unknown.text}; ${taken.text}`);
});

test('a tenant is told of no other, nor of the host more than that it has no room', () => {
  for (const kind of CONFLICT_KINDS.filter((each) => each !== 'unknown')) {
    const text = 'team-a asks for 4, and 6 of the 8 that this host may give are promised to team-b';
    const conflict = { ...taken, kind, text, others: ['team-b' as PartitionName] };
    const { message } = fitBlock([conflict]);
    expect(message).toMatch(/host/);
    expect(message).not.toMatch(/team-b|eth0|\d/);
  }
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
