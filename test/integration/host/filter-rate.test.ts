/**
 * That the kernel holds a partition's traffic to its rate, each way, whatever is sent. Beside whatever
 * is held there is something by the same way that is not.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sh } from '../../support/filtered-partitions.ts';
import { measure, noMoreOutside, outside, WiredPartition } from '../../support/wired-partition.ts';
import { lookUntil } from '../../support/until.ts';

const MiB = 2 ** 20;
const rate = MiB;
const up = '192.0.2.2';
const network = {
  mode: 'nat',
  uplink: 'up0',
  portIsolation: false,
  egress: null,
  networkBytesPerSecond: null,
} as const;

let slow: WiredPartition;
let free: WiredPartition;
let [one, two] = ['', ''];
let port = 9000;

beforeAll(async () => {
  sh('sysctl', '-q', '-w', 'net.ipv4.ip_forward=1');
  outside('up', '192.0.2');
  slow = new WiredPartition('slow', { ...network, cidr: '10.231.11.0/24' });
  free = new WiredPartition('free', { ...network, cidr: '10.231.12.0/24' });
  [one, two] = [slow.plug('one'), slow.plug('two')];
  free.plug('other');
  await slow.apply({ networkBytesPerSecond: rate });
  await free.apply();
});

afterAll(async () => {
  await slow.close();
  await free.close();
  noMoreOutside('up');
});

const through = async (protocol: 'tcp' | 'udp', from: string, to: string, address: string) => {
  port += 1;
  return measure(protocol, { from, to, address, port });
};
/** Nearer to the rate than to twice or to half of it. */
const isHeld = (bytes: number) => bytes < 2 * rate && bytes > rate / 2;
const isFree = (bytes: number) => bytes > 10 * rate;

/** One measurement, or a few: what else happens on the machine spoils some, and a rate that is not kept all. */
const measured = <T>(measuring: () => Promise<T>, isSo: (bytes: T) => boolean) =>
  lookUntil(measuring, isSo, { msMax: 30_000, everyMs: 0 });
const asExpected = { seen: expect.anything(), isSo: true };

describe('a partition with a rate', () => {
  test.each(['tcp', 'udp'] as const)(
    'is held to it by %s, each way by itself',
    async (protocol) => {
      // Behind NAT only who was asked answers; TCP's answers are there, UDP's need a way in.
      await slow.apply({ mode: 'routed', networkBytesPerSecond: rate });
      const bytes = await measured(
        () =>
          Promise.all([through(protocol, 'one', 'up', up), through(protocol, 'up', 'two', two)]),
        (each) => each.every(isHeld),
      );
      expect(bytes).toEqual(asExpected);
    },
  );

  test('shares it among all of its Secondaries', async () => {
    const bytes = await measured(
      () => Promise.all([through('udp', 'one', 'up', up), through('udp', 'two', 'up', up)]),
      ([first, second]) => isHeld(first + second),
    );
    expect(bytes).toEqual(asExpected);
  });

  test('is not slower inside, and nobody else is', async () => {
    const bytes = await measured(
      () =>
        Promise.all([
          through('udp', 'one', 'up', up),
          through('tcp', 'one', 'two', two),
          through('tcp', 'other', 'up', up),
        ]),
      ([out, inside, neighbour]) => isHeld(out) && isFree(inside) && isFree(neighbour),
    );
    expect(bytes).toEqual(asExpected);
  });

  test('keeps what it has used up while Secondaries come and go', async () => {
    const listed = () => sh('nft', '-a', 'list', 'table', 'inet', slow.table);
    const before = listed();
    slow.plug('third');
    await slow.apply({ mode: 'routed', networkBytesPerSecond: rate });
    expect(sh('nft', 'list', 'table', 'bridge', slow.table)).toContain('10.231.11.4');
    expect(listed()).toBe(before);
    await slow.apply({ mode: 'routed', networkBytesPerSecond: 2 * rate });
    expect(listed()).not.toBe(before);
  });

  test('has none any more as soon as it has no limit', async () => {
    await slow.apply({ mode: 'routed' });
    const bytes = await measured(
      () => Promise.all([through('tcp', 'one', 'up', up), through('tcp', 'up', 'one', one)]),
      (each) => each.every(isFree),
    );
    expect(bytes).toEqual(asExpected);
  });
});
