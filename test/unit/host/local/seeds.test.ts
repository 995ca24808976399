import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { storeLayout } from '../../../../src/host/local/layout.ts';
import { localSeedReader, localSeeds } from '../../../../src/host/local/seeds.ts';
import type { SeedContent, SeedName } from '../../../../src/model/seed.ts';
import { describeSeedContract } from '../../../contract/seed-contract.ts';
import { installation, partition } from '../../../support/passes.ts';
import { cloudInit, seedFor } from '../../../support/seeds.ts';

const us = { installation, partition };
const never = new AbortController().signal;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'unnest-seeds-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true });
});

const placeOf = (name: SeedName, base = dir) => join(storeLayout(base, partition).seedsDir, name);

describeSeedContract('local files', async () => {
  const base = mkdtempSync(join(tmpdir(), 'unnest-seeds-'));
  return {
    seeds: localSeeds(base),
    view: { seeds: localSeedReader(base) },
    owner: us,
    makeForeign: async (name) => {
      mkdirSync(placeOf(name, base), { recursive: true });
      writeFileSync(join(placeOf(name, base), 'data'), 'of somebody');
    },
    leave: async (name, state) => {
      const path = join(placeOf(name, base), 'record.json');
      const record = JSON.parse(readFileSync(path, 'utf8')) as object;
      writeFileSync(path, JSON.stringify({ ...record, state }));
    },
    dispose: async () => rmSync(base, { recursive: true }),
  };
});

const secret = 'é "$(name)" `tab\t` and no end of line: hunter2';
const content = cloudInit('web', secret, { networkConfig: 'version: 2\n' });
const seed = seedFor('web', content);
const create = (made: SeedContent = content) =>
  localSeeds(dir).create(us, seedFor('web', made), made, never);
const isoPath = () => join(placeOf(seed.name), 'seed.iso');

/** As an independent reader of ISO 9660 has it. */
const extract = (file: string) => {
  const to = join(dir, 'extracted');
  rmSync(to, { force: true });
  const args = ['-no_rc', '-osirrox', 'on', '-indev', isoPath(), '-extract', `/${file}`, to];
  execFileSync('xorriso', args, { stdio: 'ignore' });
  return readFileSync(to, 'utf8');
};

describe('the disk of a seed', () => {
  test('has the label that cloud-init looks for, and the very bytes', async () => {
    await create();
    expect(readFileSync(isoPath()).subarray(32_808, 32_814).toString()).toBe('cidata');
    expect(extract('user-data')).toBe(secret);
    expect(extract('network-config')).toBe('version: 2\n');
    expect(extract('meta-data')).toContain('"local-hostname": "web"');
  });

  test('is read by nobody but its guest, whatever the umask, and nothing else is left', async () => {
    const before = process.umask(0);
    try {
      await create();
    } finally {
      process.umask(before);
    }
    expect(statSync(isoPath()).mode & 0o777).toBe(0o400);
    expect(readdirSync(placeOf(seed.name)).sort()).toEqual(['record.json', 'seed.iso']);
    expect(readFileSync(join(placeOf(seed.name), 'record.json'), 'utf8')).not.toContain('hunter2');
  });

  test("is at no moment of its making anybody else's to read", async () => {
    const before = process.umask(0);
    const modes = new Set<number>();
    const look = () => {
      for (const file of ['seed.iso', 'user-data', 'network-config', 'meta-data']) {
        const stats = statSync(join(placeOf(seed.name), file), { throwIfNoEntry: false });
        if (stats !== undefined) modes.add(stats.mode & 0o077);
      }
    };
    // As often as there is time, while xorriso runs.
    const watching = setInterval(look, 1);
    try {
      await create();
    } finally {
      clearInterval(watching);
      process.umask(before);
    }
    look();
    expect([...modes]).toEqual([0]);
  });

  test('is the same, byte by byte, whenever it is made', async () => {
    await create();
    const first = readFileSync(isoPath());
    await localSeeds(dir).delete(us, seed.name, never);
    await new Promise((done) => setTimeout(done, 1100));
    await create();
    expect(readFileSync(isoPath()).equals(first)).toBe(true);
  });

  test('whose making was broken off leaves no part of the secret', async () => {
    const folder = placeOf(seed.name);
    await create();
    await localSeeds(dir).delete(us, seed.name, never);
    mkdirSync(folder);
    // As a crash leaves it.
    writeFileSync(join(folder, 'user-data'), secret);
    writeFileSync(join(folder, 'seed.iso'), '');
    const record = { formatVersion: 1, kind: 'seed', state: 'creating', ...us };
    const text = JSON.stringify({ ...record, name: seed.name, form: 'cloud-init' });
    writeFileSync(join(folder, 'record.json'), text);
    await create();
    expect(readdirSync(folder).sort()).toEqual(['record.json', 'seed.iso']);
    writeFileSync(join(folder, 'user-data'), secret);
    await localSeeds(dir).delete(us, seed.name, never);
    expect(existsSync(folder)).toBe(false);
  });

  test('that somebody has taken away is made over', async () => {
    await create();
    rmSync(isoPath());
    const seen = await localSeedReader(dir).read(partition, seed.name, never);
    expect(seen).toMatchObject({ status: 'present', value: { state: 'deleting', sizeBytes: 0 } });
    await localSeeds(dir).delete(us, seed.name, never);
    await create();
    expect(extract('user-data')).toBe(secret);
  });
});
