/** What a real guest finds at its first boot: the very bytes that its document says. */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { guestDocument, virsh, type Workplace, workplace } from '../../support/cli.ts';
import { heard } from '../../support/heard.ts';

let at: Workplace;
let count = 0;
beforeEach(() => {
  at = workplace(`first-boot-${(count += 1)}`);
});
afterEach(() => at.dispose());

const secret = 'correct horse battery staple';
const userData = `#cloud-config\n# é, $(name), "quoted", a tab\t and no end of line: ${secret}`;
const networkConfig = 'version: 2\nethernets: {}\n';
const ignition = '{"ignition":{"version":"3.4.0"},"passwd":{}}\n';
const digest = (text: string) => createHash('sha256').update(text).digest('hex');

const asking = (name: string, ...more: readonly string[]) =>
  guestDocument(name, more).replace(`unnest.name=${name}`, `unnest.name=${name} unnest.do=seed`);
const cloudInit = (text: string) =>
  `cloudInit: ${JSON.stringify({ userData: text, networkConfig, hostname: '$(name).lab' })}`;
const apply = () => at.unnest('apply', '-f', at.documents, '--yes');
const plan = async () => (await at.unnest('plan', '-f', at.documents)).stdout;
const domain = (name: string) => `unnest.first-boot-${count}.${name}`;
const seedsDir = () => join(at.stateDir, at.partition, 'seeds');
/** The line that the guest prints, again and again. */
const seedOf = async (name: string) => {
  const reading = heard(at.start('console', name));
  const line = /unnest-guest \S+ seed (.*?)\r?\n/;
  const said = await reading.hears(line);
  await reading.end();
  return line.exec(said)?.[1]?.split(' ');
};

describe('a real guest', { timeout: 300_000 }, () => {
  test('finds the disk of cloud-init with the bytes of its document, and nobody else sees them', async () => {
    at.write(asking('web', cloudInit(userData), 'updatePolicy: Restart'));
    const planned = await plan();
    expect(planned).toContain('spec.cloudInit: "sha256:');
    const applied = await apply();
    expect(applied).toMatchObject({ code: 0, stderr: '' });
    const seen = await seedOf('web');
    expect(seen).toContain(`user-data:${digest(userData)}`);
    expect(seen).toContain(`network-config:${digest(networkConfig)}`);
    const uuid = await virsh('domuuid', domain('web'));
    const metaData = { 'instance-id': uuid, 'local-hostname': 'web.lab' };
    expect(seen).toContain(`meta-data:${digest(`${JSON.stringify(metaData, null, 2)}\n`)}`);
    expect(await plan()).toBe('No changes: 2 unchanged.\n');

    const [name = ''] = readdirSync(seedsDir());
    expect(readdirSync(join(seedsDir(), name)).sort()).toEqual(['record.json', 'seed.iso']);
    expect(statSync(join(seedsDir(), name, 'seed.iso')).mode & 0o777).toBe(0o400);
    const said = await Promise.all([
      at.unnest('get', '-o', 'yaml'),
      at.unnest('get', '--kind', 'seeds', '-o', 'json'),
      at.unnest('describe', 'web'),
      at.unnest('diff', '-f', at.documents),
      at.unnest('render', '-f', at.documents),
      virsh('dumpxml', domain('web')).then((stdout) => ({ stdout, stderr: '' })),
    ]);
    const texts = [planned, ...[applied, ...said].flatMap((ran) => [ran.stdout, ran.stderr])];
    expect(texts.filter((text) => text.includes(secret))).toEqual([]);
  });

  test('keeps what it has until it is restarted, and the old goes with its last user', async () => {
    at.write(asking('web', cloudInit('#cloud-config\n')));
    await apply();
    const [first = ''] = readdirSync(seedsDir());
    at.write(asking('web', cloudInit(userData)));
    expect(await apply()).toMatchObject({ code: 0 });
    expect(await plan()).toContain('waits for a restart: spec.cloudInit');
    expect(await seedOf('web')).toContain(`user-data:${digest('#cloud-config\n')}`);
    expect(readdirSync(seedsDir())).toHaveLength(2);
    await virsh('destroy', domain('web'));
    expect(await apply()).toMatchObject({ code: 0 });
    expect(await seedOf('web')).toContain(`user-data:${digest(userData)}`);
    expect(readdirSync(seedsDir())).toHaveLength(1);
    expect(readdirSync(seedsDir())).not.toContain(first);
    await at.unnest('destroy', 'web', '--yes');
    expect(readdirSync(seedsDir())).toEqual([]);
  });

  test('finds what Ignition asks QEMU for', async () => {
    at.write(asking('core', `ignition: ${JSON.stringify({ config: ignition })}`));
    expect(await apply()).toMatchObject({ code: 0, stderr: '' });
    expect(await seedOf('core')).toEqual([`ignition:${digest(ignition)}`]);
    expect(await plan()).toBe('No changes: 2 unchanged.\n');
    at.write(asking('core'));
    await apply();
    await virsh('destroy', domain('core'));
    expect(await apply()).toMatchObject({ code: 0 });
    expect(await virsh('dumpxml', domain('core'))).not.toContain('fwcfg');
    expect(readdirSync(seedsDir())).toEqual([]);
  });
});
