/**
 * The disk by which cloud-init's NoCloud learns what it is to do: ISO 9660 with the label `cidata`,
 * long names by Joliet and Rock Ridge, made by xorriso. The same content gives the same bytes.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PartitionOwner } from '../../model/identity.ts';
import { metaDataOf, secondaryOf, type SeedContent, type SeedName } from '../../model/seed.ts';
import { HostError } from '../host-error.ts';
import { makeEmpty, withFile } from './disk-file.ts';
import { runProgram } from './run-program.ts';

/** What stands in the folder while the disk is made. A crash leaves them, and they go with it. */
export const SEED_SOURCES = ['user-data', 'meta-data', 'network-config'] as const;

const label = 'cidata';

/** Some hundred KiB, in some milliseconds; a disk that hangs is not to hold up everything. */
const timeLimitMs = 60_000;
/** Of every file and descriptor in it: the same at all times. */
const date = '2020010100000000';

export interface SeedDisk {
  readonly owner: PartitionOwner;
  readonly name: SeedName;
  /** It is made as large as this, with zeroes behind what is in it. */
  readonly sizeBytes: number;
  readonly content: Extract<SeedContent, { readonly form: 'cloud-init' }>;
}

/** @param folder one that nobody else writes to */
export async function makeSeedDisk(
  folder: string,
  disk: string,
  { owner, name, sizeBytes, content }: SeedDisk,
  signal: AbortSignal,
): Promise<void> {
  const { userData, networkConfig } = content;
  const metaData = metaDataOf({ ...owner, secondary: secondaryOf(name) }, content);
  const files = new Map([
    ['user-data', userData],
    ['meta-data', metaData],
    ...(networkConfig === null ? [] : [['network-config', networkConfig] as const]),
  ]);
  // xorriso would make it readable to everybody.
  await (await makeEmpty(disk)).close();
  for (const [file, text] of files) await writeSource(join(folder, file), text);
  await xorriso(folder, disk, [...files.keys()], signal);
  for (const file of files.keys()) await rm(join(folder, file));
  await withFile(disk, 'write', async (file, madeBytes) => {
    if (madeBytes === 0 || madeBytes > sizeBytes) {
      throw new HostError(
        'Refused',
        `the disk of seed ${name} has ${madeBytes} bytes, of at most ${sizeBytes}`,
      );
    }
    await file.truncate(sizeBytes);
    await file.chmod(0o400);
    await file.sync();
  });
}

async function writeSource(path: string, text: string): Promise<void> {
  const file = await makeEmpty(path);
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}

/** No name in it is a guest's: those of files are fixed, and the folder's is a digest. */
async function xorriso(
  folder: string,
  disk: string,
  files: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  // `-no_rc`: neither of whoever runs it nor of this machine.
  const form = ['-quiet', '-volid', label, '-joliet', '-rational-rock', '-no-pad'];
  const dates = [`--modification-date=${date}`, '--set_all_file_dates', date];
  const content = files.map((file) => `${file}=${join(folder, file)}`);
  await runProgram({
    command: 'xorriso',
    args: ['-no_rc', '-as', 'mkisofs', ...form, ...dates, '-o', disk, '-graft-points', ...content],
    remedy: 'install xorriso (apt-get install xorriso)',
    timeLimitMs,
    outputBytesMax: 65_536,
    signal,
  });
}
