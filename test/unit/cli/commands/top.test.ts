/** What partitions use, beside a fake daemon, on a simulated host in a file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { daemonClient } from '../../../../src/channel/client.ts';
import { unixTransport } from '../../../../src/channel/client-transport.ts';
import { bar } from '../../../../src/cli/render/bar.ts';
import { worldText } from '../../../../src/host/simulated/world-text.ts';
import { fieldsOf } from '../../../../src/model/domain.ts';
import { secondary } from '../../../support/passes.ts';
import { domainOf, refOf, worldOf } from '../../../support/simulation.ts';
import { type ApiPlace, apiPlace } from '../../channel/api-place.ts';
import { partitionStatus } from '../../channel/fake-control.ts';
import { run } from '../run.ts';

let place: ApiPlace;
let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'unnest-top-'));
  place = await apiPlace();
  place.place = { host: `sim:${join(folder, 'host.json')}`, stateDir: folder };
});
afterEach(async () => {
  await place.dispose();
  rmSync(folder, { recursive: true });
});

const top = (...argv: string[]) =>
  run(['top', ...argv], { findDaemon: async () => daemonClient(unixTransport(place.socket)) });

const GiB = 2 ** 30;
const amounts = { vcpus: 2, memoryBytes: GiB, storageBytes: 0, secondaries: 1 };
const limits = { vcpus: 4, memoryBytes: 4 * GiB, storageBytes: GiB, secondaries: 9 };
const slice = {
  memoryMaxBytes: 4 * GiB,
  swapMaxBytes: 0,
  cpus: 4,
  cpuWeight: 3,
  cpuset: null,
  exclusiveCpus: false,
  memoryMinBytes: null,
  pidsMax: 300,
  diskBytesPerSecond: null,
  diskOperationsPerSecond: null,
};

test('shows what is used, allocated and allowed, with bars', async () => {
  const defined = fieldsOf(secondary('web', { slice: 'Partition' }));
  const domains = [domainOf('web', { power: { status: 'running' }, defined })];
  writeFileSync(join(folder, 'host.json'), worldText(worldOf({ recorded: true, domains, slice })));
  const { usage } = partitionStatus();
  place.set(partitionStatus({ usage: { ...usage, allocated: amounts, limits } }));
  const { code, stdout } = await top();
  expect(code).toBe(0);
  expect(stdout).toBe(`PARTITION             USED     ALLOCATED   LIMIT
team-a      vCPUs     0.00     2           4       [....................]
            memory    128MiB   1GiB        4GiB    [#...................]
            storage   -        0 B         1GiB    [....................]
`);
  const [json] = JSON.parse((await top('-p', 'team-a', '-o', 'json')).stdout) as unknown[];
  expect(json).toMatchObject({ partition: 'team-a', memoryBytes: 128 * 2 ** 20, limits });
});

test('shows allocations alone where nothing counts the rest', async () => {
  const { stdout } = await top();
  expect(stdout).toMatch(/^team-a +vCPUs +- +0 +-$/m);
});

test('a bar is never empty where there is something, nor full where there is room', () => {
  expect(bar(0, 10)).toBe('[....................]');
  expect(bar(1, 1000)).toBe('[#...................]');
  expect(bar(999, 1000)).toBe('[###################.]');
  expect(bar(10, 10)).toBe('[####################]');
  expect(bar(11, 10)).toBe('[###################!]');
  expect(bar(0, 0)).toBe('[....................]');
});

test('shows each Secondary that runs, if it is asked', async () => {
  const defined = fieldsOf(secondary('web', { slice: 'Partition' }));
  const domains = [
    domainOf('web', { power: { status: 'running' }, defined }),
    domainOf('off', {
      power: { status: 'stopped', reason: 'unknown' },
      defined: fieldsOf(secondary('off')),
    }),
  ];
  writeFileSync(join(folder, 'host.json'), worldText(worldOf({ recorded: true, domains, slice })));
  const { usage, secondaries } = partitionStatus();
  const [some] = secondaries;
  if (some === undefined) throw new Error('there is none');
  const reportOf = (name: string) => {
    const { domainName: domain, uuid } = refOf(name);
    return { ...some, name: name as never, domain, uuid, vcpus: 1, memoryBytes: 2 ** 28 };
  };
  const all = [reportOf('web'), reportOf('off'), { ...reportOf('new'), domain: null, uuid: null }];
  place.set(partitionStatus({ usage: { ...usage, allocated: amounts, limits }, secondaries: all }));
  const { stdout } = await top('--secondaries');
  expect(stdout).toBe(`PARTITION             USED     ALLOCATED   LIMIT
team-a      vCPUs     0.00     2           4       [....................]
            memory    128MiB   1GiB        4GiB    [#...................]
            storage   -        0 B         1GiB    [....................]
  web       vCPUs     0.00     1                   [....................]
            memory    128MiB   256MiB              [##########..........]
`);
  const [json] = JSON.parse((await top('--secondaries', '-o', 'json')).stdout) as unknown[];
  expect(json).toMatchObject({
    secondaries: [{ name: 'web', cpus: 0, memoryBytes: 2 ** 27, vcpus: 1, givenBytes: 2 ** 28 }],
  });
  const [without] = JSON.parse((await top('-o', 'json')).stdout) as unknown[];
  expect(without).not.toHaveProperty('secondaries');
});
