/** The files of this machine do what every host's storage must. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localImageReader, localImages } from '../../../../src/host/local/images.ts';
import { localIntakes } from '../../../../src/host/local/intakes.ts';
import { storeLayout } from '../../../../src/host/local/layout.ts';
import { localVolumeReader, localVolumes } from '../../../../src/host/local/volumes.ts';
import { describeIntakeContract } from '../../../contract/intake-contract.ts';
import { describeStorageContract } from '../../../contract/storage-contract.ts';
import { installation, partition } from '../../../support/passes.ts';

describeStorageContract('local files', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'unnest-storage-'));
  // As QEMU has to get there, and the sandbox.
  chmodSync(dir, 0o755);
  const layout = storeLayout(dir, partition);
  const { volumesDir, imagesDir } = layout;
  mkdirSync(layout.filesDir, { recursive: true });
  const folderOf = (kind: 'volume' | 'image', name: string) =>
    join(kind === 'volume' ? volumesDir : imagesDir, name);
  return {
    volumes: localVolumes(dir),
    images: localImages(dir),
    view: { volumes: localVolumeReader(dir), images: localImageReader(dir) },
    owner: { installation, partition },
    readsHeaders: true,
    putFile: async (name, content) => writeFileSync(layout.file(name), content),
    makeForeign: async (kind, name) => {
      mkdirSync(folderOf(kind, name), { recursive: true });
      writeFileSync(join(folderOf(kind, name), 'data'), 'of somebody');
    },
    leave: async (kind, name, state) => {
      const path = join(folderOf(kind, name), 'record.json');
      const record = JSON.parse(readFileSync(path, 'utf8')) as object;
      writeFileSync(path, JSON.stringify({ ...record, state }));
    },
    dispose: async () => rmSync(dir, { recursive: true }),
  };
});

describeIntakeContract('local files', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'unnest-storage-'));
  chmodSync(dir, 0o755);
  return {
    intakes: localIntakes(dir),
    images: localImages(dir),
    owner: { installation, partition },
    dispose: async () => rmSync(dir, { recursive: true }),
  };
});
