/** What `unnest status` and `unnest doctor` say of the sum of all partitions. */
import { expect, test } from 'vitest';
import { isOver, renderHostSum, sumFinding } from '../../../../src/cli/render/host-sum.ts';
import type { PartitionName } from '../../../../src/model/names.ts';
import { present, unknown } from '../../../../src/model/observation.ts';
import { noClaim } from '../../../../src/partition/claim.ts';
import type { Claims } from '../../../../src/partition/host-fit.ts';
import { hostSum } from '../../../../src/report/host-sum.ts';

const GiB = 2 ** 30;
const names = (...all: readonly string[]) => all as readonly PartitionName[];
const promised: Claims = new Map([
  [names('team-a')[0]!, { ...noClaim, vcpus: 4, memoryBytes: 3 * GiB }],
  [names('team-b')[0]!, { ...noClaim, vcpus: 5, memoryBytes: GiB / 2 }],
]);
const rules = { reserved: { vcpus: 0, memoryBytes: GiB }, overcommit: { vcpus: 1.5, memory: 1 } };
const nobody = { unlimited: [], waiting: [] };

test('is what is promised, of what may be, and how that comes about', () => {
  const sum = hostSum(promised, present({ cpus: 8, memoryBytes: 16 * GiB }), rules, nobody);
  expect(renderHostSum(sum)).toBe(
    'vCPUs promised: 9 of 12 (8, times 1.5)\nmemory promised: 3.5GiB of 15GiB (16GiB less 1GiB, times 1)\n',
  );
  expect(isOver(sum)).toBe(false);
});

test('names who does not count, and why', () => {
  const host = present({ cpus: 8, memoryBytes: 16 * GiB });
  const sum = hostSum(new Map(), host, rules, {
    unlimited: names('a', 'b'),
    waiting: names('c\u001b[2J'),
  });
  expect(sumFinding(sum)).toBe(
    'vCPUs promised: 0 of 12 (8, times 1.5); memory promised: 0 B of 15GiB (16GiB less 1GiB, times 1); not counted, as the host has no room: c\\u001b[2J; not counted, without limits: a, b',
  );
  expect(isOver(sum)).toBe(true);
});

test('is more than there is where the host has become smaller', () => {
  const small = hostSum(promised, present({ cpus: 5, memoryBytes: 16 * GiB }), rules, nobody);
  expect(isOver(small)).toBe(true);
});

test('says that the host could not be read, and nothing where nobody has asked', () => {
  const host = unknown('no answer');
  expect(renderHostSum(hostSum(promised, host, rules, nobody))).toBe(
    'vCPUs promised: 9; the host could not be read\nmemory promised: 3.5GiB; the host could not be read\n',
  );
  expect(renderHostSum(hostSum(new Map(), host, rules, nobody))).toBe('');
  // A daemon of another version may not name anybody.
  const { vcpus, memoryBytes } = hostSum(promised, host, rules, nobody);
  expect(sumFinding({ vcpus, memoryBytes } as never)).toMatch(/^vCPUs promised: 9;/);
  expect(isOver({ vcpus, memoryBytes } as never)).toBe(false);
});
