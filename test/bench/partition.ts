/** Partitions of many small Secondaries, with their documents, on the libvirtd of the rig. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PartitionName } from '../../src/model/names.ts';
import { libvirt } from './built.ts';
import { type Program, runProgram, unnest } from './program.ts';

/** As `test/support/rig.sh` gives them. */
function rigDirectories() {
  const { UNNEST_RIG, UNNEST_STATE_DIR: stateDir, UNNEST_GUEST_KIT: guestKit } = process.env;
  if (UNNEST_RIG !== '1' || stateDir === undefined || guestKit === undefined) {
    throw new Error('the bench needs the rig: run it by `npm run bench`, as root');
  }
  return { stateDir, guestKit };
}

export interface Wanted {
  readonly count: number;
  readonly runPolicy: 'Halted' | 'Always';
}

export interface Partition {
  readonly name: PartitionName;
  readonly stateDir: string;
  /** The folder of the files that its documents name. */
  readonly files: string;
  /** Writes the documents, and nothing else. */
  write(wanted: Wanted): void;
  readonly plan: Program;
  readonly apply: Program;
  /** The documents on the host: `apply`, and a look that nothing is left to do. */
  converge(wanted: Wanted): Promise<void>;
}

export function makePartition(name: string): Partition {
  const { stateDir, guestKit } = rigDirectories();
  const documents = join(stateDir, `${name}-documents`);
  const files = join(stateDir, name, 'files');
  for (const path of [documents, files]) mkdirSync(path, { recursive: true });
  for (const file of ['vmlinuz', 'initrd.img']) {
    copyFileSync(join(guestKit, file), join(files, file));
  }
  const given = ['-f', documents, '--partition', name, '--state-dir', stateDir];
  const partition: Partition = {
    // Only ever given as a literal, and one that is well formed.
    name: name as PartitionName,
    stateDir,
    files,
    write: (wanted) => writeFileSync(join(documents, 'secondaries.yaml'), documentsOf(wanted)),
    plan: unnest('plan', ...given),
    apply: unnest('apply', ...given, '--yes'),
    async converge(wanted) {
      partition.write(wanted);
      (await runProgram(partition.apply))();
      requireConverged((await runProgram(partition.plan))(), wanted.count);
    },
  };
  return partition;
}

/** @throws Error unless a plan says that these are all there is, and all as they should be. */
export function requireConverged(planText: string, count: number): void {
  if (planText === `No changes: ${count} unchanged.\n`) return;
  const end = planText.trimEnd().split('\n').slice(-3).join(' / ');
  throw new Error(`expected a plan without changes for ${count} Secondaries, but it ends: ${end}`);
}

export function secondaryName(index: number): string {
  return `vm-${String(index).padStart(5, '0')}`;
}

export function documentsOf({ count, runPolicy }: Wanted): string {
  return Array.from({ length: count }, (_, index) => documentOf(index, runPolicy)).join('---\n');
}

function documentOf(index: number, runPolicy: Wanted['runPolicy']): string {
  const name = secondaryName(index);
  return `apiVersion: unnest.dev/v1
kind: Secondary
metadata:
  name: ${name}
spec:
  vcpus: 1
  memory: 128MiB
  boot:
    kernel:
      file: vmlinuz
      initrd: initrd.img
      commandLine: console=ttyS0 quiet unnest.name=${name}
  runPolicy: ${runPolicy}
`;
}

/** Stops and undefines whatever libvirtd has, without a word of unnest. */
export async function removeDomains(): Promise<void> {
  const connection = await libvirt.connect();
  try {
    const { domains } = connection;
    const active = await domains.list({ active: true });
    await Promise.all(active.map((each) => domains.destroy(each)));
    const all = await domains.list();
    await Promise.all(all.map((each) => domains.undefine(each)));
  } finally {
    connection.close();
  }
}
