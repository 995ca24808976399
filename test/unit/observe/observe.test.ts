/** A failed read is never an absence: whatever fails, nothing is created and nothing deleted. */
import { describe, expect, test } from 'vitest';
import { HostError } from '../../../src/host/host-error.ts';
import type { CallName } from '../../../src/host/simulated/faults.ts';
import { applyPass, desired, planPass, secondary } from '../../support/passes.ts';
import {
  domainNamed,
  onCall,
  type TestHost,
  testHost,
  unreadable,
} from '../../support/simulation.ts';

async function hostWith(...names: readonly string[]): Promise<TestHost> {
  const host = testHost();
  await applyPass(host, desired(...names.map((name) => secondary(name))));
  return host;
}

const cut = new HostError('Unreachable', 'reading', { cause: new Error('the wire is cut') });
const cutAt = (call: CallName) => onCall(call, { kind: 'error', error: cut });

const wanted = desired(secondary('web'), secondary('new'));

describe('when it cannot be read', () => {
  test.each([
    ['the list of domains', 'list'],
    ['the domains', 'read'],
    ['the installation id', 'installation.read'],
  ] as const)('%s: nothing at all is planned, and it is said why', async (_what, call) => {
    const host = await hostWith('web', 'old');
    host.rules.push(cutAt(call));
    const plan = await planPass(host, wanted, true);
    const doing = plan.operations.filter(({ resource }) => resource?.name !== 'new');
    expect(doing).toEqual([]);
    const web = plan.entries.find(({ resource }) => resource.name === 'web');
    expect(web).toMatchObject({ kind: 'blocked', block: { code: 'HostUnknown' } });
    expect(JSON.stringify(web)).toContain('the wire is cut');
  });

  test('the installation id: what is new is not made either, for its UUID is not known', async () => {
    const host = await hostWith('web');
    host.rules.push(cutAt('installation.read'));
    expect((await planPass(host, wanted, true)).operations).toEqual([]);
  });

  test.each([
    ['a file', 'FileUnknown', 'size'],
    ['what the host can do', 'HostUnknown', 'facts'],
  ] as const)('%s: what needs it waits, what runs stays', async (_what, code, call) => {
    const host = await hostWith('web');
    host.rules.push(cutAt(call));
    const plan = await planPass(host, wanted);
    expect(plan.operations).toEqual([]);
    expect(plan.entries).toMatchObject([
      { resource: { name: 'new' }, kind: 'blocked', block: { code } },
      { resource: { name: 'web' }, kind: 'unchanged' },
    ]);
  });

  test('one domain of many: the others go on', async () => {
    const host = await hostWith('web', 'old');
    host.rules.push(unreadable('web'));
    const plan = await planPass(host, wanted, true);
    expect(plan.operations.map(({ id }) => id)).toEqual([
      'domain.define/new',
      'domain.note-stop/old',
      'domain.stop/old',
      'domain.undefine/old',
      'domain.start/new',
    ]);
  });
});

test('domains of other partitions and of other people are not even read', async () => {
  const host = await hostWith('web');
  const list = host.domains.list.bind(host.domains);
  const strangers = ['other', 'unnest.team-b.web', 'unnest.team-a.Not-A-Name'].map(
    (domainName, index) => ({
      domainName,
      uuid: `00000000-0000-4000-8000-00000000000${index}` as never,
    }),
  );
  const asked: string[] = [];
  const read = host.domains.read.bind(host.domains);
  Object.assign(host.domains, {
    list: async (signal: AbortSignal) => [...(await list(signal)), ...strangers],
    read: (...args: Parameters<typeof read>) => {
      asked.push(...args[0].map(({ domainName }) => domainName));
      return read(...args);
    },
  });
  expect((await planPass(host, desired(secondary('web')))).operations).toEqual([]);
  expect(asked).toEqual(['unnest.team-a.web']);
});

test('one that was renamed by hand is found by its UUID, and not made a second time', async () => {
  const host = await hostWith('web');
  Object.assign(domainNamed(host, 'web'), { domainName: 'renamed' });
  const plan = await planPass(host, desired(secondary('web')));
  expect(plan.operations).toEqual([]);
  expect(plan.entries).toMatchObject([{ kind: 'blocked', block: { code: 'MarkMismatch' } }]);
});
