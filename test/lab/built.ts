/** What the lab is made of: each part is made where it is missing, and kept by what it is made of. */
import { execFileSync } from 'node:child_process';
import { buildSync } from 'esbuild';
import type { Accelerator } from './machine/qemu.ts';
import type { Built } from './states.ts';

const kvmWorks = 'test/support/kvm-works.sh';

export function build(): Built {
  return {
    accelerator: accelerator(),
    image: printed('test/lab/image/build.sh'),
    tarball: printed('test/lab/image/pack.sh'),
  };
}

/** The folder of the other image, made at the first question. */
export function newKernelImage(): string {
  return printed('test/lab/image/build.sh', ['backports']);
}

/** What was at a commit of this clone's history, packed. */
export function packed(commit: string): string {
  return printed('test/lab/image/pack.sh', [commit]);
}

/**
 * A program of ours as one file, for the lab's host, where unnest's own dependencies are. A contract's tests speak there
 * with words of ours.
 */
export function bundled(entry: string): Buffer {
  const { outputFiles } = buildSync({
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['koffi'],
    alias: { vitest: './test/lab/inside/test-words.ts' },
    write: false,
  });
  return Buffer.from(outputFiles[0]!.contents);
}

function accelerator(): Accelerator {
  try {
    execFileSync(kvmWorks, { stdio: ['ignore', 'ignore', 'inherit'] });
    return 'kvm';
  } catch {
    return 'tcg';
  }
}

function printed(script: string, args: readonly string[] = []): string {
  return execFileSync(script, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim();
}
