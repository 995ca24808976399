/** What the daemon takes away of a partition, while a worker of it may be anywhere. */
import { expect, test } from 'vitest';
import type { DocumentParser } from '../../../src/daemon/parser.ts';
import { partition } from '../../support/passes.ts';
import {
  descriptionOf,
  honestParser,
  secondaryText,
  virtualDaemon,
} from '../../support/virtual-daemon.ts';

test('a slice is removed while its partition has no worker', async () => {
  const seen: string[] = [];
  const parser: DocumentParser = {
    ...honestParser,
    without: async (name, act) => {
      seen.push(`${name} ${daemon.world.slices.size}`);
      const done = await act();
      seen.push(`${name} ${daemon.world.slices.size}`);
      return done;
    },
  };
  const daemon = virtualDaemon({ parser });
  const describe = (spec: object) =>
    daemon.supervisor.describe(new Map([descriptionOf(partition, { source: 'Apply', ...spec })]));
  describe({ limits: { vcpus: 1, memory: '1GiB', storage: '1GiB', secondaries: 1 } });
  await daemon.submit(secondaryText('web', { spec: { runPolicy: 'Halted' } }));
  await daemon.advance(5000);
  expect([daemon.world.slices.size, seen]).toEqual([1, []]);
  describe({});
  await daemon.advance(5000);
  expect(seen).toEqual([`${partition} 1`, `${partition} 0`]);
});
