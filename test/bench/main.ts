/**
 * `npm run bench -- [--only NAME]... [--json FILE]`: enters the rig, and is then run once more
 * inside it, beside a libvirtd without a domain.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

if (process.env['UNNEST_RIG'] === '1') {
  // Only loadable in the rig, and only once everything has been built.
  const { bench } = await import('./bench.ts');
  await bench(process.argv.slice(2));
} else {
  const rig = fileURLToPath(new URL('../support/rig.sh', import.meta.url));
  const self = [process.execPath, '--import', 'tsx', ...process.argv.slice(1)];
  const { status } = spawnSync(rig, self, { stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
