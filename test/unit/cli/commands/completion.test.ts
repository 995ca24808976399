/** The script for bash is sourced and asked; those for zsh and fish are read. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../run.ts';

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'unnest-completion-'));
  writeFileSync(join(folder, 'script'), (await run(['completion', 'bash'])).stdout);
  writeFileSync(join(folder, 'web documents.yaml'), '');
  const fake = `#!/bin/sh\necho "$@" >>'${folder}/asked'\nprintf 'web-0\\nweb-1\\ndb\\n$(touch evil)\\n'\n`;
  writeFileSync(join(folder, 'unnest'), fake);
  chmodSync(join(folder, 'unnest'), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What bash offers when Tab is pressed at the end of the line. */
function offered(line: string): string[] {
  const program = `
    source ./script
    COMP_LINE=$1 COMP_POINT=\${#1} COMP_WORDS=(unnest) COMP_CWORD=1
    _unnest
    [[ \${#COMPREPLY[@]} -eq 0 ]] || printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = { ...process.env, PATH: `${folder}:${process.env['PATH']}` };
  const args = ['--norc', '-eu', '-c', program, 'bash', line];
  const text = execFileSync('bash', args, { cwd: folder, env, encoding: 'utf8' });
  return text.split('\n').filter((each) => each !== '');
}

describe('bash completes', () => {
  test('commands', () => {
    expect(offered('unnest pl')).toEqual(['plan']);
    expect(offered('unnest ')).toEqual(expect.arrayContaining(['apply', 'explain', 'man', 'help']));
    expect(offered('unnest help va')).toEqual(['validate']);
    expect(offered('unnest --v')).toEqual(['--version']);
  });

  test('options of the command, and their values', () => {
    expect(offered('unnest plan --det')).toEqual(['--detailed-exitcode']);
    expect(offered('unnest validate --det')).toEqual([]);
    expect(offered('unnest plan -o ')).toEqual(['text', 'json']);
    expect(offered('unnest plan --output=j')).toEqual(['json']);
    expect(offered('unnest -h doctor -o j')).toEqual(['json']);
  });

  test('files, for all that follow -f, blanks and all', () => {
    expect(offered('unnest plan -f web')).toEqual(['web documents.yaml']);
    expect(offered('unnest plan -f a.yaml we')).toEqual(['web documents.yaml']);
    expect(offered('unnest plan -f a.yaml --detailed-exitcode we')).toEqual([]);
    expect(offered('unnest plan -p we')).toEqual([]);
  });

  test('names of Secondaries as they are on the host that is meant', () => {
    expect(offered('unnest console we')).toEqual(['web-0', 'web-1']);
    const host = '-p team-a --host qemu:///system?socket=/run/x --state-dir=/srv';
    expect(offered(`unnest destroy ${host} --yes web-0 `)).toEqual(['web-0', 'web-1', 'db']);
    const asked = readFileSync(join(folder, 'asked'), 'utf8').trimEnd().split('\n');
    expect(asked.at(-1)).toBe(`get -o name --timeout 2 ${host}`);
  });

  test('kinds, shells, codes and fields', () => {
    expect(offered('unnest schema ')).toEqual(['Secondary', 'Partition', 'Volume', 'Image']);
    expect(offered('unnest completion ')).toEqual(['bash', 'zsh', 'fish']);
    expect(offered('unnest explain Missing')).toEqual(['MissingField']);
    expect(offered('unnest explain spec.mem')).toEqual(['spec.memory']);
  });
});

describe.each(['bash', 'zsh', 'fish'])('the script for %s', (shell) => {
  test('has every command and every option', async () => {
    const { stdout } = await run(['completion', shell]);
    const help = (await run(['--help'])).stdout;
    const commands = [...help.matchAll(/^ {2}([a-z]+) /gm)].map(([, name = '']) => name);
    expect(commands.length).toBeGreaterThan(8);
    for (const name of commands) {
      expect(stdout).toMatch(new RegExp(`\\b${name}\\b`));
      const options = (await run([name, '--help'])).stdout.matchAll(/(?<=[ ,])--([a-z-]+)/g);
      for (const [, option = ''] of options) expect(stdout).toContain(option);
    }
  });

  test('is the same each time, and no other shell is taken', async () => {
    expect(await run(['completion', shell])).toEqual(await run(['completion', shell]));
    expect((await run(['completion', `${shell}x`])).code).toBe(64);
  });
});
