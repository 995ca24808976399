import { expect, test } from 'vitest';
import type { NicWay } from '../../../src/model/uplink.ts';
import { uplinkOf } from '../../../src/partition/uplink.ts';

const by = (device: string): NicWay => ({ kind: 'leaves', by: device });
const stays: NicWay = { kind: 'stays' };
const untold: NicWay = { kind: 'untold', why: 'a NIC of its Primary is of type user' };

test.each<[string, NicWay[], string]>([
  ['one NIC', [by('br0')], 'br0'],
  ['several by the same', [by('br0'), by('br0')], 'br0'],
  ['one that leaves, beside one that does not', [stays, by('br0')], 'br0'],
])('%s decides', (_what, ways, device) => {
  expect(uplinkOf(ways)).toEqual({ kind: 'decided', device });
});

test.each<[string, NicWay[], string]>([
  ['no NIC', [], 'its Primary has no NIC'],
  ['none that leaves', [stays], 'no NIC of its Primary leaves the host'],
  ['several', [by('eth1'), by('br0')], 'the NICs of its Primary leave by br0, eth1'],
  ['one that cannot be told, beside one that can', [by('br0'), untold], untold.why],
])('%s decides nothing', (_what, ways, why) => {
  expect(uplinkOf(ways)).toEqual({ kind: 'undecided', why });
});
