/** Saved plans, diff, describe, export, selectors, columns, protection: as a user meets them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { idleDocument, virsh, type Workplace, workplace } from '../../support/cli.ts';

let at: Workplace;
let count = 0;

beforeEach(() => {
  at = workplace(`language-${(count += 1)}`);
});
afterEach(() => at.dispose());

const halted = ['runPolicy: Halted'];
const domain = (name: string) => `unnest.language-${count}.${name}`;
const apply = (...args: readonly string[]) => at.unnest('apply', '-f', at.documents, ...args);

describe('a saved plan', () => {
  const save = async () => {
    const path = join(at.stateDir, 'plan.json');
    expect((await at.unnest('plan', '-f', at.documents, '--out', path)).code).toBe(0);
    return path;
  };

  test('is carried out as it is, even when the documents have changed since', async () => {
    at.write(idleDocument('web', halted));
    const path = await save();
    at.write(idleDocument('other', halted));
    const ran = await at.unnest('apply', '--plan', path);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(await virsh('list', '--all', '--name')).toBe(domain('web'));
  });

  test('is refused when the host has moved, and says who did', async () => {
    at.write(idleDocument('web', halted) + idleDocument('db', halted));
    await apply();
    at.write(
      idleDocument('web', halted).replace('vcpus: 1', 'vcpus: 2') + idleDocument('db', halted),
    );
    const path = await save();
    await virsh('start', domain('db'));
    const ran = await at.unnest('apply', '--plan', path);
    expect(ran).toMatchObject({ code: 7, stdout: '' });
    expect(ran.stderr).toContain('the plan is stale: db changed since it was made');
    expect(await virsh('vcpucount', '--maximum', '--config', domain('web'))).toBe('1');
  });

  test('is refused when somebody has written into it', async () => {
    at.write(idleDocument('web', halted));
    const path = await save();
    const text = readFileSync(path, 'utf8');
    for (const spoilt of [
      text.replace('web.img', '../../../etc/shadow'),
      text.replace('"domain.define"', '"domain.destroy"'),
      text.replace('"entries"', '"extra"'),
      text.slice(0, 200),
    ]) {
      expect(spoilt).not.toBe(text);
      writeFileSync(path, spoilt);
      expect(await at.unnest('apply', '--plan', path)).toMatchObject({ code: 4, stdout: '' });
    }
    writeFileSync(path, text);
    expect((await at.unnest('apply', '--plan', path, '-p', 'elsewhere')).code).toBe(64);
  });
});

describe('diff', () => {
  test("has kubectl's exit codes", async () => {
    at.write(idleDocument('web', halted));
    expect(await at.unnest('diff', '-f', at.documents)).toMatchObject({ code: 1 });
    await apply();
    expect(await at.unnest('diff', '-f', at.documents)).toMatchObject({ code: 0, stdout: '' });
    at.write(idleDocument('web', halted).replace('vcpus: 1', 'vcpus: 2'));
    const ran = await at.unnest('diff', '-f', at.documents);
    expect(ran).toMatchObject({ code: 1, stdout: '~ web\n-   spec.vcpus: 1\n+   spec.vcpus: 2\n' });
    expect((await at.unnest('diff', '-f', '/nowhere')).code).toBeGreaterThan(1);
  });
});

describe('export', () => {
  test('prints what plans to no change, whatever the document had', async () => {
    const full = idleDocument('web', [
      'runPolicy: Manual',
      'updatePolicy: Restart',
      'serialConsole: false',
    ])
      .replace('{ name: web }', '{ name: web, labels: { app: web, note: "a,b=c d" } }')
      .replace('memory: 128MiB', 'memory: 3000MiB');
    at.write(full + idleDocument('db'));
    await apply();
    const names = ['web', 'db'];
    const exported = await Promise.all(names.map((name) => at.unnest('export', name)));
    at.write(exported.map(({ stdout }) => `---\n${stdout}`).join(''));
    expect((await at.unnest('plan', '-f', at.documents)).stdout).toBe('No changes: 2 unchanged.\n');
  });

  test('says when the host has what no document can say', async () => {
    at.write(idleDocument('web', halted));
    await apply();
    const xml = await virsh('dumpxml', '--inactive', domain('web'));
    writeFileSync(
      `${at.stateDir}/x.xml`,
      xml.replace(/<source file='[^']*'/, "<source file='/tmp/x.img'"),
    );
    await virsh('define', `${at.stateDir}/x.xml`);
    const ran = await at.unnest('export', 'web');
    expect(ran).toMatchObject({ code: 3, stdout: '' });
    expect(ran.stderr).toContain("outside the partition's store");
  });
});

describe('showing', () => {
  test('by labels, by columns, and one whole', async () => {
    const labelled = (name: string, labels: string) =>
      idleDocument(name, halted).replace(
        `{ name: ${name} }`,
        `{ name: ${name}, labels: ${labels} }`,
      );
    at.write(
      labelled('web', '{ app: web, tier: front }') +
        labelled('db', '{ app: db }') +
        idleDocument('x', halted),
    );
    await apply();
    const names = async (selector: string) =>
      (await at.unnest('get', '-l', selector, '-o', 'name')).stdout;
    expect(await names('app=web')).toBe('web\n');
    expect(await names('app!=web')).toBe('db\nx\n');
    expect(await names('app,!tier')).toBe('db\n');
    expect((await at.unnest('get', '-l', 'a b')).code).toBe(64);
    const columns = 'custom-columns=N:.name,RAM:.defined.memoryBytes,TIER:.labels.tier';
    expect((await at.unnest('get', '-o', columns)).stdout).toBe(
      'N     RAM         TIER\ndb    134217728   <none>\nweb   134217728   front\nx     134217728   <none>\n',
    );
    const { stdout } = await at.unnest('describe', 'web');
    expect(stdout).toMatch(/^web: Stopped\n {2}domain {3}unnest\.language-\d+\.web /);
    expect(stdout).toMatch(/spec\.memory +128MiB\n/);
    expect(await at.unnest('describe', 'wep')).toMatchObject({ code: 64, stdout: '' });
    expect((await at.unnest('describe', 'wep')).stderr).toContain('did you mean web?');
  });
});

describe('changes behind our back', () => {
  test('are told from changes in the document', async () => {
    at.write(idleDocument('web', halted));
    await apply();
    await virsh('setvcpus', '--maximum', '--config', domain('web'), '3');
    const { stdout } = await at.unnest('plan', '-f', at.documents);
    expect(stdout).toContain('because somebody changed it on the host');
    expect(stdout).toContain('spec.vcpus: 3 -> 1 (changed on the host)');
    await apply();
    expect((await at.unnest('plan', '-f', at.documents)).stdout).toBe('No changes: 1 unchanged.\n');
  });
});
