/** What guests of tests are told at their first boot. */
import type { SecondaryName } from '../../src/model/names.ts';
import {
  type ObservedSeed,
  type Seed,
  type SeedContent,
  seedOf,
  type SeedName,
} from '../../src/model/seed.ts';
import { installation, partition } from './passes.ts';

export function cloudInit(
  hostname: string,
  userData: string,
  more: Partial<Extract<SeedContent, { readonly form: 'cloud-init' }>> = {},
): SeedContent {
  return {
    form: 'cloud-init',
    userData,
    networkConfig: null,
    hostname,
    sshAuthorizedKeys: [],
    ...more,
  };
}

export function seedFor(name: string, content: SeedContent): Seed {
  return seedOf(name as SecondaryName, content);
}

/** Two of each form, for each name: what chance gives to guests. */
export const anySeedContents: readonly SeedContent[] = [
  cloudInit('host', '#cloud-config\npassword: one\n'),
  cloudInit('host', '#cloud-config\npassword: two\n'),
  { form: 'ignition', config: '{"ignition":{"version":"3.4.0"}}' },
];

export function contentsFor(names: readonly string[]): ReadonlyMap<SeedName, SeedContent> {
  return new Map(
    names.flatMap((name) =>
      anySeedContents.map((content) => [seedFor(name, content).name, content] as const),
    ),
  );
}

/** Ours and ready, where nothing else is said. */
export function observedSeed(seed: Seed, parts: Partial<ObservedSeed> = {}): ObservedSeed {
  return { ...seed, owner: { installation, partition }, state: 'ready', ...parts };
}
