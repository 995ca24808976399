import { describe, expect, test } from 'vitest';
import type { SecondaryName } from '../../../src/model/names.ts';
import type { Secondary } from '../../../src/model/secondary.ts';
import { applyPass, desired, planPass, secondary } from '../../support/passes.ts';
import { testHost } from '../../support/simulation.ts';

const after = (...names: readonly string[]): Partial<Secondary> => ({
  startAfter: names as readonly SecondaryName[],
});
const wanted = desired(
  secondary('app', after('db', 'cache')),
  secondary('cache'),
  secondary('db', after('zk')),
  secondary('zk'),
);

describe('startAfter', () => {
  test('orders starts, and makes each wait for those it names', async () => {
    const plan = await planPass(testHost(), wanted);
    const starts = plan.operations.filter(({ kind }) => kind === 'domain.start');
    expect(starts.map(({ id }) => id)).toEqual([
      'domain.start/zk',
      'domain.start/db',
      'domain.start/cache',
      'domain.start/app',
    ]);
    expect(starts.at(-1)?.after).toEqual(
      expect.arrayContaining(['domain.start/db', 'domain.start/cache']),
    );
  });

  test('holds however many are started at once', async () => {
    const begun: string[] = [];
    const running = new Set<string>();
    await applyPass(testHost(), wanted, {
      inFlightMax: 4,
      onStart: ({ id }) => begun.push(`${id} with ${[...running].sort().join(' ')}`),
      onOutcome: ({ operation: { kind, resource } }) => {
        if (kind === 'domain.start' && resource !== null) running.add(resource.name);
      },
    });
    expect(begun).toContain('domain.start/app with cache db zk');
    expect(begun.find((line) => line.startsWith('domain.start/db'))).toContain('zk');
  });

  test('a dependency that runs already needs no waiting', async () => {
    const host = testHost();
    await applyPass(host, desired(secondary('zk')));
    const plan = await planPass(host, desired(secondary('zk'), secondary('db', after('zk'))));
    const [start] = plan.operations.filter(({ kind }) => kind === 'domain.start');
    expect(start?.after).toEqual(['domain.define/db']);
  });

  test('a guest that could not be started again is not stopped for a restart', async () => {
    const host = testHost();
    const db = (vcpus: number) =>
      secondary('db', { ...after('zk'), vcpus, updatePolicy: 'Restart' });
    await applyPass(host, desired(secondary('zk'), db(1)));
    const plan = await planPass(host, desired(secondary('zk', { runPolicy: 'Halted' }), db(2)));
    expect(plan.entries).toMatchObject([
      { resource: { name: 'db' }, kind: 'blocked' },
      { resource: { name: 'zk' } },
    ]);
    expect(plan.operations.map(({ resource }) => resource?.name)).not.toContain('db');
  });
});
