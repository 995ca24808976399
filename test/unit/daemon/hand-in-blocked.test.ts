/** What a Primary says of a disk while nothing is taken off that: it is refused, or forgotten aloud, and never kept for later. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { channelLimits } from '../../../src/channel/limits.ts';
import { HostError } from '../../../src/host/host-error.ts';
import type { FaultRule } from '../../../src/host/simulated/faults.ts';
import { lentDisk, lentImageDisk } from '../../../src/model/intake.ts';
import type { ImageName } from '../../../src/model/names.ts';
import { holdOf } from '../../support/daemon-orders.ts';
import { installation, partition } from '../../support/passes.ts';
import { simulatedPrimary, worldOf } from '../../support/simulation.ts';
import {
  descriptionOf,
  secondaryText,
  virtualDaemon,
  type VirtualDaemon,
} from '../../support/virtual-daemon.ts';

const linux = 'linux' as ImageName;
const { signal: never } = new AbortController();
const MiB = 2 ** 20;
const { alias: diskAlias } = lentImageDisk({ installation, partition });
const { alias } = lentDisk({ installation, partition }, linux);

const imageText = (digit: string, source: string) => `apiVersion: unnest.dev/v1
kind: Image
metadata: { name: linux }
spec: { digest: "sha256:${digit.repeat(64)}", format: bzImage, source: { ${source} } }
`;
const old = imageText('a', 'file: vmlinuz');
const offDisk = imageText('b', `imageDisk: { path: boot/vmlinuz, bytes: ${MiB} }`);
const handedOver = imageText('b', `handOver: { bytes: ${MiB} }`);
const web = (runPolicy = 'Always') =>
  secondaryText('web', {
    spec: { runPolicy, updatePolicy: 'Staged', boot: { kernel: { image: 'linux' } } },
  });

let daemon: VirtualDaemon;
let isDark = false;
/** What each call to the host waits for. */
let gate = Promise.resolve();
const dark: FaultRule = ({ name }) =>
  isDark && name === 'images.list'
    ? { kind: 'error', error: new HostError('Timeout', 'it does not answer') }
    : null;
beforeEach(() => {
  isDark = false;
  gate = Promise.resolve();
  const world = worldOf({ files: ['vmlinuz'], primaries: { vm: simulatedPrimary() } });
  daemon = virtualDaemon({ world, rules: [dark], latency: () => gate });
  describeWith({ grants: ['handOver', 'imageDisk'], imageDisk: { size: '64MiB' } });
});
afterEach(() => {
  letsGo(true);
  return daemon.close();
});

const describeWith = (more: object) => {
  const primary = { domain: 'vm', reserved: { vcpus: 1, memory: '256MiB' }, ...more };
  daemon.supervisor.describe(new Map([descriptionOf(partition, { primary })]));
};
const settle = async () => {
  await daemon.runtime.settle();
  await daemon.advance(5000);
};
const submit = async (text: string) => {
  await daemon.submit(text);
  await settle();
};
const phase = () => {
  const found = daemon.status().resources.find(({ kind }) => kind === 'image');
  return `${found?.phase} ${found?.message}`.trim();
};
const lent = () => daemon.world.primaries.get('vm')?.lentDisks ?? [];
const takes = () => daemon.writes.filter((each) => each.startsWith('primaries.takeBack'));
const dropped = () => daemon.events.filter(({ kind }) => kind === 'hand-over-dropped');
const said = async () => {
  const answering = daemon.control.imageWritten(partition, linux, 'vm', never);
  await daemon.runtime.settle();
  const answer = await answering;
  await settle();
  return answer;
};
const stands = async () => {
  const asking = daemon.control.image(partition, linux);
  await daemon.runtime.settle();
  const answer = await asking;
  return answer?.status === 'ok' ? answer.image.handedOver : answer;
};
const letsGo = (isSo: boolean) => {
  const primary = daemon.world.primaries.get('vm');
  if (primary === undefined) return;
  primary.releasesAfterMs = isSo ? 0 : null;
  primary.unplugging = null;
};
const resume = async () => {
  await daemon.control.resume(partition, null, 'uid 0');
  await settle();
};

describe('a word about the disk of an Image that is blocked', () => {
  test.each([
    ['the image disk', offDisk, [diskAlias]],
    ['a disk of its own', handedOver, [diskAlias, alias]],
  ])('is refused, and %s is not taken when the block ends', async (_what, text, disks) => {
    await submit(old + web());
    expect(daemon.words('web')).toMatch(/^Running/);
    await submit(text + web());
    expect(phase()).toMatch(/^Pending AwaitingBytes/);
    expect(await said()).toMatchObject({
      status: 'refused',
      code: 'ImageBlocked',
      message: expect.stringMatching(
        /^linux is blocked: ImageInUse: web runs with the bytes that it has: .*; its disk stays where it is, so say so again after that$/,
      ) as string,
    });
    expect(phase()).toMatch(/^Pending AwaitingBytes/);
    await submit(text + web('Halted'));
    await daemon.advance(3_600_000);
    expect(takes()).toEqual([]);
    expect([...lent()].sort()).toEqual([...disks].sort());
    expect(await said()).toMatchObject({ status: 'ok' });
    expect(phase()).toBe('Ready');
    expect(dropped()).toEqual([]);
  });

  test('is refused while the partition is left alone, and while its host cannot be read', async () => {
    await submit(offDisk);
    await daemon.control.pause(partition, holdOf(null));
    await settle();
    expect(await said()).toMatchObject({
      code: 'ImageBlocked',
      message: expect.stringMatching(/^linux is blocked: Held: /) as string,
    });
    await resume();
    isDark = true;
    expect(await said()).toMatchObject({
      code: 'ImageBlocked',
      message: expect.stringMatching(/^linux is blocked: HostUnknown: /) as string,
    });
    isDark = false;
    await daemon.advance(600_000);
    expect(takes()).toEqual([]);
    expect(await said()).toMatchObject({ status: 'ok' });
    expect(phase()).toBe('Ready');
  });
});

describe('a word that cannot be tried before', () => {
  const answerAt = async (ends: 'in time' | 'asker has left' | 'late') => {
    await submit(offDisk);
    let open = () => {};
    gate = new Promise((done) => (open = done));
    const asker = new AbortController();
    const answering = daemon.control.imageWritten(partition, linux, 'vm', asker.signal);
    await daemon.advance(channelLimits.wordMs - 1);
    if (ends === 'asker has left') asker.abort();
    if (ends === 'late') await daemon.advance(1);
    open();
    gate = Promise.resolve();
    await daemon.runtime.settle();
    const answer = await answering;
    await daemon.advance(3_600_000);
    return answer;
  };

  test.each([
    ['whoever has said it has left', 'asker has left', 'nobody waits for the answer any more'],
    ['a minute has passed', 'late', 'the host could not be looked at within 60 s'],
  ] as const)('%s is refused, and its disk stays where it is', async (_when, ends, why) => {
    expect(await answerAt(ends)).toEqual({
      status: 'refused',
      code: 'NotInTime',
      message: `${why}; nothing was taken down, and the disk stays where it is`,
    });
    expect(takes()).toEqual([]);
    expect(lent()).toEqual([diskAlias]);
    expect(await said()).toMatchObject({ status: 'ok' });
    expect(phase()).toBe('Ready');
  });

  test('a minute has passed is taken down otherwise', async () => {
    expect(await answerAt('in time')).toMatchObject({ status: 'ok' });
    expect(phase()).toBe('Ready');
  });
});

describe('a word that was taken down, and whose Image is blocked after that', () => {
  beforeEach(async () => {
    await submit(offDisk);
    letsGo(false);
    expect(await said()).toMatchObject({ status: 'ok' });
  });

  test('is forgotten where somebody has to do something about it, and that is told', async () => {
    expect(await stands()).toBe(true);
    await daemon.control.pause(partition, holdOf(null));
    await settle();
    expect(dropped()).toEqual([
      expect.objectContaining({ kind: 'hand-over-dropped', image: linux, code: 'Held' }),
    ]);
    expect(await stands()).toBe(false);
    letsGo(true);
    await resume();
    await daemon.advance(3_600_000);
    expect(phase()).toMatch(/AwaitingBytes: .*unnest hand-over linux/);
    expect(lent()).toEqual([diskAlias]);
    expect(await said()).toMatchObject({ status: 'ok' });
    expect(phase()).toBe('Ready');
  });

  test('is told to be forgotten once, and when it is: until then it counts no more all the same', async () => {
    const { faults } = daemon.runtime.files;
    faults.push(({ call, path }) =>
      call === 'replace' && path.endsWith('/wishes.json') ? 'NoSpace' : null,
    );
    // Somebody else has made it nobody's to give: not by a wish, which could not be stored either.
    describeWith({ grants: ['handOver'] });
    await daemon.advance(3_600_000);
    expect(phase()).toMatch(/NotAllowed/);
    expect(await stands()).toBe(false);
    expect(dropped()).toEqual([]);
    letsGo(true);
    describeWith({ grants: ['handOver', 'imageDisk'], imageDisk: { size: '64MiB' } });
    await daemon.advance(3_600_000);
    expect(phase()).toMatch(/AwaitingBytes: .*unnest hand-over linux/);
    expect(dropped()).toEqual([]);
    faults.pop();
    await daemon.advance(3_600_000);
    expect(dropped()).toEqual([expect.objectContaining({ image: linux, code: 'NotAllowed' })]);
    expect(phase()).toMatch(/AwaitingBytes: .*unnest hand-over linux/);
  });

  test('is forgotten without breaking off the pass that has seen why', async () => {
    letsGo(true);
    describeWith({ grants: ['handOver'] });
    await daemon.advance(60_000);
    expect(dropped()).toEqual([expect.objectContaining({ image: linux, code: 'NotAllowed' })]);
    const since = daemon.events.findIndex(({ kind }) => kind === 'hand-over-dropped');
    const done = daemon.events
      .slice(since)
      .flatMap((each) =>
        each.kind === 'operation-finished' ? [`${each.operation} ${each.outcome}`] : [],
      );
    expect(done).toEqual(['primary.take-image-disk applied', 'image-disk.delete applied']);
    expect(lent()).toEqual([]);
  });

  test('counts once the host can be read again', async () => {
    isDark = true;
    await daemon.advance(600_000);
    expect(phase()).toMatch(/HostUnknown/);
    expect(await stands()).toBe(true);
    letsGo(true);
    isDark = false;
    await daemon.advance(600_000);
    expect(phase()).toBe('Ready');
    expect(dropped()).toEqual([]);
  });

  test('counts after its disk could not be taken at once', async () => {
    // Something happens on the host all the time, so that it is looked at also while nothing is tried.
    const seen = new Set<string>();
    for (let seconds = 0; seconds < 60; seconds += 1) {
      daemon.supervisor.partition(partition)?.wake('host-event');
      await daemon.advance(1000);
      seen.add(phase());
    }
    expect([...seen].join()).toMatch(/PartBlocked: the image disk is blocked: BackOff: /);
    letsGo(true);
    await daemon.advance(600_000);
    expect(phase()).toBe('Ready');
    expect(dropped()).toEqual([]);
  });

  test('is forgotten where its disk could not be taken so often that nobody tries any more', async () => {
    await daemon.advance(3_600_000);
    expect(dropped()).toEqual([expect.objectContaining({ image: linux })]);
    letsGo(true);
    const before = takes().length;
    await daemon.control.retry(partition, 'uid 0');
    await daemon.advance(3_600_000);
    expect(takes()).toHaveLength(before);
  });
});
