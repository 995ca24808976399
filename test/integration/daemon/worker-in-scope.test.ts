/** The real worker under a real systemd, though a user's: who runs where, the kernel tells. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { secondaryDocument } from '../../unit/documents/parsing.ts';
import { temporaryFolder } from './sandboxed.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = temporaryFolder();
const script = join(folder.path, 'in-scope.mjs');
afterAll(() => folder.remove());

/** What is run beside that systemd: it reads documents before there is a slice, and after. */
const contents = `
  import { execFileSync } from 'node:child_process';
  import { existsSync, readFileSync } from 'node:fs';
  import { join } from 'node:path';
  import { workerSpawner } from './src/daemon/machine/spawn-worker.ts';
  import { systemFolders } from './src/host/sandbox/programs.ts';
  import { machineClock, machineTimers } from './src/daemon/machine/time.ts';
  import { openDocumentParser } from './src/daemon/worker/document-parser.ts';
  import { localInstallation, newInstallationId } from './src/host/local/installation.ts';
  import { localWorkerPlaces } from './src/host/local/worker-places.ts';
  import { slicePath } from './src/model/identity.ts';
  import { sandboxedBelow } from './test/integration/daemon/sandboxed.ts';

  const [program, stateDir, text] = process.argv.slice(2);
  const shim = process.env.UNNEST_SHIM;
  const never = new AbortController().signal;
  const installation = newInstallationId();
  await localInstallation(stateDir).record(installation);
  const name = slicePath({ installation, partition: 'team-a' }).split('/').at(-1);
  const slice = 'unnest-' + name + '.slice';
  const opened = (folders) => openDocumentParser(
    workerSpawner({ program, folders }),
    localWorkerPlaces(stateDir),
    { clock: machineClock, timers: machineTimers, random: () => 0 },
  );
  const parser = opened([shim, ...systemFolders]);
  const parse = async () => {
    const answer = await parser.parse('team-a', [{ path: 'a.yaml', text }], never);
    const workers = sandboxedBelow(process.pid).map(({ pid }) => ({
      group: /^0::(.*)$/m.exec(readFileSync('/proc/' + pid + '/cgroup', 'utf8'))[1],
      oom: readFileSync('/proc/' + pid + '/oom_score_adj', 'utf8').trim(),
    }));
    return { status: answer.status, workers };
  };
  const before = await parse();
  // It stays when whoever has made it is gone.
  execFileSync(join(shim, 'systemd-run'), ['--scope', '--quiet', '--slice=' + slice, '/bin/true']);
  const after = await parse();
  const [worker] = after.workers;
  await parser.close();
  const left = existsSync('/sys/fs/cgroup' + worker.group);
  const refused = opened([process.argv[5], ...systemFolders]);
  const failed = await refused.parse('team-a', [{ path: 'a.yaml', text }], never);
  await refused.close();
  process.stdout.write(JSON.stringify({ slice, before, after, left, failed }));
`;

beforeAll(() =>
  build({
    stdin: { contents, resolveDir: root },
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    // For packages that are not modules yet.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
  }),
);

test('is in a scope of the slice as soon as there is one, and nowhere if it cannot be', async () => {
  // A systemd-run that nobody answers: not the shim, which knows where that systemd is.
  const program = join(root, 'dist/bin/unnest-worker.js');
  const { stdout } = await promisify(execFile)(join(root, 'test/support/user-systemd.sh'), [
    process.execPath,
    script,
    program,
    folder.path,
    secondaryDocument('web'),
    '/usr/bin',
  ]);
  const { slice, before, after, left, failed } = JSON.parse(stdout);
  expect(before).toEqual({ status: 'parsed', workers: [{ group: '/init.scope', oom: '1000' }] });
  const scope = expect.stringMatching(
    new RegExp(`^/unnest\\.slice/${slice}/unnest-worker-[0-9a-f]{8}\\.scope$`),
  );
  expect(after).toEqual({ status: 'parsed', workers: [{ group: scope, oom: '1000' }] });
  expect(left).toBe(false);
  expect(failed).toMatchObject({
    status: 'failed',
    code: 'Outside',
    message: expect.stringMatching(/not brought into \/unnest\/p.*: Failed to/),
  });
});
