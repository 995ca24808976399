/** A failed read is never an absence: whatever fails, nothing is created and nothing deleted. */
import { describe, expect, test } from 'vitest';
import { HostError } from '../../../src/host/host-error.ts';
import { type MemoryHost, memoryHost } from '../../support/memory-host.ts';
import { applyPass, desired, planPass, secondary } from '../../support/passes.ts';

async function hostWith(...names: readonly string[]): Promise<MemoryHost> {
  const host = memoryHost({ installation: null, domains: new Map(), files: new Set(['vmlinuz']) });
  await applyPass(host, desired(...names.map((name) => secondary(name))));
  return host;
}

const fails = async () => {
  throw new HostError('Unreachable', 'reading', { cause: new Error('the wire is cut') });
};

const wanted = desired(secondary('web'), secondary('new'));

describe('when it cannot be read', () => {
  test.each([
    ['the list of domains', (host: MemoryHost) => Object.assign(host.domains, { list: fails })],
    ['the domains', (host: MemoryHost) => Object.assign(host.domains, { read: fails })],
    [
      'the installation id',
      (host: MemoryHost) => Object.assign(host.installation, { read: fails }),
    ],
  ])('%s: nothing at all is planned, and it is said why', async (_what, spoil) => {
    const host = await hostWith('web', 'old');
    spoil(host);
    const plan = await planPass(host, wanted, true);
    const doing = plan.operations.filter(({ secondary: name }) => name !== 'new');
    expect(doing).toEqual([]);
    const web = plan.entries.find(({ name }) => name === 'web');
    expect(web).toMatchObject({ kind: 'blocked', block: { code: 'HostUnknown' } });
    expect(JSON.stringify(web)).toContain('the wire is cut');
  });

  test('the installation id: what is new is not made either, for its UUID is not known', async () => {
    const host = await hostWith('web');
    Object.assign(host.installation, { read: fails });
    expect((await planPass(host, wanted, true)).operations).toEqual([]);
  });

  test.each([
    ['a file', 'FileUnknown', (host: MemoryHost) => Object.assign(host.store, { size: fails })],
    [
      'what the host can do',
      'HostUnknown',
      (host: MemoryHost) => Object.assign(host.domains, { facts: fails }),
    ],
  ])('%s: what needs it waits, what runs stays', async (_what, code, spoil) => {
    const host = await hostWith('web');
    spoil(host);
    const plan = await planPass(host, wanted);
    expect(plan.operations).toEqual([]);
    expect(plan.entries).toMatchObject([
      { name: 'new', kind: 'blocked', block: { code } },
      { name: 'web', kind: 'unchanged' },
    ]);
  });

  test('one domain of many: the others go on', async () => {
    const host = await hostWith('web', 'old');
    host.unreadable.add('unnest.team-a.web');
    const plan = await planPass(host, wanted, true);
    expect(plan.operations.map(({ id }) => id)).toEqual([
      'domain.define/new',
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
  const [domain] = host.world.domains.values();
  Object.assign(domain ?? {}, { domainName: 'renamed' });
  const plan = await planPass(host, desired(secondary('web')));
  expect(plan.operations).toEqual([]);
  expect(plan.entries).toMatchObject([{ kind: 'blocked', block: { code: 'MarkMismatch' } }]);
});
