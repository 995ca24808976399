/**
 * Import of a qcow2 with 1 GiB in it, from a file of the store: copied, hashed, looked into and written
 * out anew in the sandbox, and on the disk when it is done. Beside it, what nobody who takes an image
 * out of foreign hands can do without: sha256sum, qemu-img convert, fsync. On a real disk, where the
 * rig's own folders are in memory.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { storeLayout } from '../../../src/host/local/layout.ts';
import { localImages } from '../../../src/host/local/images.ts';
import type { FileName, ImageName, PartitionName } from '../../../src/model/names.ts';
import type { Image } from '../../../src/model/volume.ts';
import { newInstallationId } from '../../../src/host/local/installation.ts';
import { subject, takeTurns } from '../measure.ts';
import { type Row, rowOf } from '../row.ts';

const bytes = 2 ** 30;
const never = new AbortController().signal;

export async function imageImport(): Promise<readonly Row[]> {
  const dir = mkdtempSync('/var/tmp/unnest-bench-image-');
  chmodSync(dir, 0o755);
  try {
    return await measuredIn(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

async function measuredIn(dir: string): Promise<readonly Row[]> {
  const owner = { installation: newInstallationId(), partition: 'team-a' as PartitionName };
  const layout = storeLayout(dir, owner.partition);
  mkdirSync(layout.filesDir, { recursive: true });
  const supplied = layout.file('image');
  makeFull(dir, supplied);
  const sum = () => execFileSync('sha256sum', [supplied], { encoding: 'utf8' }).slice(0, 64);
  const name = 'image' as ImageName;
  const source = { kind: 'file', file: 'image' as FileName } as const;
  const common = { name, format: 'qcow2', source } as const;
  const image: Image = { ...common, digest: `sha256:${sum()}`, virtualBytesMax: null };
  const images = localImages(dir);
  const disk = layout.imageFile(name, 'qcow2');
  const ours = subject('import', () => images.import(owner, image, never), {
    check: () => {
      if (statSync(disk).size < bytes) throw new Error('it was not imported');
    },
    after: () => images.delete(owner, name, never),
  });
  const copy = join(dir, 'copy');
  const bare = (...options: readonly string[]) =>
    subject(
      'bare',
      () => {
        sum();
        const formats = ['-f', 'qcow2', '-O', 'qcow2'];
        execFileSync('qemu-img', ['convert', ...options, ...formats, supplied, copy]);
        execFileSync('sync', [copy]);
      },
      { after: async () => rmSync(copy) },
    );
  const subjects = [ours, bare(), bare('-W')];
  const [imported, converted, fast] = await takeTurns(subjects, { count: 5, warmUps: 1 });
  if (!imported || !converted || !fast) throw new Error('nothing was measured');
  const target = { of: 'ratio', max: 1.25 } as const;
  return [
    rowOf(
      { name: 'image-import of 1 GiB', samples: imported, target },
      { name: 'sha256sum, qemu-img convert, fsync', samples: converted },
    ),
    rowOf(
      { name: 'image-import of 1 GiB', samples: imported },
      { name: 'the same with convert -W', samples: fast },
    ),
  ];
}

/** Bytes that nothing compresses, and of which none are zeroes. */
function makeFull(dir: string, to: string): void {
  const raw = join(dir, 'raw');
  const script = `openssl enc -aes-128-ctr -pass pass:x -nosalt </dev/zero 2>/dev/null | head -c ${bytes} >${raw}`;
  execFileSync('sh', ['-c', script]);
  execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, to]);
  rmSync(raw);
}
