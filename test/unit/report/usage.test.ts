import { expect, test } from 'vitest';
import { budgetStatements } from '../../../src/report/usage.ts';

const some = { vcpus: 2, memoryBytes: 100, storageBytes: 0, secondaries: 1 };
const usage = {
  secondaries: 1,
  runningVcpus: 2,
  runningMemoryBytes: 90,
  storageBytes: 0,
  primary: null,
};

test('what is beyond its limit is said, with both numbers', () => {
  const limits = { ...some, vcpus: 1 };
  expect(budgetStatements({ ...usage, allocated: some, limits })).toEqual([
    { type: 'OverBudget', status: 'True', reason: 'LimitsExceeded', message: 'vCPUs: 2 of 1' },
  ]);
});

test('what is just within it is nothing to say, and so is what nothing limits', () => {
  expect(budgetStatements({ ...usage, allocated: some, limits: some })).toEqual([]);
  expect(budgetStatements({ ...usage, allocated: some, limits: null })).toEqual([]);
});
