/**
 * Run inside the lab's host: what every store must do, of a thin pool. A program of one argument, the volume group, in which
 * there is a thin pool `thin`; a second one says which cases.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localImageReader, localImages } from '../../../src/host/local/images.ts';
import { storeLayout } from '../../../src/host/local/layout.ts';
import { localVolumeReader, localVolumes } from '../../../src/host/local/volumes.ts';
import { logicalVolumeName } from '../../../src/model/thin-pool.ts';
import type { VolumeName } from '../../../src/model/names.ts';
import { describeStorageContract } from '../../contract/storage-contract.ts';
import { installation, partition } from '../../support/passes.ts';
import { runTests } from './test-words.ts';

const [group = '', only = ''] = process.argv.slice(2);
const thinPool = { group, pool: 'thin' };

describeStorageContract(
  'a thin pool',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'unnest-storage-'));
    chmodSync(dir, 0o755);
    const layout = storeLayout(dir, partition);
    mkdirSync(layout.filesDir, { recursive: true });
    const folderOf = (kind: 'volume' | 'image', name: string) =>
      join(kind === 'volume' ? layout.volumesDir : layout.imagesDir, name);
    return {
      volumes: localVolumes(dir, { thinPool }),
      images: localImages(dir),
      view: { volumes: localVolumeReader(dir, { thinPool }), images: localImageReader(dir) },
      owner: { installation, partition },
      readsHeaders: true,
      putFile: async (name, content) => writeFileSync(layout.file(name), content),
      makeForeign: async (kind, name) => {
        if (kind === 'image') {
          mkdirSync(folderOf(kind, name), { recursive: true });
          writeFileSync(join(folderOf(kind, name), 'data'), 'of somebody');
          return;
        }
        // Somebody's, that has a name like ours and no tag.
        const own = logicalVolumeName(partition, name as VolumeName);
        const args = ['--type', 'thin', '--thinpool', 'thin', '--virtualsize', '4M', '--name', own];
        execFileSync('lvm', ['lvcreate', ...args, group], { stdio: 'ignore' });
      },
      leave: async (kind, name, state) => {
        const path = join(folderOf(kind, name), 'record.json');
        const record = JSON.parse(readFileSync(path, 'utf8')) as object;
        writeFileSync(path, JSON.stringify({ ...record, state }));
      },
      dispose: async () => {
        rmSync(dir, { recursive: true });
        const ours = execFileSync('lvm', ['lvs', '--noheadings', '-o', 'lv_name', group], {
          encoding: 'utf8',
        });
        for (const name of ours.split(/\s+/).filter((each) => each.startsWith('unnest.'))) {
          execFileSync('lvm', ['lvremove', '--yes', `${group}/${name}`], { stdio: 'ignore' });
        }
      },
    };
  },
  'raw',
);

await runTests(only);
process.exit();
