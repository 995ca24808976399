/** A partition whose documents change a thousand times a second costs itself, and not the quiet one beside it. */
import { expect, test } from 'vitest';
import type { PartitionName, SecondaryName } from '../../../src/model/names.ts';
import { desiredStateDir, secondaryText, virtualDaemon } from '../../support/virtual-daemon.ts';

const restless = `${desiredStateDir}/team-a/web.yaml`;
const quiet = `${desiredStateDir}/team-b/db.yaml`;

/** Another document each time, of a Secondary that is there, each put in place as a whole. */
function version(count: number): string {
  return secondaryText('web', { commandLine: `quiet round=${count}` });
}

test.each([
  ['in place, as an editor that never ends', 'write'],
  ['as a whole each time', 'replace'],
] as const)('%s', async (_, how) => {
  const daemon = virtualDaemon({ source: 'Directory', partitions: ['team-a', 'team-b'] });
  const { disk } = daemon.runtime;
  const files = daemon.world.files.get('team-a' as PartitionName);
  if (files !== undefined) daemon.world.files.set('team-b' as PartitionName, files);
  disk.write(restless, version(0));
  disk.write(quiet, secondaryText('db'));
  await daemon.advance(5000);
  expect(daemon.words('web')).toBe('Running Synced Healthy');
  const passes = (partition: string) =>
    daemon.events.filter((event) => event.kind === 'pass-finished' && event.partition === partition)
      .length;
  const before = { restless: passes('team-a'), quiet: passes('team-b') };
  const statusOfDb = () =>
    daemon.control
      .status('team-b' as PartitionName)
      ?.secondaries.find(({ name }) => name === ('db' as SecondaryName));
  const seconds = 3;
  for (let count = 1; count <= seconds * 1000; count += 1) {
    disk[how](restless, version(count));
    // In the middle of it the quiet one has one change.
    if (count === 1500) disk.replace(quiet, secondaryText('db', { spec: { runPolicy: 'Halted' } }));
    await daemon.advance(1);
  }
  // The quiet one's guest is on its way down, or there, while the other still changes.
  expect(statusOfDb()?.status).toMatch(/^(?:Stopping|Stopped)$/);
  // What is read as a whole is read a few times a second, and what never rests not at all.
  expect(passes('team-a') - before.restless).toBeLessThan(seconds * 10);
  expect(passes('team-b') - before.quiet).toBeLessThan(20);
  // And what was last is what is so in the end, with nothing deleted on the way.
  await daemon.advance(200_000);
  // Its guest runs on with what it was started with, which is its document's policy.
  expect(daemon.words('web')).toBe('Running OutOfSync Healthy');
  expect(daemon.writes.filter((write) => write.startsWith('undefine'))).toEqual([]);
  const commandLines = [...daemon.world.domains.values()].map(
    ({ definition }) => definition.fields.commandLine,
  );
  expect(commandLines).toContain(`quiet round=${seconds * 1000}`);
  await daemon.close();
});
