/**
 * No room, and no right to write: what cannot be written down is refused and said, what was in force
 * stays so, and all of it mends itself. Small file systems of the rig's own stand for the host's.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test, type TestContext } from 'vitest';
import { DaemonError } from '../../../src/channel/daemon-error.ts';
import { idleDocument, run } from '../../support/cli.ts';
import { daemonPlace, type DaemonPlace } from '../../support/daemon.ts';
import { condition, opened, partitionNamed, statusOf, synced } from '../../support/daemon-says.ts';
import { domainsOf } from '../../support/partition-domains.ts';
import { until } from '../../support/until.ts';

/** A daemon's place in which this folder is an empty file system of 64 KiB. */
async function setup({ onTestFinished }: TestContext, path: string): Promise<DaemonPlace> {
  const place = daemonPlace();
  const folder = place.at(path);
  mkdirSync(folder, { recursive: true });
  await mount('mount', '-t', 'tmpfs', '-o', 'size=64k,mode=0755', 'tmpfs', folder);
  onTestFinished(async () => {
    await place.end();
    await mount('umount', folder);
    await place.dispose();
  });
  return place;
}

async function mount(command: 'mount' | 'umount', ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await run(command, ['--no-mtab', ...args]);
  if (code !== 0) throw new Error(stderr);
}

interface Trouble {
  begin(folder: string): Promise<void>;
  end(folder: string): Promise<void>;
}

const full: Trouble = {
  begin: async (folder) => {
    try {
      writeFileSync(`${folder}/filler`, Buffer.alloc(2 ** 20));
    } catch {
      // It takes as much as there is room for.
    }
  },
  end: async (folder) => rmSync(`${folder}/filler`),
};
const readOnly: Trouble = {
  begin: (folder) => mount('mount', '-o', 'remount,ro', folder),
  end: (folder) => mount('mount', '-o', 'remount,rw', folder),
};

const troubles = [
  ['full', full],
  ['read-only', readOnly],
] as const;

describe.concurrent('a disk', () => {
  test.for(troubles)(
    'that is %s: documents are not accepted, until it is over',
    async (given, context) => {
      const [word, trouble] = given;
      const name = `folder-${word}`;
      const accepted = `state/${name}/accepted`;
      const place = await setup(context, accepted);
      place.describe(name);
      place.write(name, idleDocument('a'));
      const daemon = await place.start();
      await synced(daemon, name, ['a']);
      const before = await domainsOf(name);
      await trouble.begin(place.at(accepted));
      place.write(name, idleDocument('b'), 'b.yaml');
      const status = await until(
        'it is refused',
        () => statusOf(daemon, name),
        (seen) => condition(seen, 'DocumentsValid')?.reason === 'NotStored',
      );
      expect(status).toMatchObject({ generation: 1, sync: 'Blocked', health: 'Healthy' });
      expect(daemon.lines('submission-refused')).toMatchObject([{ code: 'NotStored' }]);
      expect(await domainsOf(name)).toEqual(before);
      expect(await daemon.metrics()).toMatch(
        /^unnest_submissions_total\{.*result="NotStored"\} 1$/m,
      );
      await trouble.end(place.at(accepted));
      await synced(daemon, name, ['a', 'b']);
    },
  );

  test.for(troubles)('that is %s: whoever submits is told so', async (given, context) => {
    const [word, trouble] = given;
    const name = `apply-${word}`;
    const accepted = `state/${name}/accepted`;
    const place = await setup(context, accepted);
    place.describe(name, 'Apply');
    // Its disk; nobody looks at the folder.
    place.write(name, idleDocument('a'));
    const daemon = await place.start();
    await opened(daemon, name);
    const submit = (policy: string) =>
      daemon.api.submit(
        partitionNamed(name),
        { files: [{ path: 'a.yaml', text: idleDocument('a', [`runPolicy: ${policy}`]) }] },
        AbortSignal.timeout(20_000),
      );
    await submit('Always');
    await synced(daemon, name, ['a']);
    await trouble.begin(place.at(accepted));
    const refusal = await submit('Manual').catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(DaemonError);
    expect(refusal).toMatchObject({ code: 'NotStored' });
    expect(await statusOf(daemon, name)).toMatchObject({ generation: 1, sync: 'Synced' });
    await trouble.end(place.at(accepted));
    await submit('Halted');
    await until(
      'it is halted',
      () => domainsOf(name),
      (seen) => seen[0] === 'a - shut off',
    );
  });

  test.for(troubles)(
    'that is %s: the status is not written, until it is over',
    async (given, context) => {
      const [word, trouble] = given;
      const name = `status-${word}`;
      const place = await setup(context, 'run/status');
      place.describe(name);
      place.write(name, idleDocument('a'));
      const daemon = await place.start();
      await synced(daemon, name, ['a']);
      await until('the file says so', () => place.status(name)?.sync === 'Synced');
      await trouble.begin(place.at('run/status'));
      for (const [index, policy] of ['Manual', 'RerunOnFailure'].entries()) {
        place.write(name, idleDocument('a', [`runPolicy: ${policy}`]));
        await until(
          'it is accepted',
          () => daemon.lines('submission-accepted').length === index + 2,
        );
      }
      await until('it is said', () => daemon.lines('status-not-written').length > 0);
      await synced(daemon, name, ['a']);
      expect(place.status(name)?.generation).toBe(1);
      expect(daemon.lines('status-not-written')).toHaveLength(1);
      await trouble.end(place.at('run/status'));
      await until('the file is as it should be', () => place.status(name)?.generation === 3);
    },
  );
});
