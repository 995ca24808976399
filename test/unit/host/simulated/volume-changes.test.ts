/** Volumes and the guests that run with them: what the storage contract, which has none, leaves out. */
import { describe, expect, test } from 'vitest';
import { HostError } from '../../../../src/host/host-error.ts';
import type { SimulatedDomain } from '../../../../src/host/simulated/world.ts';
import { fieldsOf, type Power } from '../../../../src/model/domain.ts';
import type { VolumeName } from '../../../../src/model/names.ts';
import { joinUses, useOf } from '../../../../src/model/volume.ts';
import { installation, partition, secondary } from '../../../support/passes.ts';
import { domainOf, refOf, testHost, volumeOf, worldOf } from '../../../support/simulation.ts';

const { signal } = new AbortController();
const owner = { installation, partition };
const GiB = 2 ** 30;
const data = volumeOf('data');
const spare = volumeOf('spare');
const plain = fieldsOf(secondary('web'));
const withData = { ...plain, volumes: joinUses([useOf(data)]) };
const bootsData = { ...plain, bootVolume: joinUses([useOf(data)]) };
const running: Power = { status: 'running' };

const hostOf = (...domains: readonly SimulatedDomain[]) =>
  testHost(worldOf({ domains, volumes: [data, spare] }));
type TestHost = ReturnType<typeof hostOf>;
const sizeIn = ({ world }: TestHost, name: VolumeName) =>
  world.volumes.get(partition)?.get(name)?.sizeBytes;
const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => null,
    (error: unknown) => (error instanceof HostError ? error.code : error),
  );

test('Volumes are listed in the order of their names', async () => {
  const host = testHost(worldOf({ volumes: [spare, data] }));
  expect(await host.volumes.list(partition, signal)).toEqual(['data', 'spare']);
});

describe('the disk of a guest', () => {
  const grow = ({ domains }: TestHost, name = data.name, bytes = 2 * GiB) =>
    domains.growDisk(refOf('web'), name, bytes, signal);

  test.each([
    ['runs with it', domainOf('web', { power: running, defined: withData })],
    ['sleeps', domainOf('web', { power: { status: 'paused' }, defined: withData })],
    ['booted from it', domainOf('web', { power: running, defined: bootsData })],
    [
      'will not have it at its next start',
      domainOf('web', { power: running, defined: plain, live: withData }),
    ],
    [
      'has lost its definition',
      domainOf('web', { power: running, defined: withData, persistent: false }),
    ],
  ])('grows if the guest %s', async (_what, domain) => {
    const host = hostOf(domain);
    await grow(host);
    expect(sizeIn(host, data.name)).toBe(2 * GiB);
    await grow(host);
    expect(sizeIn(host, data.name)).toBe(2 * GiB);
    expect(sizeIn(host, spare.name)).toBe(GiB);
  });

  test.each([
    [
      'does not run',
      domainOf('web', { power: { status: 'stopped', reason: 'unknown' }, defined: withData }),
    ],
    [
      'will have it only at its next start',
      domainOf('web', { power: running, defined: withData, live: plain }),
    ],
    ['is somebody else’s', domainOf('web', { power: running, defined: withData, owner: null })],
    ['is not there', domainOf('db', { power: running, defined: withData })],
  ])('does not if it %s', async (_what, domain) => {
    const host = hostOf(domain);
    expect(await codeOf(grow(host))).toBe('Refused');
    expect(sizeIn(host, data.name)).toBe(GiB);
  });

  test('does not shrink, and is only what the guest has', async () => {
    const host = hostOf(domainOf('web', { power: running, defined: withData }));
    expect(await codeOf(grow(host, data.name, GiB - 512))).toBe('Refused');
    expect(await codeOf(grow(host, spare.name))).toBe('Refused');
    expect(sizeIn(host, data.name)).toBe(GiB);
    expect(sizeIn(host, spare.name)).toBe(GiB);
  });
});

describe('a Volume that a guest runs with', () => {
  test.each([
    ['now', { defined: plain, live: withData }, 'Refused'],
    ['now, from boot', { defined: plain, live: bootsData }, 'Refused'],
    ['only at its next start', { defined: withData, live: plain }, null],
  ] as const)('%s: growing its file', async (_what, fields, code) => {
    const host = hostOf(domainOf('web', { power: running, ...fields }));
    expect(await codeOf(host.volumes.grow(owner, data.name, 2 * GiB, signal))).toBe(code);
    expect(sizeIn(host, data.name)).toBe(code === null ? 2 * GiB : GiB);
    expect(await codeOf(host.volumes.grow(owner, spare.name, 2 * GiB, signal))).toBeNull();
  });

  test('of another partition is another one', async () => {
    const elsewhere = { installation, partition: 'elsewhere' as typeof partition };
    const host = hostOf(domainOf('web', { power: running, defined: withData }));
    await host.volumes.create(elsewhere, data, signal);
    await host.volumes.grow(elsewhere, data.name, 2 * GiB, signal);
    expect(host.world.volumes.get(elsewhere.partition)?.get(data.name)?.sizeBytes).toBe(2 * GiB);
  });
});
