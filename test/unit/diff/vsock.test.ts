/** Whether a Secondary can have the vsock address that is its own. */
import { expect, test } from 'vitest';
import { vsockFrom } from '../../../src/diff/vsock.ts';
import { diff } from '../../../src/diff/diff.ts';
import { fieldsOf, type Observed } from '../../../src/model/domain.ts';
import type { DomainUuid } from '../../../src/model/identity.ts';
import { absent, present, unknown } from '../../../src/model/observation.ts';
import { cidOf } from '../../../src/model/vsock.ts';
import { observe } from '../../../src/observe/observe.ts';
import { wantedBy } from '../../../src/observe/wanted.ts';
import { desired, installation, partition, secondary } from '../../support/passes.ts';
import { domainOf, refOf, testHost, worldOf } from '../../support/simulation.ts';

const db = secondary('db', { readiness: 'Heartbeat' });
const wanted = desired(db, secondary('web'));
const cid = cidOf(refOf('db').uuid);
const other = {
  uuid: '5d1f0a4e-7a53-4a4b-9d0c-0d6b6f3c0c03' as DomainUuid,
  domainName: 'neighbour',
};

async function observed(more: Partial<Observed> = {}, world = worldOf({ recorded: true })) {
  const { names, ...looked } = wantedBy(wanted);
  const host = testHost(world);
  const seen = await observe(host, {
    partition,
    wanted: names,
    ...looked,
    newInstallation: installation,
    signal: new AbortController().signal,
  });
  return { seen: { ...seen, ...more }, calls: host.faults.calls.map(({ name }) => name) };
}

const runs = worldOf({
  recorded: true,
  domains: [domainOf('db', { power: { status: 'running' }, defined: fieldsOf(db) })],
});

test('addresses are looked at while somebody is to get one, and not once it is there', async () => {
  const before = await observed();
  expect([before.seen.cids, before.calls.includes('cids')]).toEqual([present([]), true]);
  const after = await observed({}, runs);
  expect([after.seen.cids, after.calls.includes('cids')]).toEqual([absent, false]);
  expect(vsockFrom(wanted, after.seen)(db)).toBeNull();
});

test('its own domain has it', async () => {
  const { seen } = await observed({ cids: present([{ ...refOf('db'), cid }]) });
  expect(vsockFrom(wanted, seen)(db)).toBeNull();
});

test("another domain's address is not taken from it", async () => {
  const { seen } = await observed({ cids: present([{ ...other, cid }]) });
  const change = diff(wanted, seen).secondaries.find(({ name }) => name === 'db');
  expect(change).toMatchObject({
    kind: 'blocked',
    block: { code: 'CidTaken', message: expect.stringContaining(`${cid}`) },
  });
  // Nor is its owner named: whoever reads that may be a tenant.
  expect(JSON.stringify(change)).not.toContain('neighbour');
});

test('who needs none does not care', async () => {
  const { seen } = await observed({ cids: present([{ ...other, cid }]) });
  expect(vsockFrom(wanted, seen)(secondary('web'))).toBeNull();
});

test('what cannot be read is not free', async () => {
  const { seen } = await observed({ cids: unknown('libvirtd is gone') });
  expect(vsockFrom(wanted, seen)(db)).toEqual({ code: 'HostUnknown', message: 'libvirtd is gone' });
});

test('a domain that has a vsock device of somebody else gets no second one', async () => {
  const plain = fieldsOf(secondary('db'));
  const stopped = { status: 'stopped', reason: 'unknown' } as const;
  const domains = [domainOf('db', { power: stopped, defined: plain })];
  const { seen } = await observed({}, worldOf({ recorded: true, domains }));
  const name = db.name;
  const there = seen.domains.get(name);
  if (there?.status !== 'present') throw new Error('db is not there');
  const withTheirs = present({ ...there.value, foreignCid: 77 });
  const looked = { ...seen, domains: new Map([...seen.domains, [name, withTheirs]]) };
  expect(vsockFrom(wanted, looked)(db)).toMatchObject({ code: 'CidTaken' });
});
