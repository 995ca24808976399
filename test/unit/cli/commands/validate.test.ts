import { expect, test } from 'vitest';
import { documentOf, secondaryDocument } from '../../documents/parsing.ts';
import { run } from '../run.ts';

const limits = 'limits: { vcpus: 4, memory: 8GiB, storage: 1GiB, secondaries: 9 }';
const policy = 'policy: { devices: [gpu] }';
const partition = documentOf('Partition', 'team-a', [limits, policy]);

test('counts what is there, with replicas, and notes what cannot be applied yet', async () => {
  const stdin =
    secondaryDocument('web', 'replicas: 3') +
    documentOf('Volume', 'a', ['size: 1GiB']) +
    documentOf('Volume', 'b', ['size: 1GiB']) +
    partition;
  const { code, stdout, stderr } = await run(['validate', '-f', '-'], { stdin });
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: 'Valid: 3 Secondaries, 1 Partition, 2 Volumes.\n',
  });
  expect(stderr.match(/NotYetSupported/g)).toHaveLength(1);
});

test('plan and apply refuse those, all of them', async () => {
  const stdin = secondaryDocument('web') + partition;
  for (const command of ['plan', 'apply']) {
    const argv = [
      command,
      '-f',
      '-',
      '-p',
      'team-a',
      '--host',
      'sim:/nonexistent/never-opened.json',
    ];
    const { code, stdout, stderr } = await run(argv, { stdin });
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toMatch(/-:17:13: NotYetSupported: spec.policy.devices: this is valid/);
  }
});

test('the partition that was named, by option or variable, is the one described', async () => {
  const said = (argv: string[], variables = {}) =>
    run(['validate', '-f', '-', ...argv], { stdin: partition, variables });
  expect((await said([])).code).toBe(0);
  expect((await said(['-p', 'team-a'])).code).toBe(0);
  expect((await said(['-p', 'default'])).code).toBe(4);
  expect((await said([], { UNNEST_PARTITION: 'team-b' })).stderr).toContain('WrongPartition');
  expect((await said([], { UNNEST_PARTITION: 'team-a' })).code).toBe(0);
});

test('schema prints what schemas/ holds', async () => {
  const { stdout } = await run(['schema', 'Volume']);
  expect(JSON.parse(stdout)).toMatchObject({ title: 'Volume' });
  expect(JSON.parse((await run(['schema'])).stdout)).toMatchObject({ title: 'unnest' });
  expect((await run(['schema', 'Pod'])).code).toBe(64);
});
