/** Whatever program the build makes is in the package. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('the package holds every program that is built', () => {
  const path = new URL('../../../package.json', import.meta.url);
  const { files, scripts } = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly files: readonly string[];
    readonly scripts: { readonly build: string };
  };
  const built = [...scripts.build.matchAll(/src\/(bin\/[a-z-]+)\.ts/g)].map(
    ([, name]) => `dist/${name}.js`,
  );
  expect(built.length).toBeGreaterThan(2);
  expect(files).toEqual(expect.arrayContaining(built));
});
