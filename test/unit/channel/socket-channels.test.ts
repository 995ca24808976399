/** Primaries whose VM has a socket in the place of vsock: who comes by which is who speaks. */
import { beforeEach, describe, expect, test } from 'vitest';
import { SocketChannels } from '../../../src/channel/socket-channels.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import type { DaemonEvent } from '../../../src/report/event.ts';
import { bodyOf, callerOn, settled } from '../../support/virtual-caller.ts';
import { type VirtualRuntime, virtualRuntime } from '../../support/virtual-runtime.ts';
import { fakeControl, type FakeControl, partitionStatus, teamA } from './fake-control.ts';

const teamB = 'team-b' as PartitionName;
const [pathA, pathB] = ['/srv/a/v.sock', '/srv/b/v.sock'] as const;

let runtime: VirtualRuntime;
let fake: FakeControl;
let events: DaemonEvent[];
let channels: SocketChannels;
beforeEach(() => {
  runtime = virtualRuntime();
  fake = fakeControl();
  fake.set(partitionStatus({ partition: teamB }));
  events = [];
  channels = new SocketChannels({
    control: fake.control,
    runtime,
    port: 1021,
    sockets: new Map([
      [teamA, pathA],
      [teamB, pathB],
    ]),
    emit: (event) => events.push(event),
    onBug: (error) => expect.unreachable(String(error)),
  });
});

const admit = async (...partitions: readonly PartitionName[]) => {
  channels.admit(new Set(partitions));
  await settled();
};
async function call(path: string) {
  const caller = callerOn(runtime.sockets.connect(`${path}_1021`));
  await settled();
  return caller;
}
const paths = () => runtime.sockets.listening.map((each) => each.kind === 'unix' && each.path);

describe('who comes by a VM’s socket', () => {
  test('speaks for the partition that the operator has named it for, and no other', async () => {
    await admit(teamA, teamB);
    const [a, b] = [await call(pathA), await call(pathB)];
    expect(bodyOf(await a.ask('GET', '/v1/version'))).toMatchObject({ partition: teamA });
    expect(bodyOf(await b.ask('GET', '/v1/version'))).toMatchObject({ partition: teamB });
    await b.ask('POST', '/v1/partition/retry', {});
    expect(fake.calls).toEqual([{ method: 'retry', args: [teamB, 'Primary of team-b'] }]);
    expect(await b.ask('GET', '/v1/partitions/team-a')).toMatch(/^HTTP\/1.1 404/);
  });

  test('is listened to only while the partition has a channel', async () => {
    await admit(teamA);
    expect(paths()).toEqual([`${pathA}_1021`]);
    const caller = await call(pathA);
    await admit();
    expect(paths()).toEqual([]);
    await runtime.advance(10_000);
    expect(caller.isEnded()).toBe(true);
    await admit(teamA);
    expect(bodyOf(await (await call(pathA)).ask('GET', '/v1/version'))).toMatchObject({
      partition: teamA,
    });
  });

  test('waits until its folder is there, which is said once', async () => {
    const { sockets } = runtime;
    const listen = sockets.listenToVm.bind(sockets);
    let isThere = false;
    Object.assign(sockets, {
      listenToVm: (...args: Parameters<typeof listen>) =>
        isThere ? listen(...args) : Promise.reject(new Error('there is no folder /srv/a')),
    });
    await admit(teamA);
    await runtime.advance(60_000);
    expect(events).toEqual([{ kind: 'channel-unavailable', message: 'there is no folder /srv/a' }]);
    isThere = true;
    await runtime.advance(10_000);
    expect(paths()).toEqual([`${pathA}_1021`]);
  });

  test('has no connection left when all ends', async () => {
    await admit(teamA);
    const caller = await call(pathA);
    const closing = channels.close();
    await runtime.advance(10_000);
    await closing;
    expect(caller.isEnded()).toBe(true);
    expect(paths()).toEqual([]);
  });

  test('finds the bounds of one place on all its connections together', async () => {
    await admit(teamA);
    const callers = [];
    for (let n = 0; n < 33; n += 1) callers.push(await call(pathA));
    expect(callers.at(-1)?.heard()).toMatch(/^HTTP\/1.1 503/);
    expect(callers.at(0)?.isEnded()).toBe(false);
    // Beyond the rate there is no answer to take either.
    while (callers.length < 61) callers.push(await call(pathA));
    expect(callers.at(-1)?.isEnded()).toBe(true);
    expect(callers.at(-1)?.heard()).toBe('');
  });
});
