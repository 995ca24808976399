/** Several partitions at once, on a host that has never heard of unnest. */
import { expect, test } from 'vitest';
import { idleDocument } from '../../support/cli.ts';
import { daemonPlace } from '../../support/daemon.ts';
import { synced } from '../../support/daemon-says.ts';
import { domainsOf } from '../../support/partition-domains.ts';

const names = ['many-a', 'many-b', 'many-c', 'many-d'];

test('partitions that begin at once all come to be, with one installation', async ({
  onTestFinished,
}) => {
  const place = daemonPlace();
  onTestFinished(() => place.dispose());
  for (const name of names) {
    place.describe(name);
    place.write(name, idleDocument('a', ['runPolicy: Halted']));
  }
  const daemon = await place.start();
  for (const name of names) {
    await synced(daemon, name, ['a']);
    expect(await domainsOf(name)).toEqual(['a - shut off']);
  }
  const failed = daemon.lines('operation-finished').filter(({ outcome }) => outcome === 'failed');
  expect(failed).toEqual([]);
});
