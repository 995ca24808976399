/** Partitions of one small host, as operators describe, change and take them away. */
import fc from 'fast-check';
import type { PartitionName } from '../../src/model/names.ts';
import type { Claim, Held } from '../../src/partition/claim.ts';

const names = ['a', 'b', 'c', 'd', 'e'] as PartitionName[];

const cidrs = ['10.0.0.0/24', '10.0.0.0/25', '10.0.0.128/25', '10.0.1.0/24', '10.0.0.0/16', null];
const cpusets = ['0-3', '2', '4-7,9', '8-12', null];

const anyClaim: fc.Arbitrary<Claim> = fc.record({
  vcpus: fc.nat({ max: 24 }),
  memoryBytes: fc.nat({ max: 24 }),
  cidr: fc.constantFrom(...cidrs),
  cpuset: fc.constantFrom(...cpusets),
  guaranteedBytes: fc.nat({ max: 24 }),
});

const anyHeld: fc.Arbitrary<Held | null> = fc.option(
  fc.record({ vcpus: fc.nat({ max: 24 }), memoryBytes: fc.nat({ max: 24 }) }),
);

/** What a host is like at one moment, and what is described. */
export const anyMoment = fc.record({
  wanted: fc.uniqueArray(fc.tuple(fc.constantFrom(...names), anyClaim), { selector: ([n]) => n }),
  held: fc.array(fc.tuple(fc.constantFrom(...names), anyHeld)),
  leftBehind: fc.subarray(names),
  seniors: fc.subarray(names),
  isKnown: fc.boolean(),
});

export type Moment = typeof anyMoment extends fc.Arbitrary<infer T> ? T : never;
