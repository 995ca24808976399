/** `unnest host`: what it prints and how it ends; what it does is the installer's own test. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { run } from '../run.ts';

function image() {
  const root = mkdtempSync(join(tmpdir(), 'unnest-host-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'bin'));
  for (const name of ['node', 'unnestd.js']) writeFileSync(join(root, 'bin', name), '');
  const options = ['--root', root, '--node', '/bin/node', '--program', '/bin/unnestd.js'];
  const host = async (action: string, ...more: readonly string[]) => {
    const { code, stdout, stderr } = await run(['host', action, ...options, ...more]);
    return { code, lines: stdout.replaceAll(root, '').trimEnd().split('\n'), stderr };
  };
  return { root, host };
}

describe('unnest host', () => {
  test('says each step, the same in a dry run', async () => {
    const { root, host } = image();
    const dry = await host('install', '--dry-run');
    expect(dry.lines.at(-1)).toBe('Dry run: nothing was done; steps to take: 9.');
    expect(existsSync(join(root, 'etc'))).toBe(false);
    const wet = await host('install');
    expect(wet).toEqual({
      code: 0,
      stderr: '',
      lines: [
        '  create    /etc/sysusers.d/unnest.conf',
        '  create    /etc/unnest/ (mode 0755)',
        '  create    /etc/unnest/partitions/ (mode 0755)',
        '  create    /etc/unnest/desired/ (mode 0750)',
        '  create    /var/lib/unnest/ (mode 0711)',
        '  create    /etc/unnest/unnestd.yaml',
        '  create    /etc/udev/rules.d/12-unnest.rules',
        '  create    /etc/udev/rules.d/58-unnest.rules',
        '  create    /etc/systemd/system/unnestd.service',
        'Installed. Enable it with: systemctl --root= enable unnestd',
      ],
    });
    expect(dry.lines.slice(0, -1)).toEqual(wet.lines.slice(0, -1));
    expect((await host('install')).lines.at(-1)).toBe('Nothing to do.');
  });

  test('ends with 3 where something stays that was to be another', async () => {
    const { root, host } = image();
    await host('install');
    writeFileSync(join(root, 'etc/systemd/system/unnestd.service'), 'mine');
    const { code, lines } = await host('install');
    expect(code).toBe(3);
    expect(lines.slice(-2)).toEqual([
      '  conflict  /etc/systemd/system/unnestd.service: somebody has changed it, so it stays; --force does not mind',
      'Not all of it could be done: see the conflicts.',
    ]);
    expect((await host('install', '--force')).code).toBe(0);
  });

  test('says what uninstalling keeps', async () => {
    const { root, host } = image();
    await host('install');
    writeFileSync(join(root, 'var/lib/unnest/installation.id'), '');
    const { code, lines } = await host('uninstall');
    expect(code).toBe(0);
    expect(lines).toContain('  keep      /var/lib/unnest (there is something in it)');
    expect(lines.at(-1)).toBe('Uninstalled. State, and documents that somebody wrote, are kept.');
  });

  test('says what is missing, and knows no other action', async () => {
    const { host } = image();
    const missing = await host('install', '--program', '/none.js');
    expect([missing.code, missing.stderr]).toEqual([3, expect.stringContaining('/none.js')]);
    expect(missing.stderr).toContain('--node and --program say where they are in ');
    expect((await host('instal')).code).toBe(64);
  });
});
