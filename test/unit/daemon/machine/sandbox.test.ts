import { expect, test } from 'vitest';
import { nodeSandbox, workerTask } from '../../../../src/daemon/machine/sandbox.ts';
import { sandboxCommand } from '../../../../src/host/sandbox/command.ts';

const programs = {
  bwrap: '/usr/bin/bwrap',
  prlimit: '/usr/bin/prlimit',
  choom: '/usr/bin/choom',
  setpriv: '/usr/bin/setpriv',
};
const worker = nodeSandbox({ node: '/usr/bin/node', nodeMajor: 20 }, workerTask);

test('root becomes nobody first; within, limits are set before the worker runs', () => {
  const words = sandboxCommand(programs, worker);
  expect(words.slice(0, 8)).toEqual([
    '/usr/bin/choom',
    '--adjust=1000',
    '--',
    '/usr/bin/setpriv',
    '--reuid=65534',
    '--regid=65534',
    '--clear-groups',
    '/usr/bin/bwrap',
  ]);
  const inside = words.slice(words.indexOf('--', 3) + 1);
  expect(inside[0]).toBe('/prlimit');
  expect(inside.slice(inside.indexOf('--') + 1).filter((word) => !word.startsWith('--'))).toEqual([
    '/node',
    '/worker.mjs',
  ]);
});

test('who is not root needs bubblewrap alone, in the same sandbox', () => {
  const [root, user] = [programs.setpriv, null].map((setpriv) =>
    sandboxCommand({ ...programs, setpriv }, worker),
  );
  expect(user).toEqual([...(root?.slice(0, 3) ?? []), ...(root?.slice(7) ?? [])]);
});

test('system calls are filtered', () => {
  const words = sandboxCommand(programs, worker);
  expect(words.indexOf('--seccomp')).toBeLessThan(words.lastIndexOf('--'));
  expect(words[words.indexOf('--seccomp') + 1]).toBe('4');
});

test('a Node that takes its whole range for code at once gets that on top', () => {
  const dataOf = (nodeMajor: number) =>
    nodeSandbox({ node: '/usr/bin/node', nodeMajor }, workerTask).limits.dataBytesMax;
  expect(dataOf(22)).toEqual(512 * 2 ** 20);
  expect(dataOf(24)).toEqual(1024 * 2 ** 20);
});

test('nothing of the host is bound but libraries and two programs, and nothing to be written', () => {
  const words = sandboxCommand(programs, worker);
  const bound = words.flatMap((word, at) => (word.includes('bind') ? [[word, words[at + 1]]] : []));
  expect(bound).toEqual([
    ['--ro-bind-try', '/lib'],
    ['--ro-bind-try', '/lib64'],
    ['--ro-bind-try', '/usr/lib'],
    ['--ro-bind-try', '/usr/lib64'],
    ['--ro-bind', '/usr/bin/prlimit'],
    ['--ro-bind', '/usr/bin/node'],
    ['--ro-bind-data', '3'],
  ]);
});

test('what launches it comes first, and everything else as without it', () => {
  const launcher = ['/usr/bin/systemd-run', '--scope', '--'];
  expect(sandboxCommand(programs, worker, launcher)).toEqual([
    ...launcher,
    ...sandboxCommand(programs, worker),
  ]);
});
