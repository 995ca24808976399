/**
 * SIGKILL at every write of eight plans, before it is sent and after its answer has come: another
 * apply then brings the host to where an undisturbed one would have, with nothing left over and
 * nothing made twice (invariant 5). Which moments there are is told by a run that nobody kills; all
 * of them are tried with `UNNEST_TEST_THOROUGH=1`.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { idleDocument, run, virsh, type Workplace, workplace } from '../../support/cli.ts';
import { digestOf } from '../../support/digest.ts';
import { type KilledProgram, killedProgram } from '../../support/killed-program.ts';
import { someOf } from '../../support/thorough.ts';

let killed: KilledProgram;
beforeAll(async () => {
  killed = await killedProgram();
});
afterAll(() => killed.dispose());

let at: Workplace;
let count = 0;

beforeEach(() => {
  at = workplace(`killed-${(count += 1)}`);
});
afterEach(() => at.dispose());

const apply = ['--yes', '--delete-everything'];
const killedApply = (killAt: string) => killed.apply(at, killAt);

const domains = async () => (await virsh('list', '--all', '--name')).split('\n').filter(Boolean);

/** What must be the same however it came about: all of libvirt, without what differs by nature. */
async function world(): Promise<string> {
  const questions = (await domains()).sort().flatMap((name) => [
    `domstate ${name}`,
    `vcpucount ${name}`,
    // Of one that runs, those that it has.
    `domblklist ${name}`,
    `dumpxml --inactive ${name}`,
  ]);
  const asked = (await networks()).map((name) => `net-dumpxml ${name} --inactive`);
  // The definition of a network does not say whether it runs.
  const all = [...questions, ...asked, 'net-list --name'];
  const answers = await virsh(all.join('; '));
  return `${answers}\n${[...stored(), ...seeds()].join('\n')}`.replace(
    /installation"?(?:=|: )"[^"]*"|<uuid>[^<]*|(?<=(?:mac|mac address|bridge name)='|target dev='unt)[^']*/g,
    '',
  );
}

/** Volumes and Images, with their records; sparse disks of zeros but for what an Image brought. */
function stored(): readonly string[] {
  return ['volumes', 'images'].flatMap((kind) => {
    const folder = join(at.stateDir, at.partition, kind);
    return filesBelow(folder).map((file) => {
      const content = readFileSync(join(folder, file));
      const text = file.endsWith('.json') ? content.toString() : digestOf(content);
      return `${kind}/${file} ${text}`;
    });
  });
}

function filesBelow(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .sort();
  } catch {
    return [];
  }
}

/** By name and size: what cloud-init is told has the UUID in it, which differs by nature. */
function seeds(): readonly string[] {
  const folder = join(at.stateDir, at.partition, 'seeds');
  return filesBelow(folder).map((file) => `seeds/${file} ${statSync(join(folder, file)).size}`);
}

const networks = async () =>
  (await virsh('net-list', '--all', '--name')).split('\n').filter(Boolean);

async function clear(): Promise<void> {
  const deaths = (await domains()).flatMap((name) => [`destroy ${name}`, `undefine ${name}`]);
  // One that does not run cannot be destroyed, which is as good.
  if (deaths.length > 0) await run('virsh', ['--quiet', deaths.join('; ')]);
  expect(await domains()).toEqual([]);
  for (const name of await networks()) {
    await run('virsh', ['--quiet', `net-destroy ${name}; net-undefine ${name}`]);
  }
  expect(await networks()).toEqual([]);
  for (const kind of ['volumes', 'images', 'seeds']) {
    await rm(join(at.stateDir, at.partition, kind), { recursive: true, force: true });
  }
  await rm(join(at.stateDir, 'installation.id'), { force: true });
}

const policy = ['runPolicy: RerunOnFailure', 'updatePolicy: Restart'];
const before = idleDocument('web', policy) + idleDocument('old');
const after = idleDocument('web', policy).replace('vcpus: 1', 'vcpus: 2') + idleDocument('new');

const bytes = Buffer.alloc(2 ** 20, 'the bytes of an image. ');
const stopped = ['runPolicy: Halted', 'network: Partition'];
const documentOf = (kind: string, name: string, spec: string) =>
  `---\napiVersion: unnest.dev/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`;
const image = documentOf(
  'Image',
  'base',
  `{ digest: "${digestOf(bytes)}", format: raw, source: { file: base.raw } }`,
);
const whole =
  documentOf('Partition', 'PARTITION', '{ network: { cidr: 10.77.0.0/24, mode: isolated } }') +
  image +
  documentOf('Volume', 'copy', '{ size: 2MiB, image: base, deletionPolicy: Delete }') +
  documentOf('Volume', 'over', '{ size: 4MiB, format: qcow2, image: base, provision: Overlay }') +
  idleDocument('web', [...stopped, 'disks: [{ volume: copy }, { volume: over }]']);
const changed =
  documentOf('Partition', 'PARTITION', '{ network: { cidr: 10.77.0.0/24, mode: isolated } }') +
  image +
  documentOf('Volume', 'over', '{ size: 8MiB, format: qcow2, image: base, provision: Overlay }') +
  documentOf('Volume', 'blank', '{ size: 1MiB }') +
  documentOf(
    'Volume',
    'monday',
    '{ size: 4MiB, format: qcow2, image: base, provision: Overlay, copyOf: over }',
  ) +
  idleDocument('db', [...stopped, 'disks: [{ volume: blank }, { volume: over }]']);

const ignition = `ignition: { config: '{"ignition":{"version":"3.4.0"}}' }`;
const told =
  idleDocument('web', [...policy, 'cloudInit: { userData: before }']) +
  idleDocument('core', ['runPolicy: Halted', ignition]);
const toldElse = idleDocument('web', [...policy, 'cloudInit: { userData: afterwards }']);

const bare = idleDocument('web', policy);
const given = idleDocument('web', [...policy, 'disks: [{ volume: blank }, { volume: other }]']);
const blank = ['blank', 'other']
  .map((name) => documentOf('Volume', name, '{ size: 1MiB }'))
  .join('');

const plans = [
  ['a first apply', null, before],
  ['an edit with a restart, a removal and an addition', before, after],
  ['the removal of everything', before, '# nothing\n'],
  ['a first apply with a network, an Image and Volumes', null, whole],
  ['an edit of all of those', whole, changed],
  ['a first apply with seeds', null, told],
  ['another seed with a restart, and the removal of one', told, toldElse],
  ['disks for a guest that runs', bare, blank + given],
] as const;

describe.each(plans)('%s', (_what, from, to) => {
  /** Back to the beginning, from wherever it is. */
  const reset = async () => {
    await clear();
    if (from === null) return;
    at.write(from.replaceAll('PARTITION', at.partition));
    expect(await at.unnest('apply', '-f', at.documents)).toMatchObject({ code: 0 });
  };

  test('converges after a kill at any write', async () => {
    await writeFile(join(at.stateDir, at.partition, 'files', 'base.raw'), bytes);
    await reset();
    const text = to.replaceAll('PARTITION', at.partition);
    at.write(text);
    const undisturbed = await killedApply('');
    expect(undisturbed).toMatchObject({ code: 0 });
    const moments = undisturbed.stdout.trim().split('\n');
    expect(moments.length).toBeGreaterThan(2);
    const goal = await world();
    for (const moment of someOf(moments)) {
      await reset();
      at.write(text);
      expect((await killedApply(moment)).code, `killed at write ${moment}`).toBeNull();
      expect(await at.unnest('apply', '-f', at.documents, ...apply)).toMatchObject({ code: 0 });
      expect(await world(), `killed at write ${moment}`).toEqual(goal);
    }
  }, 900_000);
});
