/**
 * The rig itself: that its libvirtd is real and private, that the guest kit boots, and that
 * nothing is left when it ends. The rig that this file runs in plays the machine here: rigs
 * are started inside it, and what they leave behind shows in it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, expect, test } from 'vitest';

const support = fileURLToPath(new URL('../support/', import.meta.url));
const kit = process.env['UNNEST_GUEST_KIT'] ?? '';

interface Result {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, in a process group of its own, as a terminal would. */
function start(command: string, ...args: string[]) {
  const child = spawn(command, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = once(child, 'close').then(([code, signal]): Result => ({
    code,
    signal,
    stdout,
    stderr,
  }));
  return { child, ended, stdout: () => stdout };
}

const run = (command: string, ...args: string[]) => start(command, ...args).ended;
const startRig = (script: string, ...args: string[]) =>
  start(`${support}rig.sh`, 'bash', '-c', script, 'script', ...args);
const rig = (script: string, ...args: string[]) => startRig(script, ...args).ended;
const virsh = async (...args: string[]) => (await run('virsh', '--quiet', ...args)).stdout.trim();

/** TMPDIR has the same name in every rig, and is another directory in each. */
const tmp = process.env['TMPDIR'] ?? '';

const guestXml = (name: string) => `
  <domain type='${process.env['UNNEST_DOMAIN_TYPE']}'>
    <name>${name}</name><memory unit='MiB'>128</memory><vcpu>2</vcpu>
    <os><type machine='q35'>hvm</type>
      <kernel>${kit}/vmlinuz</kernel><initrd>${kit}/initrd.img</initrd>
      <cmdline>console=ttyS0 quiet unnest.name=${name}</cmdline></os>
    <features><acpi/></features>
    <devices><serial type='file'><source path='${tmp}/${name}.log'/></serial></devices>
  </domain>`;

async function createGuest(name: string) {
  await writeFile(`${tmp}/${name}.xml`, guestXml(name));
  expect(await run('virsh', '--quiet', 'create', `${tmp}/${name}.xml`)).toMatchObject({ code: 0 });
}

/** Creates the guest given as the first argument, from within a rig. */
const createInside = 'printf %s "$1" >$TMPDIR/inner.xml; virsh --quiet create $TMPDIR/inner.xml';

const consoleOf = (name: string) => readFile(`${tmp}/${name}.log`, 'utf8');

/** All that a rig could leave on the machine it runs on. */
async function traces() {
  const lists = ['/run', '/etc/libvirt', '/var/lib/libvirt', '/var/log/libvirt', '/dev'];
  const files = await Promise.all(lists.map(async (path) => [path, await readdir(path)] as const));
  const processes = await readdir('/proc').then((names) =>
    names.filter((name) => /^\d+$/.test(name)),
  );
  const commands = await Promise.all(
    processes.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return {
    mounts: await readFile('/proc/self/mountinfo', 'utf8'),
    files: files.map(([path, names]) => `${path}: ${names.sort().join(' ')}`),
    emulators: commands.filter((command) => /libvirtd|qemu-system|unshare|rig\.sh/.test(command)),
  };
}

beforeAll(() => {
  if (process.env['UNNEST_RIG'] !== '1') {
    throw new Error('integration tests need the rig: run them by `npm test`, as root');
  }
});

afterEach(async () => {
  for (const name of (await virsh('list', '--name')).split('\n').filter(Boolean)) {
    await virsh('destroy', name);
  }
});

test('a real libvirtd answers, and knows no domain yet', async () => {
  expect(await virsh('uri')).toBe('qemu:///system');
  expect(await virsh('list', '--all')).toBe('');
});

test('a guest boots to its banner and obeys an ACPI shutdown', async () => {
  await createGuest('rig-banner');
  await expect
    .poll(() => consoleOf('rig-banner'), { timeout: 60_000 })
    .toMatch(/rig-banner booted: 2 vCPU, 128 MiB\r?\n[^]*rig-banner up \d+ s, 2 vCPU, 128 MiB/);
  await virsh('shutdown', 'rig-banner');
  await expect.poll(() => virsh('list', '--name'), { timeout: 60_000 }).toBe('');
});

test('libvirtd restarts, while its guests live on', async () => {
  const pid = () => readFile(process.env['RIG_LIBVIRTD_PID'] ?? '', 'utf8');
  await createGuest('rig-survivor');
  const [before, id] = [await pid(), await virsh('domid', 'rig-survivor')];
  expect(await run(`${support}rig-libvirtd.sh`, 'restart')).toMatchObject({ code: 0, stderr: '' });
  expect(await pid()).not.toBe(before);
  expect(await virsh('domid', 'rig-survivor')).toBe(id);
});

test('the network is private, and /dev/kvm is there only if it works', async () => {
  expect(await readdir('/sys/class/net')).toEqual(['lo']);
  const devices = await readdir('/dev');
  expect(devices.includes('kvm')).toBe(process.env['UNNEST_DOMAIN_TYPE'] === 'kvm');
});

test('pseudo-terminals work', async () => {
  expect((await run('script', '-qec', 'tty', '/dev/null')).stdout.trim()).toMatch(
    /^\/dev\/pts\/\d+$/,
  );
});

test('a rig neither sees nor touches the libvirt of its machine', async () => {
  await createGuest('machine-guest');
  const inner = await rig(
    `virsh --quiet list --all --name; ${createInside}; virsh --quiet list --all --name`,
    guestXml('inner-guest'),
  );
  expect(inner.stderr).toBe('');
  expect(inner.stdout.trim()).toBe('inner-guest');
  expect(await virsh('list', '--all', '--name')).toBe('machine-guest');
});

test('the exit code of the command is passed on', async () => {
  expect((await rig('exit 7')).code).toBe(7);
});

test('two rigs at once do not meet', async () => {
  const both = await Promise.all([rig('virsh uri; sleep 1'), rig('virsh uri; sleep 1')]);
  expect(both.map(({ code }) => code)).toEqual([0, 0]);
});

test.each([
  { end: 'exit', code: 0, signal: null },
  { end: 'SIGINT', code: 130, signal: null },
  { end: 'SIGTERM', code: null, signal: 'SIGTERM' },
  { end: 'SIGKILL', code: null, signal: 'SIGKILL' },
] as const)('nothing is left after $end', async ({ end, code, signal }) => {
  const before = await traces();
  const wait = end === 'exit' ? 'true' : 'sleep 60';
  const inner = startRig(`${createInside} && echo up; ${wait}`, guestXml('inner-guest'));
  await expect.poll(inner.stdout, { timeout: 60_000 }).toContain('up\n');
  const pid = inner.child.pid ?? 0;
  // Ctrl-C goes to the whole process group, kill to the one process.
  if (end === 'SIGINT') process.kill(-pid, end);
  else if (end !== 'exit') process.kill(pid, end);
  expect(await inner.ended).toMatchObject({ code, signal });
  await expect.poll(traces, { timeout: 60_000 }).toEqual(before);
});
