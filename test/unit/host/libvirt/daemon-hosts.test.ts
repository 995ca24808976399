/** What a real libvirtd cannot be made to do: refuse to tell of events. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openLibvirtHosts } from '../../../../src/host/libvirt/daemon-hosts.ts';
import type { HostSign } from '../../../../src/host/ports.ts';
import { domain } from '../../../../src/libvirt/handles.ts';
import { i32, string } from '../../../../src/libvirt/wire/codec.ts';
import { optional, struct } from '../../../../src/libvirt/wire/combinators.ts';
import { FakeLibvirtd } from '../../../support/fake-libvirtd.ts';
import { ManualTimers } from '../../libvirt/manual-timers.ts';

const registerDomain = 316;
const registerNetwork = 313;
const deregistering = [314, 317];
const never = new AbortController().signal;
const vm = { name: 'vm', uuid: '00000000-0000-4000-8000-000000000001', id: 1 };

/** Refuses the first `refusals` registrations, and keeps the numbers of the events of the others. */
async function hostsOn(refusals: number) {
  const registered: number[] = [];
  let left = refusals;
  const fake = await FakeLibvirtd.start({
    onCall: (call) => {
      const { procedure } = call.header;
      if (deregistering.includes(procedure)) return call.replyNothing();
      if (procedure !== registerDomain && procedure !== registerNetwork) return;
      left -= 1;
      if (left >= 0) return call.refuse(38, 'not today');
      if (procedure === registerDomain) {
        registered.push(call.args(struct({ eventId: i32, domain: optional(domain) })).eventId);
      }
      call.reply(i32, 5);
    },
  });
  onTestFinished(() => fake[Symbol.asyncDispose]());
  const stateDir = mkdtempSync(join(tmpdir(), 'unnest-'));
  onTestFinished(() => rmSync(stateDir, { recursive: true }));
  const timers = new ManualTimers();
  const uri = `qemu+unix:///system?socket=${fake.path}`;
  const hosts = await openLibvirtHosts({ uri, stateDir, timers }, never);
  onTestFinished(() => hosts.close());
  const signs: HostSign[] = [];
  hosts.onSign((sign) => signs.push(sign));
  return { fake, timers, signs, registered };
}

const until = async (isSo: () => boolean) => {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
};

test('it listens for what can be drift, and not for balloons and reboots', async () => {
  const { fake, signs, registered } = await hostsOn(0);
  expect(registered.toSorted((a, b) => a - b)).toEqual([0, 15, 17, 18, 19, 23]);
  expect(signs).toEqual([]);
  const body = struct({ callbackId: i32, domain, alias: string });
  fake.peer.event(354, body, { callbackId: 5, domain: vm, alias: 'disk1' });
  await until(() => signs.length > 0);
  expect(signs).toEqual([{ kind: 'domain', domainName: 'vm', uuid: vm.uuid, event: 'device' }]);
});

test('a libvirtd that answers and tells nothing is lost, until it tells', async () => {
  const { timers, signs } = await hostsOn(1);
  expect(signs).toMatchObject([{ kind: 'lost', message: expect.stringContaining('not today') }]);
  timers.advance(999);
  expect(signs).toHaveLength(1);
  timers.advance(1);
  await until(() => signs.length > 1);
  expect(signs[1]).toEqual({ kind: 'back' });
});
