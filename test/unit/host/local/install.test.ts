/** Installing into a root of the test's own: what is made, what stays, and what is never overwritten. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../../../src/daemon/config.ts';
import type { InstallRequest, InstallStep } from '../../../../src/host/installer.ts';
import { localInstaller } from '../../../../src/host/local/install.ts';
import { isAsStamped, stamped } from '../../../../src/host/local/install-stamp.ts';
import { unitText } from '../../../../src/host/local/install-texts.ts';

const node = '/usr/bin/node';
const program = '/opt/unnest/dist/bin/unnestd.js';
const installer = localInstaller({ node, program });
const unit = 'etc/systemd/system/unnestd.service';
const config = 'etc/unnest/unnestd.yaml';
const sysusers = 'etc/sysusers.d/unnest.conf';
const rules = ['etc/udev/rules.d/12-unnest.rules', 'etc/udev/rules.d/58-unnest.rules'];

function image() {
  const root = mkdtempSync(join(tmpdir(), 'unnest-install-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const path of [node, program]) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), '', { mode: 0o755 });
  }
  const at = (path: string) => join(root, path);
  const request = (more: Partial<InstallRequest> = {}): InstallRequest => ({
    root,
    node,
    program,
    force: false,
    ...more,
  });
  const carryOut = async (steps: readonly InstallStep[]) => {
    for (const step of steps) await installer.carryOut(step);
    return steps.map((step) => wordsOf(step, root));
  };
  return {
    root,
    at,
    read: (path: string) => readFileSync(at(path), 'utf8'),
    write: (path: string, text: string) => writeFileSync(at(path), text),
    modeOf: (path: string) => (statSync(at(path)).mode & 0o7777).toString(8),
    planInstall: () => installer.planInstall(request()),
    install: async (more: Partial<InstallRequest> = {}) =>
      carryOut(await installer.planInstall(request(more))),
    uninstall: async (more: Partial<InstallRequest> = {}) =>
      carryOut(await installer.planUninstall(request(more))),
    everything: () => readdirSync(root, { recursive: true, encoding: 'utf8' }).sort(),
  };
}

function wordsOf(step: InstallStep, root: string): string {
  if (step.kind === 'run') return `run ${[step.command, ...step.args].join(' ')}`;
  const because = 'because' in step ? ` (${step.because})` : '';
  return `${step.kind} ${step.path.slice(root.length + 1)}${because}`;
}

const made = [
  `write-file ${sysusers} (missing)`,
  'make-folder etc/unnest',
  'make-folder etc/unnest/partitions',
  'make-folder etc/unnest/desired',
  'make-folder var/lib/unnest',
  `write-file ${config} (missing)`,
  ...rules.map((path) => `write-file ${path} (missing)`),
  `write-file ${unit} (missing)`,
];

describe('installing', () => {
  test('makes what is needed, and nothing of a running system in an image', async () => {
    const { install, modeOf, read } = image();
    const umask = process.umask(0o077);
    onTestFinished(() => void process.umask(umask));
    expect(await install()).toEqual(made);
    expect(
      ['etc/unnest', 'etc/unnest/partitions', 'etc/unnest/desired', 'var/lib/unnest'].map(modeOf),
    ).toEqual(['755', '755', '750', '711']);
    expect([unit, config, sysusers].map(modeOf)).toEqual(['644', '644', '644']);
    expect(read(unit)).toContain(`\nExecStart=${node} ${program}\n`);
    expect(read(unit)).toContain('\nOOMPolicy=continue\n');
    expect(read(sysusers)).toMatch(/\ng unnest -\n$/);
  });

  test('only says so until it is carried out', async () => {
    const { planInstall, everything } = image();
    const before = everything();
    expect(await planInstall()).toHaveLength(made.length);
    expect(everything()).toEqual(before);
  });

  test('a second time does nothing', async () => {
    const { install } = image();
    await install();
    const words = await install();
    expect(words.filter((each) => !each.startsWith('keep '))).toEqual([]);
    expect(words).toHaveLength(made.length);
  });

  test('the configuration that it writes is valid, and all defaults', async () => {
    const { install, read } = image();
    await install();
    expect(readConfig(read(config))).toEqual(readConfig(null));
  });

  test('what the configuration offers in its comments is valid too', async () => {
    const { install, read } = image();
    await install();
    const text = read(config)
      .replace('spec: {}', 'spec:')
      .replace(/^# {2}/gm, '  ');
    expect(text).toContain('\n  logLevel: info');
    expect(readConfig(text)).toMatchObject({ ok: true, config: { metrics: { port: 9464 } } });
  });

  test('renews what an earlier version has written', async () => {
    const { install, read } = image();
    await install({ node: program });
    expect(await install()).toContain(`write-file ${unit} (outdated)`);
    expect(read(unit)).toContain(`ExecStart=${node} `);
  });

  test('overwrites what somebody has changed only by force', async () => {
    const { install, read, write } = image();
    await install();
    const original = read(unit);
    write(unit, `${original}# mine\n`);
    expect(await install()).toContain(`conflict ${unit} (changed)`);
    expect(read(unit)).toBe(`${original}# mine\n`);
    expect(await install({ force: true })).toContain(`write-file ${unit} (forced)`);
    expect(read(unit)).toBe(original);
  });

  test('leaves a configuration and folders as they are, also by force', async () => {
    const { install, read, write, at, modeOf } = image();
    mkdirSync(at('etc/unnest/partitions'), { recursive: true, mode: 0o700 });
    write(config, 'mine');
    const words = await install({ force: true });
    expect(words).toContain(`keep ${config} (yours)`);
    expect([read(config), modeOf('etc/unnest/partitions')]).toEqual(['mine', '700']);
  });

  test('does not follow links', async () => {
    const { install, at, read } = image();
    mkdirSync(at('etc/systemd/system'), { recursive: true });
    writeFileSync(at('elsewhere'), 'precious');
    symlinkSync(at('elsewhere'), at(unit));
    expect(await install({ force: true })).toContain(`conflict ${unit} (not-a-file)`);
    expect(read('elsewhere')).toBe('precious');
  });

  test('does not leave the root by a link', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'unnest-outside-'));
    onTestFinished(() => rmSync(outside, { recursive: true }));
    const { install, at } = image();
    symlinkSync(outside, at('etc'));
    const words = await install({ force: true });
    expect(words.filter((each) => each.startsWith('conflict '))).toHaveLength(made.length - 1);
    expect(words).toContain(`conflict ${unit} (outside)`);
    expect(readdirSync(outside)).toEqual([]);
  });

  describe('what root would run', () => {
    const refused = (path: string) => `conflict ${path} (open-to-others)`;

    test.each([
      ['the program', 'opt/unnest/dist/bin/unnestd.js', 0o666],
      ['a folder on the way', 'opt/unnest', 0o777],
      ['a folder like /tmp', 'opt', 0o1777],
      ['Node', 'usr/bin/node', 0o757],
    ])('is not installed when anybody may write to it: %s', async (_what, path, mode) => {
      const { install, at } = image();
      chmodSync(at(path), mode);
      expect(await install()).toEqual([...made.slice(0, -1), refused(path)]);
      expect(existsSync(at(unit))).toBe(false);
      expect(await install({ force: true })).toContain(`write-file ${unit} (missing)`);
    });

    test('is looked for through links, none of which lead out', async () => {
      const { install, at } = image();
      mkdirSync(at('home/me'), { recursive: true });
      chmodSync(at('home/me'), 0o777);
      writeFileSync(at('home/me/node'), '', { mode: 0o755 });
      rmSync(at('usr/bin/node'));
      symlinkSync('../../../../../home/me/node', at('usr/bin/node'));
      expect(await install()).toContain(refused('home/me'));
      rmSync(at('usr/bin/node'));
      symlinkSync('/home/me/node', at('usr/bin/node'));
      expect((await installer.planInstall({ root: at(''), node, program, force: false })).at(-1)).toMatchObject({ kind: 'conflict' });
    }); // prettier-ignore

    test.skipIf(process.getuid?.() !== 0)('may be written to by root and its group (as root)', async () => {
      const { install, at } = image();
      chmodSync(at('opt/unnest'), 0o775);
      expect(await install()).toEqual(made);
      chownSync(at('opt/unnest'), 0, 1234);
      expect(await install()).toContain(refused('opt/unnest'));
      chownSync(at('opt/unnest'), 1234, 0);
      chmodSync(at('opt/unnest'), 0o755);
      expect(await install()).toContain(refused('opt/unnest'));
    }); // prettier-ignore
  });

  test('does nothing where the unit would run what is not there', async () => {
    const { install, at, everything } = image();
    rmSync(at(program));
    const before = everything();
    await expect(install()).rejects.toMatchObject({ code: 'Unsupported' });
    expect(everything()).toEqual(before);
  });
});

describe('removing', () => {
  test('leaves what was there before, and nothing else', async () => {
    const { install, uninstall, everything } = image();
    await install();
    const words = await uninstall();
    expect(words).toEqual([
      `remove-file ${unit} (unchanged)`,
      `remove-file ${sysusers} (unchanged)`,
      `remove-file ${config} (unchanged)`,
      ...rules.map((path) => `remove-file ${path} (unchanged)`),
      'remove-folder var/lib/unnest',
      'remove-folder etc/unnest/desired',
      'remove-folder etc/unnest/partitions',
      'remove-folder etc/unnest',
    ]);
    expect(
      everything().filter((path) => /unnest(?!\/dist)/.test(path) && !path.startsWith('opt')),
    ).toEqual([]);
    expect(await uninstall()).toEqual([]);
  });

  test('keeps documents, state and an edited configuration, also by force', async () => {
    const { install, uninstall, write, everything } = image();
    await install();
    write('etc/unnest/partitions/team-a.yaml', 'mine');
    write('var/lib/unnest/installation.id', 'id');
    write(config, 'mine');
    const words = await uninstall({ force: true });
    expect(words.filter((each) => each.startsWith('keep '))).toEqual([
      `keep ${config} (yours)`,
      'keep var/lib/unnest (in-use)',
      'keep etc/unnest/partitions (in-use)',
      'keep etc/unnest (in-use)',
    ]);
    expect(everything()).toEqual(
      expect.arrayContaining([
        config,
        'etc/unnest/partitions/team-a.yaml',
        'var/lib/unnest/installation.id',
      ]),
    );
  });

  test('keeps a unit that somebody has changed, unless by force', async () => {
    const { install, uninstall, write, at } = image();
    await install();
    write(unit, '[Service]\nExecStart=/bin/true\n');
    expect(await uninstall()).toContain(`conflict ${unit} (changed)`);
    expect(existsSync(at(unit))).toBe(true);
    expect(await uninstall({ force: true })).toContain(`remove-file ${unit} (forced)`);
    expect(existsSync(at(unit))).toBe(false);
  });

  test('does not empty a folder that was filled meanwhile', async () => {
    const { install, at, root } = image();
    await install();
    const steps = await installer.planUninstall({ root, node, program, force: false });
    writeFileSync(at('var/lib/unnest/installation.id'), 'id');
    for (const step of steps) await installer.carryOut(step);
    expect(lstatSync(at('var/lib/unnest/installation.id')).isFile()).toBe(true);
  });
});

describe('the stamp', () => {
  test('is broken by any change', () => {
    const text = stamped('a\nb\n');
    expect(isAsStamped(text)).toBe(true);
    for (let at = 0; at < text.length; at += 1) {
      expect(isAsStamped(`${text.slice(0, at)}~${text.slice(at + 1)}`)).toBe(false);
      expect(isAsStamped(text.slice(0, at))).toBe(false);
    }
    expect(isAsStamped(`${text}\n`)).toBe(false);
    expect(isAsStamped('a\nb\n')).toBe(false);
  });
});

describe('the unit', () => {
  test('names programs as systemd reads them', () => {
    const text = unitText({ node: '/opt/node 20%/bin/node', program: '/opt/é/unnestd.js' });
    expect(text).toContain('ExecStart="/opt/node 20%%/bin/node" /opt/é/unnestd.js\n');
  });

  test.each(['/a"b', '/a$b', "/a'b", '/a\nExecStartPre=/bin/evil', '/a\\b', 'relative'])(
    'cannot name %j',
    (path) => {
      expect(() => unitText({ node, program: path })).toThrow('cannot be named in a unit');
    },
  );

  const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

  test.skipIf(!hasSystemd)('is one that systemd understands (needs systemd-analyze)', async () => {
    const { install, at, write } = image();
    await install({ node: '/opt/unnest/dist/bin/unnestd.js' });
    const verify = () => {
      const args = ['verify', '--man=no', '--recursive-errors=no', `--root=${at('')}`, at(unit)];
      const { status, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
      return { status, stderr };
    };
    expect(verify()).toEqual({ status: 0, stderr: '' });
    // So that it is known that it would say so.
    write(unit, 'Nonsense=yes\n[Service]\nType=notify\nExecStart=/opt/none\n');
    expect(verify().status).not.toBe(0);
  });

  const hasSysusers = spawnSync('systemd-sysusers', ['--version']).status === 0;

  test.skipIf(!hasSysusers)('has a group that systemd makes (needs systemd-sysusers)', async () => {
    const { install, at, root } = image();
    await install();
    const args = [`--root=${root}`, '--dry-run', at(sysusers)];
    const { status, stdout, stderr } = spawnSync('systemd-sysusers', args, { encoding: 'utf8' });
    expect([status, stdout + stderr]).toEqual([0, expect.stringContaining("group 'unnest'")]);
  });
});
