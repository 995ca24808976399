/** `killed-apply.ts`, built as the product is: to compile it anew for each of some two hundred runs takes a minute. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type Ran, run, type Workplace } from './cli.ts';

export interface KilledProgram {
  /** Applies a workplace's documents, whatever they delete. @param killAt such as `3 before`; empty: never */
  apply(at: Workplace, killAt: string): Promise<Ran>;
  dispose(): void;
}

export async function killedProgram(): Promise<KilledProgram> {
  const folder = mkdtempSync(join(tmpdir(), 'unnest-killed-'));
  // Laid out as the package is, where it finds out its version.
  const program = join(folder, 'dist/bin/killed-apply.mjs');
  copyFileSync(join(import.meta.dirname, '../../package.json'), join(folder, 'package.json'));
  await build({
    entryPoints: [join(import.meta.dirname, 'killed-apply.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    // As in the product; nothing here loads it.
    external: ['koffi'],
    banner: {
      js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
    },
  });
  return {
    apply: (at, killAt) => {
      const argv = ['apply', '-f', at.documents, '--yes', '--delete-everything'];
      const environment = { ...at.environment, KILL_AT: killAt };
      return run(process.execPath, [program, ...argv], environment);
    },
    dispose: () => rmSync(folder, { recursive: true }),
  };
}
