import { expect, test } from 'vitest';
import { exitCodes } from '../../../../src/cli/exit-codes.ts';
import { run } from '../run.ts';

test('the manual page has every command, and no text is taken for a request', async () => {
  const { stdout } = await run(['man']);
  const requests = new Set(stdout.match(/^[.'][^ \n]*/gm));
  expect([...requests].sort()).toEqual(['.B', '.BR', '.I', '.SH', '.SS', '.TH', '.TP']);
  const help = (await run(['--help'])).stdout;
  const commands = [...help.matchAll(/^ {2}([a-z]+) /gm)].map(([, name = '']) => name);
  for (const name of commands) {
    expect(name === 'help' || stdout.includes(`.SS "unnest ${name}`)).toBe(true);
  }
  for (const code of Object.values(exitCodes)) expect(stdout).toContain(`.B ${code}\n`);
  expect(stdout).toContain('\\fB\\-f\\fR, \\fB\\-\\-file\\fR \\fIpath\\fR ...');
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
});
