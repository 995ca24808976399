/**
 * SIGKILL at every write of the plan that makes an Image of a disk that a real Primary has handed over:
 * another apply then has the Image, byte for byte, the disk back from the Primary, and nothing left over.
 */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { storeLayout } from '../../../src/host/local/layout.ts';
import type { ImageName, PartitionName } from '../../../src/model/names.ts';
import { virsh, type Workplace, workplace } from '../../support/cli.ts';
import { digestOf } from '../../support/digest.ts';
import { type KilledProgram, killedProgram } from '../../support/killed-program.ts';
import { primaryXml } from '../../support/primary-xml.ts';
import { until } from '../../support/until.ts';

const MiB = 2 ** 20;
const debian = 'debian' as ImageName;
const domainName = 'primary-killed';
const bytes = Buffer.alloc(MiB, 'what the Primary has written. ');
const digest = digestOf(bytes);

let killed: KilledProgram;
let at: Workplace;
const layout = () => storeLayout(at.stateDir, at.partition as PartitionName);
const log = () => join(at.stateDir, 'primary.log');

const documentOf = (kind: string, name: string, spec: string) =>
  `---\napiVersion: unnest.dev/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`;
/** No more room than for the disk and the Volume: nothing may be there twice, not for a moment. */
const documents = (isWritten: boolean) =>
  documentOf(
    'Partition',
    at.partition,
    `{ primary: { domain: ${domainName}, reserved: { vcpus: 1, memory: 64MiB }, grants: [handOver] },
       limits: { vcpus: 8, memory: 8GiB, storage: 3MiB, secondaries: 1, enforcement: Admission } }`,
  ) +
  documentOf(
    'Image',
    debian,
    `{ digest: "${digest}", format: raw, source: { handOver: { bytes: ${MiB}, written: ${isWritten} } } }`,
  ) +
  documentOf('Volume', 'root', '{ size: 2MiB, image: debian, deletionPolicy: Delete }');

beforeAll(async () => {
  killed = await killedProgram();
  at = workplace('killed-import');
  const xml = join(at.stateDir, 'primary.xml');
  writeFileSync(xml, primaryXml({ name: domainName, log: log() }));
  await virsh('define', xml);
  await virsh('start', domainName);
  const said = () => (existsSync(log()) ? readFileSync(log(), 'utf8') : '');
  await until('the Primary is up', said, (text) => text.includes('up '));
});
afterAll(async () => {
  await virsh('destroy', domainName);
  await virsh('undefine', domainName);
  await at.dispose();
  killed.dispose();
});

const isLent = async () => (await virsh('dumpxml', domainName)).includes('ua-lent-');

/** Its documents are gone, and then the disk is lent anew, with everything on it. */
async function begin(): Promise<void> {
  at.write(documents(false).split('---').slice(0, 2).join('---'));
  expect(await killed.apply(at, '')).toMatchObject({ code: 0 });
  at.write(documents(false));
  await killed.apply(at, '');
  expect(await isLent()).toBe(true);
  // As its guest would: through another handle on the same file.
  writeFileSync(layout().intakeDisk(debian), bytes, { flag: 'r+' });
  at.write(documents(true));
}

const left = async () => ({
  isLent: await isLent(),
  intakes: existsSync(layout().intakesDir) ? readdirSync(layout().intakesDir) : [],
  image: readFileSync(layout().imageFile(debian, 'raw')).equals(bytes),
  links: statSync(layout().imageFile(debian, 'raw')).nlink,
  volumes: readdirSync(layout().volumesDir),
});
const goal = { isLent: false, intakes: [], image: true, links: 1, volumes: ['root'] };

test('converges after a kill at any write', async () => {
  await begin();
  const undisturbed = await killed.apply(at, '');
  expect(undisturbed).toMatchObject({ code: 0 });
  expect(await left()).toEqual(goal);
  const moments = undisturbed.stdout.trim().split('\n');
  expect(moments.length).toBeGreaterThanOrEqual(5);
  for (const moment of moments) {
    await begin();
    const { code } = await killed.apply(at, moment);
    expect(code, `killed at write ${moment}`).toBeNull();
    expect(await killed.apply(at, '')).toMatchObject({ code: 0 });
    expect(await left(), `killed at write ${moment}`).toEqual(goal);
  }
}, 300_000);
