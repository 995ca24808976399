/** A carved Primary has the partition minus its Secondaries, and the sum is never more than that. */
import { describe, expect, test } from 'vitest';
import type { SimulatedPrimary } from '../../../src/host/simulated/world.ts';
import { slicePath } from '../../../src/model/identity.ts';
import type { PrimaryWanted } from '../../../src/model/primary.ts';
import { nothingGuaranteed, type Share } from '../../../src/model/share.ts';
import { machineBytes } from '../../../src/model/overhead.ts';
import {
  applyPass,
  blocksIn,
  converge,
  desiredWith,
  installation,
  partition,
  planPass,
  secondary,
} from '../../support/passes.ts';
import { onCall, simulatedPrimary, testHost, worldOf } from '../../support/simulation.ts';

const MiB = 2 ** 20;
const domainName = 'primary-a';

/** 256 MiB to boot with, and a device of 1 GiB; 4 vCPUs at most. */
function primaryOf(more: Partial<SimulatedPrimary> = {}): SimulatedPrimary {
  const has = { vcpus: 4, pluggedBytes: 1024 * MiB };
  const path = slicePath({ installation, partition });
  return simulatedPrimary({
    live: has,
    defined: has,
    vcpusMax: 4,
    device: { blockBytes: 2 * MiB, sizeBytes: 1024 * MiB },
    slicePath: path,
    nextSlicePath: path,
    releasesAfterMs: 3000,
    ...more,
  });
}

/** What the Primary counts with beside its memory: by what it could have. */
const besides =
  machineBytes({ vcpus: 4, memoryBytes: 1280 * MiB, translationCacheBytes: 0 }) - 1280 * MiB;
const web = secondary('web', { vcpus: 1, memoryBytes: 128 * MiB });
const webBytes = machineBytes({ vcpus: 1, memoryBytes: 128 * MiB, translationCacheBytes: 0 });

const nothingPlugged = {
  live: { vcpus: 4, pluggedBytes: 0 },
  defined: { vcpus: 4, pluggedBytes: 0 },
};

/** Exactly what the whole Primary takes. */
const share: Share = {
  limits: {
    vcpus: 4,
    memoryBytes: 1280 * MiB + besides,
    storageBytes: 0,
    secondaries: 9,
    diskBytesPerSecond: null,
    diskOperationsPerSecond: null,
  },
  guarantees: nothingGuaranteed,
  enforcement: 'Admission',
};
const wantedPrimary: PrimaryWanted = {
  domainName,
  reserved: { vcpus: 1, memoryBytes: 512 * MiB },
  grants: ['vcpus', 'memory'],
  imageDiskBytes: null,
};

function situation(more: Partial<SimulatedPrimary> = {}, described: Partial<PrimaryWanted> = {}) {
  const host = testHost(worldOf({ recorded: true, primaries: { [domainName]: primaryOf(more) } }));
  const primary = { ...wantedPrimary, ...described };
  const wanting = (...secondaries: Parameters<typeof secondary>[0][]) =>
    desiredWith({
      secondaries: secondaries.map((name) => ({ ...web, name: secondary(name).name })),
      share,
      primary,
    });
  const now = () => {
    const found = host.world.primaries.get(domainName);
    if (found === undefined) throw new Error('it is gone');
    return found;
  };
  return { host, wanting, now };
}

const ids = ({ operations }: Awaited<ReturnType<typeof planPass>>) =>
  operations.map(({ id }) => id);

describe('what a Secondary needs', () => {
  test('is taken from the running Primary first, and its start waits for that', async () => {
    const { host, wanting } = situation();
    const plan = await planPass(host, wanting('web'));
    expect(ids(plan)).toEqual([
      'domain.define/web',
      `primary.set-vcpus/${partition}`,
      `primary.set-memory/${partition}`,
      'domain.start/web',
    ]);
    const start = plan.operations.find(({ kind }) => kind === 'domain.start');
    expect(start?.after).toEqual(
      expect.arrayContaining([`primary.set-vcpus/${partition}`, `primary.set-memory/${partition}`]),
    );
  });

  test('and no more than that, in whole blocks, in its definition too', async () => {
    const { host, wanting, now } = situation();
    await converge(host, wanting('web'));
    const plugged = Math.floor((1024 * MiB - webBytes) / (2 * MiB)) * 2 * MiB;
    expect(now().live).toEqual({ vcpus: 3, pluggedBytes: plugged });
    expect(now().defined).toEqual({ vcpus: 3, pluggedBytes: plugged });
    expect((await planPass(host, wanting('web'))).operations).toEqual([]);
  });

  test('is given back when it goes', async () => {
    const { host, wanting, now } = situation();
    await converge(host, wanting('web', 'db'));
    expect(now().live?.vcpus).toBe(2);
    await converge(host, wanting('db'));
    expect(now().live?.vcpus).toBe(3);
    await converge(host, wanting());
    expect(now().live).toEqual({ vcpus: 4, pluggedBytes: 1024 * MiB });
    expect(now().defined).toEqual({ vcpus: 4, pluggedBytes: 1024 * MiB });
  });

  test('goes from one Secondary to the next without the Primary having it meanwhile', async () => {
    const { host, wanting } = situation();
    await converge(host, wanting('web'));
    const plan = await planPass(host, wanting('db'), true);
    expect(ids(plan).filter((id) => id.startsWith('primary.'))).toEqual([]);
  });

  test('is not taken below what is reserved', async () => {
    const { host, wanting, now } = situation();
    await converge(host, wanting('a', 'b', 'c', 'd'));
    // 768 MiB can be taken, and each takes 234; one vCPU of four stays.
    expect(now().live?.vcpus).toBe(1);
    const plan = await planPass(host, wanting('a', 'b', 'c', 'd'));
    expect(blocksIn(plan)).toEqual(['d OverBudget']);
  });
});

test('its vCPUs are kept too, as many as are reserved', async () => {
  const reserved = { vcpus: 3, memoryBytes: 512 * MiB };
  const { host, wanting, now } = situation({}, { reserved });
  await converge(host, wanting('a', 'b'));
  expect(now().live?.vcpus).toBe(3);
  expect(blocksIn(await planPass(host, wanting('a', 'b')))).toEqual(['b OverBudget']);
});

test('it is given nothing back before those who had it have let go', async () => {
  const { host, wanting, now } = situation();
  await converge(host, wanting('web'));
  const never = new Error('it will not go');
  host.rules.push(onCall('powerOff', { kind: 'error', error: never }));
  host.rules.push(onCall('shutdown', { kind: 'error', error: never }));
  const { outcomes } = await applyPass(host, wanting());
  const grown = outcomes.filter(({ operation }) => operation.kind.startsWith('primary.'));
  expect(grown.map(({ result }) => result.status)).toEqual(['skipped', 'skipped']);
  expect(now().live?.vcpus).toBe(3);
});

test('it counts with whatever its next start would use, if that is more', async () => {
  const few = { vcpus: 2, pluggedBytes: 0 };
  const defined = { vcpus: 4, pluggedBytes: 0 };
  const { host, wanting } = situation({ live: few, defined }, { grants: [] });
  expect(blocksIn(await planPass(host, wanting('web')))).toEqual(['web OverBudget']);
});

describe('a Primary that does not release', () => {
  test('keeps the Secondary waiting, and nothing more is given than there is', async () => {
    const { host, wanting, now } = situation({ releasesAfterMs: null });
    const { outcomes } = await applyPass(host, wanting('web'));
    const failed = outcomes.filter(({ result }) => result.status === 'failed');
    expect(failed.map(({ operation }) => operation.kind)).toContain('primary.set-vcpus');
    const result = failed.find(({ operation }) => operation.kind === 'primary.set-vcpus')?.result;
    expect(result).toMatchObject({
      failure: {
        code: 'Timeout',
        message: expect.stringContaining(
          `${domainName} was asked to go from 4 vCPUs to 3 vCPUs, and has 4 vCPUs after 60 s`,
        ),
      },
    });
    expect(host.writes.join()).not.toContain('start');
    expect(now().live?.vcpus).toBe(4);
  });

  test('is said to be the reason, as long as it is left alone for it', async () => {
    const { host, wanting } = situation({ releasesAfterMs: null });
    const { diff } = await import('../../../src/diff/diff.ts');
    const { makePlan } = await import('../../../src/plan/plan.ts');
    const { observe } = await import('../../../src/observe/observe.ts');
    const { wantedBy } = await import('../../../src/observe/wanted.ts');
    const { noWishes } = await import('../../../src/plan/wishes.ts');
    const desired = wanting('web');
    const { names, ...more } = wantedBy(desired);
    const observed = await observe(host, {
      partition,
      wanted: names,
      ...more,
      newInstallation: installation,
      signal: new AbortController().signal,
    });
    const held = new Map([
      [`primary/${partition}`, { code: 'BackOff', message: 'it has failed once' } as const],
    ]);
    const plan = makePlan(diff(desired, observed, held), observed, {
      ...noWishes,
      deleteEverything: false,
      deletionsMax: null,
      deletionReason: 'not-in-documents',
      deletionGraceMs: null,
    });
    expect(blocksIn(plan)).toEqual([`${partition} BackOff`, 'web PrimaryNotReleasing']);
  });

  test.each([
    ['of pinned memory', { pinnedBy: 'a passed-through pci' }],
    ['without a virtio-mem device', { device: null, baseBytes: 1280 * MiB, ...nothingPlugged }],
  ])('%s has a fixed share, and what is asked for is beyond it', async (_, more) => {
    const { host, wanting } = situation(more);
    const plan = await planPass(host, wanting('web'));
    expect(blocksIn(plan)).toEqual(['web OverBudget']);
    expect(ids(plan)).toEqual([]);
  });
});

describe('a Primary', () => {
  test('of which nothing is granted is left as it is', async () => {
    const { host, wanting } = situation({}, { grants: [] });
    const plan = await planPass(host, wanting('web'));
    expect(ids(plan)).toEqual([]);
    expect(blocksIn(plan)).toEqual(['web OverBudget']);
  });

  test('that does not run counts with what its next start would use', async () => {
    const { host, wanting, now } = situation({ live: null });
    await converge(host, wanting('web'));
    expect(now().defined.vcpus).toBe(3);
    expect(now().live).toBeNull();
  });

  test('that is not there keeps what is reserved for it', async () => {
    const { host, wanting } = situation();
    host.world.primaries.clear();
    const plan = await planPass(host, wanting('a', 'b', 'c', 'd'));
    expect(blocksIn(plan)).toEqual([`${partition} PrimaryMissing`, 'd OverBudget']);
  });

  test('that could not be read leaves nothing known of what is left', async () => {
    const { host, wanting } = situation();
    host.rules.push(onCall('primaries.find', { kind: 'partial', error: new Error('no answer') }));
    const plan = await planPass(host, wanting('web'));
    expect(blocksIn(plan)).toEqual([`${partition} HostUnknown`, 'web HostUnknown']);
  });
});
