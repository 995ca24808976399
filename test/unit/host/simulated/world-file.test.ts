/** What is kept in a file is all there is of a simulated host, so nothing of it may be lost. */
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { simulatedHost } from '../../../../src/host/simulated/host.ts';
import { emptyWorld } from '../../../../src/host/simulated/world.ts';
import { keepInFile } from '../../../../src/host/simulated/world-file.ts';
import { parseWorld, worldText } from '../../../../src/host/simulated/world-text.ts';
import { fieldsOf } from '../../../../src/model/domain.ts';
import { anyWorld, runs } from '../../../property/arbitraries.ts';
import { installation, secondary } from '../../../support/passes.ts';
import { ownerOf, refOf } from '../../../support/simulation.ts';

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'unnest-sim-'));
  file = join(dir, 'host.json');
});
afterEach(() => rmSync(dir, { recursive: true }));

const { signal } = new AbortController();
const platform = { domainType: 'kvm', machine: 'q35' };
const definitionOf = (name: string) => ({
  ...refOf(name),
  owner: ownerOf(name),
  fields: fieldsOf(secondary(name)),
  platform,
});
const open = () => simulatedHost({ keeper: keepInFile(file), files: 'any' });

describe('a file', () => {
  test('that is not there is an empty host, and reading does not make it', async () => {
    expect(await open().domains.list(signal)).toEqual([]);
    expect(await open().installation.read()).toBeNull();
    expect(readdirSync(dir)).toEqual([]);
  });

  test('holds what one program did for the next one', async () => {
    await open().installation.record(installation);
    await open().domains.define(definitionOf('web'), signal);
    await open().domains.start(refOf('web'), signal);
    const [web] = await open().domains.read([refOf('web')], signal);
    expect(web).toMatchObject({ value: { power: { status: 'running' }, live: { vcpus: 1 } } });
    expect(readdirSync(dir)).toEqual(['host.json']);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ format: 1, installation });
  });

  test('holds the trace of what was refused', async () => {
    const listed = simulatedHost({ keeper: keepInFile(file) });
    await listed.domains.define(definitionOf('web'), signal);
    await expect(listed.domains.start(refOf('web'), signal)).rejects.toMatchObject({
      code: 'Refused',
    });
    const [web] = await open().domains.read([refOf('web')], signal);
    expect(web).toMatchObject({ value: { power: { status: 'stopped', reason: 'failed' } } });
  });

  test('whatever is in the world, comes back from its text', () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        expect(parseWorld(worldText(world))).toEqual(world);
      }),
      runs(50),
    );
  });

  test.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['something else', '[]'],
    ['another format', worldText(emptyWorld()).replace('"format": 1', '"format": 2')],
    ['more than there can be', worldText(emptyWorld()).replace('"format"', '"more": 1, "format"')],
    ['no installation id', worldText(emptyWorld()).replace('null', '"no uuid"')],
  ])('with %s in it is an error, and stays as it is', async (_what, text) => {
    writeFileSync(file, text);
    await expect(open().domains.list(signal)).rejects.toMatchObject({ code: 'Protocol' });
    const writing = open().domains.define(definitionOf('web'), signal);
    await expect(writing).rejects.toMatchObject({ code: 'Protocol' });
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  test('that cannot be read or written is the host\u2019s error', async () => {
    mkdirSync(file);
    await expect(open().domains.list(signal)).rejects.toMatchObject({ name: 'HostError' });
    const lost = simulatedHost({ keeper: keepInFile(join(dir, 'nowhere', 'host.json')) });
    await expect(lost.installation.record(installation)).rejects.toMatchObject({
      name: 'HostError',
    });
  });
});

describe('two programs at once', () => {
  test('lose nothing of what the other did', async () => {
    const names = Array.from({ length: 60 }, (_, index) => `vm-${index}`);
    await Promise.all(names.map((name) => open().domains.define(definitionOf(name), signal)));
    expect(await open().domains.list(signal)).toHaveLength(60);
  });

  test('not even by two names of the file', async () => {
    await open().installation.record(installation);
    symlinkSync(file, join(dir, 'link.json'));
    const linked = simulatedHost({ keeper: keepInFile(join(dir, 'link.json')) });
    const names = Array.from({ length: 20 }, (_, index) => `vm-${index}`);
    await Promise.all(
      names.flatMap((name, index) =>
        (index % 2 === 0 ? open() : linked).domains.define(definitionOf(name), signal),
      ),
    );
    expect(await open().domains.list(signal)).toHaveLength(20);
    expect(lstatSync(join(dir, 'link.json')).isSymbolicLink()).toBe(true);
  });

  test('the draft of one that died is in nobody\u2019s way', async () => {
    writeFileSync(`${file}.new`, 'half of a wor');
    await open().installation.record(installation);
    expect(await open().installation.read()).toBe(installation);
    expect(readdirSync(dir)).toEqual(['host.json']);
  });
});
