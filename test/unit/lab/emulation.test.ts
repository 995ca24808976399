/** What the lab takes for the emulation's: too little, and CI fails for nothing; too much, and a defect is tried again. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lastWords, lostPrimaries } from '../../lab/emulation.ts';

test.each([
  '[  412.1] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:',
  '[  412.1] rcu: INFO: rcu_preempt self-detected stall on CPU',
  '[  412.1] rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-... }',
  '[  412.1] watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [CPU 0/KVM:812]',
  '[  412.1] BUG: unable to handle page fault for address: ffffb0b5c0c2fe58',
  '[  412.1] Oops: 0002 [#1] PREEMPT SMP NOPTI',
  '[  412.1] general protection fault, probably for non-canonical address 0xdead: 0000 [#1] PREEMPT SMP',
  '[  412.1] double fault: 0000 [#1] PREEMPT SMP NOPTI',
  '[  412.1] INFO: task jbd2/vda-8:171 blocked for more than 120 seconds.',
  '[  412.1] Kernel panic - not syncing: Fatal exception in interrupt',
])('a kernel has given up that says %s', (line) => {
  const said = lastWords(`[  411.0] before\n${line}\n[  412.2] Call Trace:\n`);
  expect(said).toBe(`${line}\n[  412.2] Call Trace:`);
});

test.each([
  '[  412.1] traps: node[881] general protection fault ip:7f1 sp:7ff error:0 in libc.so.6[7f0+1a0000]',
  '[  412.1] node[881]: segfault at 0 ip 00007f1 sp 00007ff error 4 in koffi.node[7f0+1a0000]',
  '[  412.1] Memory cgroup out of memory: Killed process 881 (perl) total-vm:1052260kB',
  '[  412.1] systemd[1]: unnestd.service: DEBUG: Main process exited, code=killed, status=9/KILL',
  '[  412.1] unnestd.service: Failed with result watchdog',
])('a kernel has not that tells of a program: %s', (line) => {
  expect(lastWords(line)).toBeNull();
});

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unnest-test-'));
  for (const each of ['consoles', 'qemu']) mkdirSync(join(folder, each));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Of a Primary that was started once. */
function lost(console: string): string {
  writeFileSync(join(folder, 'consoles/team-a.log'), console);
  writeFileSync(join(folder, 'qemu/team-a.log'), 'x: starting up libvirt version: 9.0.0\n');
  const line = lostPrimaries(join(folder, 'consoles'), join(folder, 'qemu'));
  return execFileSync('bash', ['-c', line], { encoding: 'utf8' });
}

const booted = 'unnest-guest team-a booted: 1 vCPU, 192 MiB\n';
const up = 'unnest-guest team-a up 30 s, 1 vCPU, 192 MiB\n';

test.each([
  [booted + up + booted, 'team-a has begun anew'],
  [`${booted}unnest-guest team-a serves no more (139)\n${up}`, 'serves no more (139)'],
  [`${booted}[   31.0] Oops: 0000 [#1] SMP\n`, 'Oops: 0000 [#1]'],
  [`${booted}[   31.0] Kernel panic - not syncing: Attempted to kill init!\n`, 'Kernel panic'],
  [
    `${booted}[   31.0] client.pl[70]: segfault at 0 ip 0 sp 0 error 4\n`,
    'client.pl[70]: segfault',
  ],
])('a Primary is lost that says %j', (console, why) => {
  expect(lost(console)).toContain(why);
});

test.each([
  booted + up + up,
  '',
  `${booted}[   31.0] node[99]: segfault at 0 ip 0 sp 0 error 4 in koffi.node\n`,
  `${booted}[  300.0] watchdog: BUG: soft lockup - CPU#0 stuck for 90s! [sh:1]\n${up}`,
])('and none that says %j', (console) => {
  expect(lost(console)).toBe('');
});

test('where there are no Primaries, none is lost', () => {
  const line = lostPrimaries(join(folder, 'consoles'), join(folder, 'qemu'));
  expect(execFileSync('bash', ['-c', line], { encoding: 'utf8' })).toBe('');
});
