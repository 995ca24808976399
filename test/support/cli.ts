/** Runs the built program as a user would, in a partition and a state directory of the test's own. */
import { execFile, spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const program = fileURLToPath(new URL('../../dist/bin/unnest.js', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Workplace {
  readonly partition: string;
  readonly stateDir: string;
  readonly documents: string;
  /** Runs `unnest ARGS` with this workplace's partition and state directory. */
  readonly unnest: (...args: readonly string[]) => Promise<Ran>;
  readonly start: (...args: readonly string[]) => ReturnType<typeof spawn>;
  /** Replaces the documents, and makes the empty disks that they name. */
  readonly write: (text: string) => void;
  readonly environment: NodeJS.ProcessEnv;
  readonly dispose: () => Promise<void>;
}

/** @param partition also the names of domains: `unnest.PARTITION.NAME` */
export function workplace(partition: string): Workplace {
  const stateDir = mkdtempSync(join(tmpdir(), 'unnest-'));
  // As QEMU has to get there, and the sandbox.
  chmodSync(stateDir, 0o755);
  const documents = join(stateDir, 'documents.yaml');
  const files = join(stateDir, partition, 'files');
  const kit = process.env['UNNEST_GUEST_KIT'] ?? '';
  mkdirSync(files, { recursive: true });
  for (const file of ['vmlinuz', 'initrd.img']) copyFileSync(join(kit, file), join(files, file));
  const environment = {
    ...process.env,
    UNNEST_STATE_DIR: stateDir,
    UNNEST_PARTITION: partition,
    NO_COLOR: '1',
  };
  const unnest = (...args: readonly string[]) =>
    run(process.execPath, [program, ...args], environment);
  return {
    partition,
    stateDir,
    documents,
    environment,
    unnest,
    start: (...args) => spawn(process.execPath, [program, ...args], { env: environment }),
    write: (text) => {
      writeFileSync(documents, text);
      for (const [, file = ''] of text.matchAll(/file: (\S+\.img), format/g)) {
        writeFileSync(join(files, file), '', { flag: 'a' });
        truncateSync(join(files, file), 2 ** 20);
      }
    },
    dispose: async () => {
      await unnest('destroy', '--all', '--yes', '--grace-period', '0');
      rmSync(stateDir, { recursive: true });
    },
  };
}

export function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Ran> {
  return new Promise((done) => {
    const options = { env, maxBuffer: 64 * 2 ** 20, timeout: 110_000 };
    execFile(command, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      done({ code, stdout, stderr });
    });
  });
}

/** `virsh` as an independent witness, or as somebody who changes things behind unnest's back. */
export async function virsh(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run('virsh', ['--quiet', ...args]);
  if (code !== 0) throw new Error(`virsh ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

/**
 * A document for a guest that halts in its BIOS, since its disk is empty: it runs, as far as libvirt
 * is concerned, and costs nothing. `more` is further lines of its `spec`.
 */
export function idleDocument(name: string, more: readonly string[] = []): string {
  return documentOf(name, [`disk: { file: ${name}.img, format: raw }`], more);
}

/** A document for a guest of the guest kit, which really boots. */
export function guestDocument(name: string, more: readonly string[] = []): string {
  const commandLine = `console=ttyS0 quiet unnest.name=${name}`;
  const kernel = `kernel: { file: vmlinuz, initrd: initrd.img, commandLine: "${commandLine}" }`;
  return documentOf(name, [kernel], more);
}

function documentOf(name: string, boot: readonly string[], more: readonly string[]): string {
  return [
    '---',
    'apiVersion: unnest.dev/v1',
    'kind: Secondary',
    `metadata: { name: ${name} }`,
    'spec:',
    '  vcpus: 1',
    '  memory: 128MiB',
    '  terminationGracePeriodSeconds: 0',
    '  boot:',
    ...boot.map((line) => `    ${line}`),
    ...more.map((line) => `  ${line}`),
    '',
  ].join('\n');
}
