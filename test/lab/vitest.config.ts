import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** A whole host as a VM. Not one of the projects of `npm test`, so that nobody starts it by leaving out a filter. */
export default defineConfig({
  test: {
    name: 'lab',
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/lab/**/*.test.ts'],
  },
});
