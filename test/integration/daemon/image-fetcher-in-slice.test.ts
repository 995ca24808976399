/** The real fetcher in a real control group (cgroup v2): what it takes is its partition's. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { imageFetcher } from '../../../src/daemon/machine/image-fetcher.ts';
import { localInstallation, newInstallationId } from '../../../src/host/local/installation.ts';
import { localSlices, machineSlices } from '../../../src/host/local/slices.ts';
import { localFetchPlaces } from '../../../src/host/local/worker-places.ts';
import { systemFolders } from '../../../src/host/sandbox/programs.ts';
import { slicePath } from '../../../src/model/identity.ts';
import type { PartitionName } from '../../../src/model/names.ts';
import { type ImageServer, imageServer } from '../../support/image-server.ts';
import { unlimited } from '../../support/unlimited-slice.ts';
import { sandboxedBelow, temporaryFolder } from './sandboxed.ts';

const never = new AbortController().signal;
const partition = 'team-a' as PartitionName;
const installation = newInstallationId();
const ref = { path: slicePath({ installation, partition }) };
const folder = temporaryFolder();
const root = join(folder.path, 'cgroup');
const places = { ...machineSlices, root, systemd: '/nonexistent' };
const slices = localSlices(folder.path, places);
const group = `/unnest.partition/${ref.path.split('/').at(-1)}.partition/fetch`;
const program = new URL('../../../dist/bin/unnest-fetcher.js', import.meta.url).pathname;
let server: ImageServer;

beforeAll(async () => {
  expect(process.env['UNNEST_RIG']).toBe('1');
  if (!existsSync(program)) throw new Error('dist/ is not built: npm run build');
  server = await imageServer();
  mkdirSync(root);
  execFileSync('mount', ['--no-mtab', '-t', 'cgroup2', 'cgroup2', root]);
  await localInstallation(folder.path).record(installation);
  await slices.apply(ref, unlimited, never);
});
afterAll(async () => {
  await server.close();
  try {
    rmdirSync(join(root, 'unnest.partition'));
  } catch {
    // Others have slices of their own there.
  }
  execFileSync('umount', [root]);
  folder.remove();
});

test('fetches in the slice of its partition, as nobody, and is gone when the slice goes', async () => {
  const fetcher = imageFetcher({
    program,
    folders: systemFolders,
    places: localFetchPlaces(folder.path, places),
    caFile: server.caFile,
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
  });
  server.answer((_request, response) => {
    response.writeHead(200, { 'content-length': 10 });
    response.write('half');
  });
  const ending = new AbortController();
  const where: (string | undefined)[] = [];
  const taker = {
    begins: () => undefined,
    take: async () => {
      for (const { pid, status } of sandboxedBelow(process.pid)) {
        where.push(/^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1]);
        where.push(status.get('Uid')?.split('\t')[0]);
        where.push(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim());
      }
      await expect(slices.remove(ref, never)).rejects.toMatchObject({ code: 'Refused' });
      ending.abort();
    },
  };
  const url = { host: 'mirror.test', port: server.port, target: '/' };
  const request = { partition, url, privateAddresses: true, atByte: 0, sizeBytes: 10 };
  await fetcher(request, taker, ending.signal);
  expect(where).toEqual([group, '65534', '1000']);
  await slices.remove(ref, never);
  expect(await slices.find(ref, never)).toEqual({ status: 'absent' });
});
