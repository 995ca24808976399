import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { SecondaryName } from '../../../src/model/names.ts';
import {
  digestIn,
  metaDataOf,
  secondaryOf,
  type SeedContent,
  seedName,
  seedNamed,
  type SeedName,
} from '../../../src/model/seed.ts';
import { secondaryUuid } from '../../../src/model/identity.ts';
import { installation, partition } from '../../support/passes.ts';
import { cloudInit, seedFor } from '../../support/seeds.ts';

const web = 'web' as SecondaryName;
const owner = { installation, partition, secondary: web };
const digits = 'a'.repeat(64);

describe('the name of a seed', () => {
  test('says whose it is, and its digest', () => {
    const name = seedName(`web-0.${digits}`) as SeedName;
    expect([secondaryOf(name), digestIn(name)]).toEqual(['web-0', `sha256:${digits}`]);
    expect(seedNamed('web-0' as SecondaryName, digestIn(name))).toBe(name);
  });

  test.each([
    `web.${digits}0`,
    `web.${digits.slice(1)}`,
    `web.${digits.toUpperCase()}`,
    `.${digits}`,
    `../web.${digits}`,
    `web/.${digits}`,
    `-web.${digits}`,
    digits,
  ])('is none: %s', (text) => {
    expect(seedName(text)).toBeUndefined();
  });

  test.each([null, '/somewhere (edited)', 'sha256:abc'])('nothing has the digest %s', (digest) => {
    expect(seedNamed(web, digest)).toBeNull();
  });
});

describe('a seed', () => {
  const base = { networkConfig: 'version: 2', sshAuthorizedKeys: ['ssh-ed25519 AAAA'] };
  const contents: readonly SeedContent[] = [
    cloudInit('web', 'x'),
    cloudInit('web', 'y'),
    cloudInit('db', 'x'),
    cloudInit('web', 'x', base),
    cloudInit('web', 'x', { ...base, networkConfig: '' }),
    cloudInit('web', 'x', { ...base, sshAuthorizedKeys: [] }),
    cloudInit('web', 'version: 2', { networkConfig: 'x' }),
    cloudInit('web', 'x', { sshAuthorizedKeys: ['a', 'b'] }),
    cloudInit('web', 'x', { sshAuthorizedKeys: ['b', 'a'] }),
    { form: 'ignition', config: 'x' },
    { form: 'ignition', config: 'y' },
  ];

  test('has another name for everything that differs, and the same for the same', () => {
    const names = contents.map((content) => seedFor('web', content).name);
    expect(new Set(names).size).toBe(contents.length);
    expect(contents.map((content) => seedFor('web', content).name)).toEqual(names);
  });

  test('of Ignition has the digest and the size that `sha256sum` and `wc -c` say', () => {
    const config = '{"é":1}';
    const { name, sizeBytes } = seedFor('web', { form: 'ignition', config });
    expect(name).toBe(`web.${createHash('sha256').update(config).digest('hex')}`);
    expect(sizeBytes).toBe(8);
  });

  test('has no part of a secret in its name or size but how long it is', () => {
    const secret = 'hunter2hunter2';
    const seed = seedFor('web', cloudInit('web', secret));
    expect(JSON.stringify(seed)).not.toContain(secret);
    expect(seed.sizeBytes).toBe(seedFor('web', cloudInit('web', 'other')).sizeBytes);
  });
});

test('cloud-init is told an instance that stays the same, a name and keys', () => {
  const content = { ...cloudInit('web.lab', ''), form: 'cloud-init' as const };
  const read = (text: string): unknown => JSON.parse(text);
  expect(read(metaDataOf(owner, { ...content, sshAuthorizedKeys: ['k'] } as never))).toEqual({
    'instance-id': secondaryUuid(owner),
    'local-hostname': 'web.lab',
    'public-keys': ['k'],
  });
});
