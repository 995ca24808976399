import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/**
 * Two projects. `unit` runs anywhere. `integration` talks to the real libvirtd that
 * `test/support/rig.sh` starts, and fails, rather than skips, where there is none. The lab has a
 * configuration of its own, `test/lab/vitest.config.ts`.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const project = (name: string, include: string[], extra: object = {}) => ({
  // A second is what vitest gives, and too short for a machine that has other work.
  test: { name, root, include, expect: { poll: { timeout: 15_000 } }, ...extra },
});

export default defineConfig({
  test: {
    root,
    projects: [
      project(
        'unit',
        ['test/unit/**/*.test.ts', 'test/property/**/*.test.ts', 'test/scenarios/**/*.test.ts'],
        // None of them waits for anything: whoever is late shares the machine.
        { testTimeout: 60_000, hookTimeout: 60_000 },
      ),
      project('integration', ['test/integration/**/*.test.ts'], {
        testTimeout: 300_000,
        hookTimeout: 300_000,
        fileParallelism: false,
      }),
    ],
  },
});
