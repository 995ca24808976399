/** The kernel's packet filters, by nft, do what the simulated host's do; and what only they can do wrong. */
import { afterEach, describe, expect, test } from 'vitest';
import { localFilterReader, localFilters } from '../../../src/host/local/filters.ts';
import { filterRefOf } from '../../../src/model/filter.ts';
import { describeFilterContract } from '../../contract/filter-contract.ts';
import { sh } from '../../support/filtered-partitions.ts';
import { installation, partition } from '../../support/passes.ts';

describeFilterContract('a real kernel', async () => ({
  host: { filters: localFilters() },
  view: { filters: localFilterReader() },
  dispose: async () => undefined,
}));

describe('beside the tables of others', () => {
  const { signal } = new AbortController();
  const filters = localFilters();
  const ref = filterRefOf({ installation, partition });
  const fields = {
    gateway: '10.20.0.1',
    mode: 'nat',
    uplink: null,
    portIsolation: false,
    egress: null,
    networkBytesPerSecond: null,
  } as const;
  afterEach(() => filters.remove(ref, signal));

  test('nothing of them is touched, nor taken for ours', async () => {
    sh('nft', 'add table inet theirs; add chain inet theirs x; add rule inet theirs x counter');
    sh('nft', `add table ip ${ref.table}`);
    const before = sh('nft', 'list', 'ruleset');
    expect(await filters.find(ref, signal)).toEqual({ status: 'absent' });
    await filters.apply(ref, { fields, ports: [] }, signal);
    await filters.remove(ref, signal);
    expect(sh('nft', 'list', 'ruleset')).toBe(before);
    sh('nft', `delete table inet theirs; delete table ip ${ref.table}`);
  });

  test('what the kernel refuses a part of changes nothing', async () => {
    await filters.apply(ref, { fields, ports: [] }, signal);
    const before = sh('nft', 'list', 'ruleset');
    const port = { tap: 'unt000000000001', mac: '52:00:00:00:00:01', address: '10.20.0.300' };
    await expect(filters.apply(ref, { fields, ports: [port] }, signal)).rejects.toMatchObject({
      code: 'Refused',
    });
    expect(sh('nft', 'list', 'ruleset')).toBe(before);
  });
});
