/**
 * SIGKILL at every write of the plan that moves an Image off the image disk of a real Primary: another apply then
 * has the Image, byte for byte, the disk is back in its Primary, smaller by as much, without that file and with its
 * others, and nothing is left over or counted twice.
 */
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { storeLayout } from '../../../src/host/local/layout.ts';
import type { ImageName, PartitionName } from '../../../src/model/names.ts';
import { virsh, type Workplace, workplace } from '../../support/cli.ts';
import { digestOf } from '../../support/digest.ts';
import { checkFileSystem, debugfs, fileOn } from '../../support/hostile-file-systems.ts';
import { type KilledProgram, killedProgram } from '../../support/killed-program.ts';
import { primaryXml } from '../../support/primary-xml.ts';
import { until } from '../../support/until.ts';

const MiB = 2 ** 20;
const full = 64 * MiB;
const debian = 'debian' as ImageName;
const domainName = 'primary-disk-killed';
const bytes = randomBytes(4 * MiB);
const others = randomBytes(3 * MiB + 77);
const digest = digestOf(bytes);

let killed: KilledProgram;
let at: Workplace;
const layout = () => storeLayout(at.stateDir, at.partition as PartitionName);
const log = () => join(at.stateDir, 'primary.log');
const file = (name: string) => join(at.stateDir, name);

const documentOf = (kind: string, name: string, spec: string) =>
  `---\napiVersion: unnest.dev/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`;
/** No more room than for the disk twice and the Image: nothing else may be there twice, not for a moment. */
const partitionDocument = () =>
  documentOf(
    'Partition',
    at.partition,
    `{ primary: { domain: ${domainName}, reserved: { vcpus: 1, memory: 64MiB }, grants: [imageDisk], imageDisk: { size: 64MiB } },
       limits: { vcpus: 8, memory: 8GiB, storage: 132MiB, secondaries: 1, enforcement: Admission } }`,
  );
const documents = (isWritten: boolean) =>
  partitionDocument() +
  documentOf(
    'Image',
    debian,
    `{ digest: "${digest}", format: raw, source: { imageDisk: { path: images/debian, bytes: ${bytes.length}, mode: move, written: ${isWritten} } } }`,
  );

beforeAll(async () => {
  killed = await killedProgram();
  at = workplace('killed-disk');
  chmodSync(at.stateDir, 0o755);
  writeFileSync(file('bytes'), bytes);
  writeFileSync(file('others'), others);
  const xml = file('primary.xml');
  writeFileSync(xml, primaryXml({ name: domainName, log: log() }));
  await virsh('define', xml);
  await startPrimary();
});
afterAll(async () => {
  await virsh('destroy', domainName).catch(() => undefined);
  await virsh('undefine', domainName);
  await at.dispose();
  killed.dispose();
});

/** Its guest lets go of a disk once it is up. */
async function startPrimary(): Promise<void> {
  rmSync(log(), { force: true });
  await virsh('start', domainName);
  const said = () => (existsSync(log()) ? readFileSync(log(), 'utf8') : '');
  await until('the Primary is up', said, (text) => text.includes('up '));
}

const isLent = async () => (await virsh('dumpxml', domainName)).includes('ua-lent-');
const record = () =>
  JSON.parse(readFileSync(join(layout().imageDiskDir, 'record.json'), 'utf8')) as {
    readonly file: 0 | 1;
    readonly given: readonly { readonly sizeBytes: number }[];
  };
const disk = () => layout().imageDiskFile(record().file);
const read = (path: string) => fileOn(disk(), path, file('read'));

/** The Image is gone, and its Primary has been started anew: the disk is as large as ever, with both files. */
async function begin(): Promise<void> {
  at.write(partitionDocument());
  await virsh('destroy', domainName);
  // The disk grows once its Image is seen to be gone.
  expect(await killed.apply(at, '')).toMatchObject({ code: 0 });
  expect(await killed.apply(at, '')).toMatchObject({ code: 0 });
  if (!existsSync(disk())) throw new Error('there is no disk');
  expect(statSync(disk()).size).toBe(full);
  // As its guest would, while it has it mounted: nobody else has the file.
  if (read('images/others') === null) {
    debugfs(disk(), 'mkdir images', `write ${file('others')} images/others`);
  }
  if (read('images/debian') === null) debugfs(disk(), `write ${file('bytes')} images/debian`);
  await startPrimary();
  at.write(documents(false));
  await killed.apply(at, '');
  expect(await isLent()).toBe(true);
  at.write(documents(true));
}

const left = async () => ({
  isLent: await isLent(),
  size: statSync(disk()).size,
  given: record().given.map(({ sizeBytes }) => sizeBytes),
  files: readdirSync(layout().imageDiskDir).length,
  intakes: existsSync(layout().intakesDir) ? readdirSync(layout().intakesDir) : [],
  image: readFileSync(layout().imageFile(debian, 'raw')).equals(bytes),
  links: statSync(layout().imageFile(debian, 'raw')).nlink,
  moved: read('images/debian'),
  others: read('images/others')?.equals(others),
});
const goal = {
  isLent: true,
  size: full - bytes.length,
  given: [bytes.length],
  files: 2,
  intakes: [],
  image: true,
  links: 1,
  moved: null,
  others: true,
};

test('converges after a kill at any write', async () => {
  await begin();
  const undisturbed = await killed.apply(at, '');
  expect(undisturbed).toMatchObject({ code: 0 });
  expect(await left()).toEqual(goal);
  const moments = undisturbed.stdout.trim().split('\n');
  expect(moments.length).toBeGreaterThanOrEqual(6);
  for (const moment of moments) {
    await begin();
    const { code } = await killed.apply(at, moment);
    expect(code, `killed at write ${moment}`).toBeNull();
    expect(await killed.apply(at, '')).toMatchObject({ code: 0 });
    // What a crash has left of an intake is seen to be nobody's in the look after.
    expect(await killed.apply(at, '')).toMatchObject({ code: 0 });
    expect(await left(), `killed at write ${moment}`).toEqual(goal);
    checkFileSystem(disk());
  }
}, 500_000);
