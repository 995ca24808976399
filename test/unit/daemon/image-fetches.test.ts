/** Images that the host fetches while a daemon runs: beside its passes, one at a time, and what became of them. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { paceBytesMin } from '../../../src/daemon/image-fetch.ts';
import { ImageFetches } from '../../../src/daemon/image-fetches.ts';
import { slots } from '../../../src/daemon/slots.ts';
import { HostError } from '../../../src/host/host-error.ts';
import type { FaultRule } from '../../../src/host/simulated/faults.ts';
import type { ImageName } from '../../../src/model/names.ts';
import type { DesiredState } from '../../../src/model/secondary.ts';
import { observe } from '../../../src/observe/observe.ts';
import { wantedBy } from '../../../src/observe/wanted.ts';
import { comeIn } from '../../support/come-in.ts';
import {
  breakingOffAfter,
  type FakeFetcher,
  failing,
  fakeFetcher,
  hanging,
  whole,
} from '../../support/fake-fetcher.ts';
import { converge, desiredWith, image, installation, partition } from '../../support/passes.ts';
import { testHost, worldOf } from '../../support/simulation.ts';
import { virtualRuntime } from '../../support/virtual-runtime.ts';
import {
  descriptionOf,
  virtualDaemon,
  type VirtualDaemon,
  type VirtualDaemonOptions,
} from '../../support/virtual-daemon.ts';

const debian = 'debian' as ImageName;
const MiB = 2 ** 20;
const sizeBytes = 10 * MiB;
const digestOf = (letter: string) => `sha256:${letter.repeat(64)}`;
const place = 'https://images.example.org/debian.img';

const imageText = (from = place, name = 'debian', digest = digestOf('a')) => `---
apiVersion: unnest.dev/v1
kind: Image
metadata: { name: ${name} }
spec: { digest: "${digest}", format: raw, source: { url: { from: "${from}", bytes: ${sizeBytes} } } }
`;

let server: FakeFetcher;
let daemon: VirtualDaemon;
let areOthers = false;
/** Importing fails as it does where the bytes are others. */
const otherBytes: FaultRule = ({ name }) =>
  areOthers && (name === 'images.import' || name === 'images.verify')
    ? { kind: 'error', error: new HostError('Refused', 'it cannot be used: (DigestMismatch)') }
    : null;
const hosts = [{ host: 'images.example.org' }, { host: 'cdn.example.org:8443' }];
const describeAs = (more: object = {}, imageHosts: readonly object[] = hosts) =>
  daemon.supervisor.describe(
    new Map([descriptionOf(partition, { policy: { imageHosts }, ...more })]),
  );
const begin = (more: VirtualDaemonOptions = {}) => {
  const world = worldOf({ files: ['vmlinuz'] });
  daemon = virtualDaemon({ world, rules: [otherBytes], fetcher: server.fetcher, ...more });
  describeAs();
};
beforeEach(() => {
  areOthers = false;
  server = fakeFetcher();
  begin();
});
afterEach(() => daemon.close());

const settle = async (ms = 5000) => {
  await daemon.runtime.settle();
  await daemon.advance(ms);
};
const apply = async (...texts: readonly string[]) => {
  await daemon.submit(texts.join(''));
  await settle(500);
};
const said = (name = 'debian') => {
  const found = daemon
    .status()
    .resources.find((each) => each.kind === 'image' && each.name === name);
  return `${found?.phase} ${found?.message}`.trim();
};
const received = () => daemon.world.intakes.get(partition)?.get(debian)?.receivedBytes;
const kept = () => daemon.world.images.get(partition)?.get(debian)?.state;
const begins = () => server.asked.map(({ atByte }) => atByte);

describe('an Image that is fetched', () => {
  test('has room made for it, is fetched into that, looked into, and is ready', async () => {
    await apply(imageText());
    expect(server.asked).toEqual([
      {
        partition,
        url: { host: 'images.example.org', port: 443, target: '/debian.img' },
        privateAddresses: false,
        atByte: 0,
        sizeBytes,
      },
    ]);
    expect(said()).toBe('Ready');
    expect(kept()).toBe('ready');
    expect(daemon.world.intakes.get(partition)?.size).toBe(0);
    expect(daemon.condition('Synced')).toMatch(/^True/);
  });

  test('says how far it is, and keeps nothing else waiting meanwhile', async () => {
    let go: () => void = () => undefined;
    server.serve(async (request, taker, signal) => {
      taker.begins(0);
      await taker.take(new Uint8Array(4 * MiB));
      await new Promise<void>((done) => (go = done));
      await taker.take(new Uint8Array(sizeBytes - 4 * MiB));
      return signal.aborted ? hanging(request, taker, signal) : { kind: 'complete' };
    });
    await apply(imageText());
    expect(said()).toBe(
      `Importing Fetching: ${4 * MiB} of ${sizeBytes} bytes have been fetched, which unnestd does`,
    );
    expect(await daemon.control.image(partition, debian)).toMatchObject({
      image: { source: 'url', phase: 'Importing', sizeBytes, receivedBytes: 4 * MiB, serial: null },
    });
    expect(
      await daemon.control.upload(partition, debian, 4 * MiB, new Uint8Array(1)),
    ).toMatchObject({ status: 'refused', code: 'NotUploaded' });
    await apply(imageText(), `---\n${JSON.stringify(volumeText)}\n`);
    expect(daemon.world.volumes.get(partition)?.size).toBe(1);
    go();
    await settle();
    expect(said()).toBe('Ready');
    expect(server.asked).toHaveLength(1);
  });

  test('that is there is not fetched again for another URL of the same bytes', async () => {
    await apply(imageText());
    await apply(imageText('https://cdn.example.org:8443/debian.img'));
    await apply(imageText('https://elsewhere.example.org/debian.img'));
    await settle(400_000);
    expect(server.asked).toHaveLength(1);
    expect(said()).toBe('Ready');
  });

  test('is gone on with from elsewhere, if its URL changes on the way', async () => {
    server.serve(async (...request) => {
      await breakingOffAfter(4 * MiB)(...request);
      return hanging(...request);
    });
    await apply(imageText());
    server.serve(whole);
    await apply(imageText('https://cdn.example.org:8443/debian.img'));
    expect(server.asked.at(-1)).toMatchObject({
      url: { host: 'cdn.example.org', port: 8443 },
      atByte: 4 * MiB,
    });
    expect(said()).toBe('Ready');
  });

  test('whose document goes is not fetched on, and leaves nothing', async () => {
    server.serve(hanging);
    await apply(imageText());
    expect(server.atOnce.now).toBe(1);
    await daemon.submit('# nothing', { deleteEverything: true });
    await settle();
    expect(server.atOnce.now).toBe(0);
    expect(daemon.world.intakes.get(partition)?.size).toBe(0);
    expect(kept()).toBeUndefined();
  });

  test('whose digest changes is begun anew: no byte of the one before is used', async () => {
    server.serve(breakingOffAfter(4 * MiB));
    await apply(imageText());
    server.serve(whole);
    await apply(imageText(place, 'debian', digestOf('b')));
    expect(server.asked.at(-1)).toMatchObject({ atByte: 0 });
    expect(said()).toBe('Ready');
  });

  test('is left alone while its partition is', async () => {
    server.serve(hanging);
    await apply(imageText());
    const hold = { secondary: null, reason: 'backup', submitter: 'uid 0', expiresAt: null };
    await daemon.control.pause(partition, hold);
    await settle();
    expect(server.atOnce.now).toBe(0);
    server.serve(whole);
    await daemon.control.resume(partition, null, 'uid 0');
    await settle();
    expect(said()).toBe('Ready');
  });
});

const volumeText = {
  apiVersion: 'unnest.dev/v1',
  kind: 'Volume',
  metadata: { name: 'data' },
  spec: { size: '1MiB' },
};

describe('what the operator does not allow', () => {
  test.each([
    ['another host', 'https://elsewhere.example.org/debian.img'],
    ['another port', 'https://images.example.org:8443/debian.img'],
    ['a host below it', 'https://x.images.example.org/debian.img'],
  ])('%s is not asked, and no room is made', async (_what, from) => {
    await apply(imageText(from));
    const text = said();
    expect(text).toMatch(/^Rejected HostNotAllowed: the operator does not let this partition/);
    // What others may have is not said.
    expect(text).not.toMatch(/ images\.example\.org |cdn/);
    expect(server.asked).toEqual([]);
    expect(daemon.world.intakes.get(partition)?.size ?? 0).toBe(0);
  });

  test('any more: it is broken off, and what has come goes', async () => {
    server.serve(breakingOffAfter(MiB));
    await apply(imageText());
    server.serve(hanging);
    await settle();
    expect(server.atOnce.now).toBe(1);
    describeAs({}, []);
    await settle();
    expect(server.atOnce.now).toBe(0);
    expect(said()).toMatch(/^Rejected HostNotAllowed/);
    expect(daemon.world.intakes.get(partition)?.size).toBe(0);
    describeAs();
    server.serve(whole);
    await settle();
    expect(said()).toBe('Ready');
  });

  test('a redirect leads to allowed hosts only, each with what is allowed of it', async () => {
    const open = { host: 'mirror.example.org', privateAddresses: true };
    describeAs({}, [...hosts, open]);
    const leading = (to: string) => async () => ({ kind: 'redirected', to }) as const;
    server.serve((request, ...more) =>
      request.url.host === 'images.example.org'
        ? leading('https://mirror.example.org/x')()
        : whole(request, ...more),
    );
    await apply(imageText());
    expect(said()).toBe('Ready');
    expect(server.asked.map(({ privateAddresses }) => privateAddresses)).toEqual([false, true]);
    server.serve(leading('https://elsewhere.example.org/'));
    await apply(imageText(place, 'other', digestOf('b')));
    expect(said('other')).toMatch(
      /^Rejected GaveUp: it has failed once: RedirectNotAllowed: images\.example\.org: it leads/,
    );
    expect(said('other')).not.toContain('elsewhere');
  });
});

describe('a fetch that fails', () => {
  test('is tried again after a wait that grows, from where it has stopped', async () => {
    server.serve(breakingOffAfter(MiB));
    await apply(imageText());
    expect(begins()).toEqual([0]);
    expect(said()).toMatch(
      /^Pending BackOff: it has failed once: FetchFailed: images\.example\.org: it broke off/,
    );
    // Nothing comes any more.
    server.serve(breakingOffAfter(0));
    await settle(400);
    expect(begins()).toEqual([0, MiB]);
    expect(said()).toMatch(/BackOff: it has failed 2 times/);
    await settle(900);
    expect(begins()).toEqual([0, MiB]);
    server.serve(whole);
    await settle(600);
    expect(begins()).toEqual([0, MiB, MiB]);
    expect(said()).toBe('Ready');
  });

  test('is given up after as many times as anything, and tried again when it is asked for', async () => {
    const message = 'it has answered 503';
    server.serve(failing({ code: 'FetchFailed', message, retryable: true }));
    await apply(imageText());
    await settle(3_000_000);
    expect(server.asked).toHaveLength(5);
    expect(said()).toMatch(/^Rejected GaveUp: it has failed 5 times: FetchFailed/);
    server.serve(whole);
    await settle(3_000_000);
    expect(server.asked).toHaveLength(5);
    await daemon.control.retry(partition, 'uid 0');
    await settle();
    expect(said()).toBe('Ready');
  });

  test('is not given up as long as it gets on', async () => {
    await daemon.close();
    begin({ attemptsMax: 2 });
    server.serve((request, ...more) =>
      (request.atByte < 9 * MiB ? breakingOffAfter(MiB) : whole)(request, ...more),
    );
    await apply(imageText());
    await settle(60_000);
    expect(said()).toBe('Ready');
    expect(begins()).toHaveLength(10);
  });

  test('in a way that does not mend itself is given up at once, and another document is tried', async () => {
    const message = 'it has answered 404';
    server.serve(failing({ code: 'FetchFailed', message, retryable: false }));
    await apply(imageText());
    await settle(400_000);
    expect(server.asked).toHaveLength(1);
    expect(said()).toMatch(/^Rejected GaveUp: it has failed once: FetchFailed.*404/);
    server.serve(whole);
    await apply(imageText('https://images.example.org/other.img'));
    expect(said()).toBe('Ready');
  });

  test('is told as an event', async () => {
    const message = 'it has answered 404';
    server.serve(failing({ code: 'FetchFailed', message, retryable: false }));
    await apply(imageText());
    expect(daemon.events.filter(({ kind }) => kind === 'fetch-failed')).toEqual([
      {
        kind: 'fetch-failed',
        partition,
        image: debian,
        code: 'FetchFailed',
        message: `images.example.org: ${message}`,
        waitMs: null,
      },
    ]);
  });

  test('as nobody has foreseen is told, and tried again', async () => {
    server.serve(async () => {
      throw new Error('out of descriptors');
    });
    await apply(imageText());
    expect(said()).toMatch(/^Pending BackOff.*FetchFailed: out of descriptors/);
    server.serve(whole);
    await settle();
    expect(said()).toBe('Ready');
  });

  test.each([
    ['more', 1, 'more have come'],
    ['fewer', -1, 'it has ended after'],
  ])('because %s bytes come than there are to be', async (_what, more, says) => {
    server.serve(async ({ sizeBytes: size }, taker) => {
      taker.begins(0);
      await taker.take(new Uint8Array(size + more));
      return { kind: 'complete' };
    });
    await apply(imageText());
    await settle(400_000);
    expect(said()).toMatch(/^Rejected GaveUp: it has failed once: LengthDiffers/);
    expect(said()).toContain(says);
    expect(received()).toBeLessThanOrEqual(sizeBytes);
    expect(server.asked).toHaveLength(1);
    expect(kept()).toBeUndefined();
  });

  test('because it drips: it is broken off, and what has come is kept', async () => {
    const drip = Math.floor(paceBytesMin / 30) - 1;
    server.serve(async ({ atByte }, taker, signal) => {
      taker.begins(atByte);
      while (!signal.aborted) {
        await taker.take(new Uint8Array(drip));
        await daemon.runtime.timers.sleep(1000, signal);
      }
      return { kind: 'complete' };
    });
    await apply(imageText());
    await settle(31_000);
    expect(said()).toMatch(/FetchFailed: less than \d+ bytes have come in 30 s/);
    expect(received()).toBeGreaterThanOrEqual(30 * drip);
    // What is a little faster is waited for.
    server.serve(async ({ atByte, sizeBytes: size }, taker, signal) => {
      taker.begins(atByte);
      for (let at = atByte; at < size && !signal.aborted; at += drip + 200) {
        await taker.take(new Uint8Array(Math.min(drip + 200, size - at)));
        await daemon.runtime.timers.sleep(1000, signal);
      }
      return { kind: 'complete' };
    });
    await settle(3_000_000);
    expect(said()).toBe('Ready');
  });

  test('does not keep another Image of the partition waiting', async () => {
    server.serve((request, ...more) =>
      request.url.target === '/debian.img'
        ? breakingOffAfter(0)(request, ...more)
        : whole(request, ...more),
    );
    await apply(imageText(), imageText('https://images.example.org/o', 'other', digestOf('b')));
    expect(said('other')).toBe('Ready');
    expect(said()).toMatch(/^Pending BackOff/);
  });
});

test('all of the bytes are none as long as more may come', async () => {
  let go: () => void = () => undefined;
  server.serve(async ({ sizeBytes: size }, taker) => {
    taker.begins(0);
    await taker.take(new Uint8Array(size));
    await new Promise<void>((done) => (go = done));
    await taker.take(new Uint8Array(1));
    return { kind: 'complete' };
  });
  await apply(imageText());
  await settle();
  expect(said()).toMatch(/^Importing/);
  expect(kept()).toBeUndefined();
  go();
  await settle();
  expect(said()).toMatch(/^Rejected GaveUp: .*LengthDiffers/);
});

describe('bytes that are others than the document says', () => {
  test('of one answer are not fetched again', async () => {
    areOthers = true;
    await apply(imageText());
    await settle(3_000_000);
    expect(said()).toMatch(/^Rejected GaveUp: .*DigestMismatch/);
    expect(begins()).toEqual([0]);
    areOthers = false;
    await daemon.control.retry(partition, 'uid 0');
    await settle();
    expect(said()).toBe('Ready');
  });

  test('of several answers may be of several files: they are fetched once more, and no more', async () => {
    areOthers = true;
    server.serve(breakingOffAfter(MiB));
    await apply(imageText());
    server.serve(whole);
    await settle(10_000);
    expect(begins()).toEqual([0, MiB, 0]);
    await settle(3_000_000);
    expect(begins()).toEqual([0, MiB, 0]);
    expect(said()).toMatch(/^Rejected GaveUp: .*DigestMismatch/);
  });

  test('and would take the place of others are fetched once more too, and cost nobody those', async () => {
    await apply(imageText());
    await settle();
    expect(said()).toBe('Ready');
    const before = begins().length;
    areOthers = true;
    server.serve(breakingOffAfter(MiB));
    await apply(imageText(place, 'debian', digestOf('b')));
    server.serve(whole);
    await settle(3_000_000);
    expect(begins().slice(before)).toEqual([0, MiB, 0]);
    const there = daemon.world.images.get(partition)?.get(debian);
    expect(there).toMatchObject({ state: 'ready', digest: digestOf('a') });
  });

  test('of several answers both times are not fetched a third time', async () => {
    areOthers = true;
    server.serve((request, ...more) =>
      (request.atByte === 0 ? breakingOffAfter(MiB) : whole)(request, ...more),
    );
    await apply(imageText());
    await settle(3_000_000);
    expect(begins()).toEqual([0, MiB, 0, MiB]);
    expect(said()).toMatch(/^Rejected GaveUp: .*DigestMismatch/);
  });

  test('that were fetched anew are the right ones', async () => {
    areOthers = true;
    server.serve(breakingOffAfter(MiB));
    await apply(imageText());
    server.serve(async (...request) => {
      areOthers = request[0].atByte > 0;
      return whole(...request);
    });
    await settle(10_000);
    expect(said()).toBe('Ready');
  });

  test('are fetched anew when somebody asks for it', async () => {
    areOthers = true;
    await apply(imageText());
    await settle(3_000_000);
    server.serve(async (...request) => {
      areOthers = false;
      return whole(...request);
    });
    await daemon.control.retry(partition, 'uid 0');
    await settle(10_000);
    expect(begins()).toEqual([0, 0]);
    expect(said()).toBe('Ready');
  });
});

describe('a daemon that ends', () => {
  test('and one that is started after it: the fetch goes on where it was', async () => {
    server.serve(async ({ atByte, ...request }, taker, signal) => {
      taker.begins(atByte);
      await taker.take(new Uint8Array(4 * MiB));
      return hanging({ ...request, atByte }, taker, signal);
    });
    await apply(imageText());
    expect(received()).toBe(4 * MiB);
    const { world } = daemon;
    server = fakeFetcher();
    begin({ runtime: daemon.crash(), world });
    await settle();
    expect(begins()).toEqual([4 * MiB]);
    expect(said()).toBe('Ready');
  });

  test('in order leaves nobody behind who fetches', async () => {
    server.serve(hanging);
    await apply(imageText());
    expect(server.atOnce.now).toBe(1);
    await daemon.close();
    expect(server.atOnce.now).toBe(0);
  });
});

describe('a daemon that dies', () => {
  /** Breaking off now and then, so that there is something to go on with. */
  const serveWell = () =>
    server.serve((request, ...more) =>
      (request.atByte < 6 * MiB ? breakingOffAfter(3 * MiB) : whole)(request, ...more),
    );
  const told = async () => {
    const doing = daemon.submit(imageText()).catch(() => undefined);
    await daemon.advance(20_000);
    if (!daemon.runtime.files.crashed) await doing;
  };
  /** How many calls that change the host there are, if nobody dies. */
  const callsOf = async () => {
    serveWell();
    await told();
    expect(said()).toBe('Ready');
    expect(begins()).toEqual([0, 3 * MiB, 6 * MiB]);
    return daemon.hosts.faults.calls.filter(({ writes }) => writes).length;
  };

  test.each(['before', 'after'] as const)(
    '%s any call: the next one has the Image',
    async (when) => {
      const calls = await callsOf();
      expect(calls).toBeGreaterThan(5);
      for (let at = 1; at <= calls; at += 1) {
        await daemon.close();
        const runtime = virtualRuntime();
        let count = 0;
        const dying: FaultRule = ({ writes }) => {
          if (!writes || (count += 1) !== at) return null;
          queueMicrotask(() => runtime.crash());
          return { kind: 'crash', when };
        };
        server = fakeFetcher();
        serveWell();
        begin({ runtime, rules: [dying] });
        await told();
        expect(runtime.files.crashed).toBe(true);
        const { world } = daemon;
        begin({ runtime: runtime.restart({ losePower: false }), world });
        await settle(30_000);
        if (daemon.control.history(partition)?.length === 0) await told();
        // Nothing is asked for twice, but what was lost with the answer that it was in.
        expect([at, said()]).toEqual([at, 'Ready']);
        expect(daemon.world.intakes.get(partition)?.size).toBe(0);
        for (const atByte of begins()) expect(atByte % (3 * MiB)).toBe(0);
      }
    },
  );
});

describe('how many at once', () => {
  const names = ['a', 'b', 'c'];
  const all = names.map((name) =>
    imageText(`https://images.example.org/${name}`, name, digestOf(name)),
  );

  test('one in a partition, by name', async () => {
    server.serve(async (request, taker, signal) => {
      await daemon.runtime.timers.sleep(100, signal);
      return whole(request, taker, signal);
    });
    await apply(...all);
    await settle();
    expect(server.asked.map(({ url }) => url.target)).toEqual(['/a', '/b', '/c']);
    expect(server.atOnce.most).toBe(1);
    expect(names.map((name) => said(name))).toEqual(['Ready', 'Ready', 'Ready']);
  });

  test('as many partitions as there are slots: the next one has its turn', async () => {
    await daemon.close();
    const fetchSlots = slots(1);
    begin({ fetchSlots });
    const give = await fetchSlots.take(new AbortController().signal);
    await apply(imageText());
    expect(server.asked).toEqual([]);
    expect(said()).toMatch(/^Importing Fetching: 0 of/);
    give?.();
    await settle();
    expect(said()).toBe('Ready');
  });
});

describe('the slice', () => {
  const limits = { vcpus: 4, memory: '1GiB', storage: '1GiB', secondaries: 4 };

  test('is there before anything is fetched in it, and goes without whoever fetches', async () => {
    server.serve(hanging);
    describeAs({ limits });
    let isGone: boolean | null = null;
    server.serve(async (...request) => {
      expect(daemon.world.slices.size).toBe(1);
      const end = await hanging(...request);
      // It takes a while to be gone.
      await daemon.runtime.timers.sleep(1000, new AbortController().signal);
      isGone = daemon.world.slices.size === 0;
      return end;
    });
    await apply(imageText());
    expect(server.atOnce.now).toBe(1);
    server.serve(whole);
    describeAs();
    await settle();
    expect(isGone).toBe(false);
    expect(daemon.world.slices.size).toBe(0);
    expect(said()).toBe('Ready');
  });

  test('that cannot be made keeps it from being fetched', async () => {
    await daemon.close();
    const noSlice: FaultRule = ({ name }) =>
      name === 'slices.apply' ? { kind: 'error', error: new HostError('Refused', 'no') } : null;
    begin({ rules: [noSlice] });
    describeAs({ limits });
    await apply(imageText());
    await settle(60_000);
    expect(daemon.world.intakes.get(partition)?.has(debian)).toBe(true);
    expect(server.asked).toEqual([]);
  });

  test('room for it counts from the start', async () => {
    describeAs({ limits: { ...limits, storage: '9MiB' } });
    await apply(imageText());
    expect(said()).toMatch(/^Blocked PartBlocked/);
    expect(server.asked).toEqual([]);
  });
});

test('a look that is older than what has come asks for nothing', async () => {
  const host = testHost(worldOf({ recorded: true }));
  const image = imageOfUrl();
  const desired = desiredWith({ images: [image], imageHosts: [imageHost], share: null });
  await converge(host, desired);
  const observed = await observeFor(host, desired);
  const owner = { installation, partition };
  await comeIn(host.intakes, owner, debian, 0, new Uint8Array(sizeBytes));
  const fetches = new ImageFetches({
    host,
    runtime: daemon.runtime,
    fetcher: server.fetcher,
    slots: slots(1),
    rules: { attemptsMax: 5, delayMsMin: 1000, delayMsMax: 1000 },
    emit: () => undefined,
    wake: () => undefined,
    forgive: () => undefined,
  });
  fetches.follow(desired, { observed, plan: { operations: [] } }, false);
  await daemon.runtime.settle();
  expect(server.asked).toEqual([]);
  await fetches.close();
});

const never = new AbortController().signal;
const imageHost = { host: 'images.example.org', port: 443, privateAddresses: false };
const imageOfUrl = () =>
  image('debian', { source: { kind: 'url', url: place, sizeBytes, isAllowed: true } });

function observeFor(host: ReturnType<typeof testHost>, wanted: DesiredState) {
  const { names, ...others } = wantedBy(wanted);
  const newInstallation = installation;
  return observe(host, { partition, wanted: names, ...others, newInstallation, signal: never });
}
