/** What partitions use, beside a fake daemon: asked by an operator, and in a Primary. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { daemonClient } from '../../../../src/channel/client.ts';
import { unixTransport } from '../../../../src/channel/client-transport.ts';
import { bar } from '../../../../src/cli/render/bar.ts';
import type { SecondaryName } from '../../../../src/model/names.ts';
import { type ApiPlace, apiPlace } from '../../channel/api-place.ts';
import { partitionStatus, secondaryReport, teamA, web } from '../../channel/fake-control.ts';
import { primaryScope } from '../../../../src/channel/scope.ts';
import { run } from '../run.ts';

let place: ApiPlace;
const top = (...argv: string[]) =>
  run(['top', ...argv], { findDaemon: async () => daemonClient(unixTransport(place.socket)) });

const GiB = 2 ** 30;
const MiB = 2 ** 20;
const amounts = { vcpus: 2, memoryBytes: GiB, storageBytes: 0, secondaries: 1 };
const limits = { vcpus: 4, memoryBytes: 4 * GiB, storageBytes: GiB, secondaries: 9 };

/** A second of its clock after the one before, in which it has used half a CPU, and its guest a quarter. */
const sample = (seconds: number) => ({
  atMs: seconds * 1000,
  slice: { memoryBytes: 128 * MiB, cpuUs: seconds * 500_000, processes: 7 },
  secondaries: [{ name: web, cpuUs: seconds * 250_000, memoryBytes: 64 * MiB }],
});

const table = `PARTITION             USED     ALLOCATED   LIMIT
team-a      vCPUs     0.50     2           4       [##..................]
            memory    128MiB   1GiB        4GiB    [#...................]
            storage   -        0 B         1GiB    [....................]
`;

describe.each([
  ['an operator', undefined],
  ['somebody in the Primary', primaryScope(teamA)],
] as const)('asked by %s', (_who, scope) => {
  beforeEach(async () => {
    place = await apiPlace(undefined, scope);
    const { usage } = partitionStatus();
    const report = secondaryReport({ vcpus: 1, memoryBytes: 256 * MiB });
    const stopped = secondaryReport({ name: 'off' as SecondaryName, status: 'Stopped' });
    place.set(
      partitionStatus({
        usage: { ...usage, allocated: amounts, limits },
        secondaries: [report, stopped],
      }),
    );
    place.samples = [sample(3), sample(4)];
  });
  afterEach(() => place.dispose());

  test('shows what is used, allocated and allowed, with bars', async () => {
    const { code, stdout } = await top();
    expect(code).toBe(0);
    expect(stdout).toBe(table);
  });

  test('shows each Secondary that runs, if it is asked', async () => {
    const { stdout } = await top('--secondaries');
    expect(stdout)
      .toBe(`${table}  web       vCPUs     0.25     1                   [#####...............]
            memory    64MiB    256MiB              [#####...............]
`);
  });

  test('says the same as JSON, and no more than was asked for', async () => {
    const [all] = JSON.parse((await top('--secondaries', '-o', 'json')).stdout) as unknown[];
    const used = { partition: 'team-a', cpus: 0.5, memoryBytes: 128 * MiB, processes: 7, limits };
    const guest = { name: 'web', cpus: 0.25, memoryBytes: 64 * MiB };
    const given = { vcpus: 1, givenBytes: 256 * MiB };
    expect(all).toMatchObject({ ...used, secondaries: [{ ...guest, ...given }] });
    place.samples = [sample(3), sample(4)];
    const [without] = JSON.parse((await top('-p', 'team-a', '-o', 'json')).stdout) as unknown[];
    expect(without).toMatchObject(used);
    expect(without).not.toHaveProperty('secondaries');
  });

  test('shows allocations alone where nothing counts the rest', async () => {
    place.samples = [{ atMs: 0, slice: null, secondaries: null }];
    const { stdout } = await top();
    expect(stdout).toMatch(/^team-a +vCPUs +- +2 +4/m);
  });
});

test('a bar is never empty where there is something, nor full where there is room', () => {
  expect(bar(0, 10)).toBe('[....................]');
  expect(bar(1, 1000)).toBe('[#...................]');
  expect(bar(999, 1000)).toBe('[###################.]');
  expect(bar(10, 10)).toBe('[####################]');
  expect(bar(11, 10)).toBe('[###################!]');
  expect(bar(0, 0)).toBe('[....................]');
});
