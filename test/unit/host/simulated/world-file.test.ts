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
import { emptyWorld, type World } from '../../../../src/host/simulated/world.ts';
import { keepInFile } from '../../../../src/host/simulated/world-file.ts';
import { parseWorld, worldText } from '../../../../src/host/simulated/world-text.ts';
import { fieldsOf } from '../../../../src/model/domain.ts';
import type { NetworkUuid } from '../../../../src/model/identity.ts';
import type { FileName } from '../../../../src/model/names.ts';
import { anyWorld, runs } from '../../../property/arbitraries.ts';
import { installation, partition, secondary } from '../../../support/passes.ts';
import {
  digestOf,
  imageOf,
  networkOf,
  networkRef,
  ownerOf,
  refOf,
  volumeOf,
  worldOf,
} from '../../../support/simulation.ts';

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

function worldWithEverything(): World {
  const debian = imageOf('debian', { digest: digestOf(7) });
  const { name: image, digest } = debian;
  const format = 'qcow2';
  const origin = { image, digest, format, provision: 'Overlay' } as const;
  const world = worldOf({
    files: ['root.img'],
    volumes: [
      volumeOf('root', { format, origin, deletionPolicy: 'Delete' }),
      volumeOf('half', { state: 'creating', owner: null }),
    ],
    images: [debian, imageOf('going', { state: 'deleting' })],
    network: networkOf({
      reservations: { web: { mac: '52:00:00:00:00:02', address: '10.20.0.2' } },
      live: {},
    }),
  });
  world.files.get(partition)?.set('debian.img', { bytes: 512, digest: digestOf(7) });
  const foreign = { uuid: '00000000-0000-4000-8000-0000000000dd' as NetworkUuid, networkName: 'x' };
  const transient = networkOf({ ref: foreign, owner: null, fields: null, persistent: false });
  world.networks.set(foreign.uuid, transient);
  return world;
}

/** What unnest 0.1.0 wrote: a host after one apply, with a kernel in its store. */
const oldFields = `{
  "vcpus": 1, "vcpusMax": 1, "memoryBytes": 134217728, "memoryMaxBytes": 134217728,
  "kernel": "vmlinuz", "initrd": null, "commandLine": "quiet", "disk": null, "diskFormat": null,
  "serialConsole": true, "runPolicy": "Always", "updatePolicy": "Staged", "stopGraceMs": 1000,
  "protect": false, "labels": "", "startAfter": ""
}`;
const oldText = `{
  "format": 1,
  "installation": "${installation}",
  "domains": [
    {
      "uuid": "${refOf('web').uuid}",
      "domainName": "unnest.team-a.web",
      "persistent": true,
      "definition": {
        "owner": {
          "installation": "${installation}",
          "partition": "team-a",
          "secondary": "web"
        },
        "fields": ${oldFields},
        "lastApplied": ${oldFields},
        "stopAsked": false
      },
      "stopReason": "unknown",
      "guest": {
        "state": "running",
        "fields": ${oldFields},
        "startedAtMs": 1760000000000,
        "end": null,
        "balloon": null
      }
    }
  ],
  "files": { "team-a": { "vmlinuz": 11456 } }
}
`;

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

  test('and so does what a store and libvirt keep beside the domains', () => {
    const world = worldWithEverything();
    expect(parseWorld(worldText(world))).toEqual(world);
    const { files } = JSON.parse(worldText(world));
    expect(files[partition]).toEqual({
      'root.img': 2 ** 20,
      'debian.img': { bytes: 512, digest: digestOf(7) },
    });
  });

  test('of an earlier version is still read, and nothing is in it that was not there', async () => {
    writeFileSync(file, oldText);
    const [web] = await open().domains.read([refOf('web')], signal);
    const fields = { vcpus: 1, bootVolume: null, volumes: '', network: 'None' };
    expect(web).toMatchObject({ value: { defined: fields, lastApplied: fields, live: fields } });
    expect(await open().volumes.list(partition, signal)).toEqual([]);
    expect(await open().images.list(partition, signal)).toEqual([]);
    expect(await open().networks.find(networkRef, signal)).toEqual({ status: 'absent' });
    expect(await open().store.size(partition, 'vmlinuz' as FileName)).toEqual({
      status: 'present',
      value: 11_456,
    });
    await open().volumes.create({ installation, partition }, volumeOf('data'), signal);
    expect(await open().volumes.list(partition, signal)).toEqual(['data']);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      format: 1,
      files: { [partition]: { vmlinuz: 11_456 } },
    });
  });

  test.each([
    ['a name', '"debian"', '"De bian"'],
    ['a state', '"ready"', '"done"'],
    ['a digest', 'sha256:', 'sha1:'],
    ['a mode', '"nat"', '"bridged"'],
    ['the UUID of a network', networkRef.uuid, 'no-uuid'],
  ])('with %s that there cannot be is an error', (_what, from, to) => {
    const text = worldText(worldWithEverything());
    expect(text).toContain(from);
    expect(() => parseWorld(text.replaceAll(from, to))).toThrow(/Invalid|no such name/);
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
