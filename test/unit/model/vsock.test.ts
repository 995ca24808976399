import fc from 'fast-check';
import { expect, test } from 'vitest';
import { domainUuid, secondaryUuid } from '../../../src/model/identity.ts';
import type { PartitionName, SecondaryName } from '../../../src/model/names.ts';
import { cidOf } from '../../../src/model/vsock.ts';
import { installation } from '../../support/passes.ts';

test('an address is in the upper half, and none that means something else', () => {
  fc.assert(
    fc.property(fc.uuid(), (text) => {
      const uuid = domainUuid(text);
      if (uuid === undefined) return;
      const cid = cidOf(uuid);
      expect(Number.isSafeInteger(cid)).toBe(true);
      expect(cid).toBeGreaterThanOrEqual(2 ** 31);
      // 2^32-1 is any (VMADDR_CID_ANY).
      expect(cid).toBeLessThan(2 ** 32 - 1);
    }),
  );
});

test('the ends of the range are in it', () => {
  const ending = (digits: string) =>
    cidOf(domainUuid(`6b1f0c52-5a0e-5d38-9a86-${digits}`) as never);
  expect(ending('000000000000')).toBe(2 ** 31);
  expect(ending('00007ffffffe')).toBe(2 ** 32 - 2);
  expect(ending('00007fffffff')).toBe(2 ** 31);
});

test('ten thousand Secondaries of one installation have hardly an address twice', () => {
  const cids = Array.from({ length: 10_000 }, (_, index) =>
    cidOf(
      secondaryUuid({
        installation,
        partition: `p${index % 10}` as PartitionName,
        secondary: `vm-${index}` as SecondaryName,
      }),
    ),
  );
  expect(new Set(cids).size).toBeGreaterThanOrEqual(9_999);
});
