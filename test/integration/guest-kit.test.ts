/**
 * The guest kit on command: what client.pl does is seen from outside the guest wherever it can be,
 * by what its QEMU uses, what its network carries and what its disk holds. QEMU is started bare,
 * since its own capture of packets is the witness, and libvirt has nothing to do here.
 */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../support/until.ts';

const client = fileURLToPath(new URL('../support/guest/client.pl', import.meta.url));
const kit = process.env['UNNEST_GUEST_KIT'] ?? '';
const MIB = 1024 * 1024;

let folder: string;
let qemu: ChildProcessWithoutNullStreams;
let said = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'guest-kit-'));
  await writeFile(join(folder, 'disk.img'), '');
  await truncate(join(folder, 'disk.img'), 8 * MIB);
  qemu = spawn('qemu-system-x86_64', await qemuArguments());
  qemu.stdout.on('data', (chunk: Buffer) => (said += chunk.toString('latin1')));
  await hears(/guest-kit address 10\.0\.2\.15\r?\n/);
});

afterAll(async () => {
  qemu.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

async function qemuArguments(): Promise<string[]> {
  const cmdline = (await readFile(join(kit, 'cmdline'), 'utf8')).trim();
  const kvm = process.env['UNNEST_DOMAIN_TYPE'] === 'kvm';
  const words = [
    kvm ? '-accel kvm -cpu host' : '-accel tcg -cpu qemu64',
    '-machine q35 -smp 2 -m 256 -nodefaults -no-reboot -display none -serial stdio',
    `-kernel ${kit}/vmlinuz -initrd ${kit}/initrd.img`,
    `-drive file=${folder}/disk.img,format=raw,if=none,id=disk`,
    '-device virtio-blk-pci,drive=disk,serial=data',
    '-netdev user,id=net,restrict=on -device virtio-net-pci,netdev=net',
    `-object filter-dump,id=dump,netdev=net,file=${folder}/packets`,
  ];
  const append = `${cmdline} unnest.name=guest-kit unnest.do=client unnest.every=60`;
  return [...words.flatMap((each) => each.split(' ')), '-append', append];
}

/** What it has said since then, once it has said it: a guest under emulation takes its time. */
async function hears(pattern: RegExp, from = 0): Promise<string> {
  const text = () => said.slice(from);
  const isSaid = (now: string) => pattern.test(now);
  await until(`${pattern} is said`, text, isSaid, { msMax: 100_000, everyMs: 20 });
  return pattern.exec(text())?.[1] ?? '';
}

/** Types a line into the guest's console; what it answers. */
async function type(line: string): Promise<string> {
  const from = said.length;
  qemu.stdin.write(`${line}\n`);
  return hears(/guest-kit answer (.*?)\r?\n/, from);
}

/** Clock ticks that QEMU has used, of which there are 100 in a second. */
async function cpuTicks(): Promise<number> {
  const stat = await readFile(`/proc/${qemu.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

async function residentMib(): Promise<number> {
  const status = await readFile(`/proc/${qemu.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

/** What client.pl answers to a request as bytes, on this machine: no guest is needed to read HTTP. */
function overStdio(request: string | Buffer): string {
  return spawnSync('perl', [client, 'stdio'], { input: request, encoding: 'latin1' }).stdout;
}

test('facts are what QEMU was told', async () => {
  const answer = await type('do GET /facts');
  expect(JSON.parse(answer.replace(/^200 /, ''))).toMatchObject({
    name: 'guest-kit',
    vcpus: 2,
    disks: [{ name: 'vda', serial: 'data', bytes: 8 * MIB }],
    addresses: ['10.0.2.15'],
    bootId: expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
});

test('what is written is on the disk, and a disk ends where it ends', async () => {
  expect(await type('do POST /write?disk=vda&mib=2')).toBe('200 wrote 2 MiB');
  const disk = await open(join(folder, 'disk.img'));
  const { buffer } = await disk.read(Buffer.alloc(12), 0, 12, MIB);
  await disk.close();
  expect(buffer.toString()).toBe('unnestunnest');
  expect(await type('do GET /read?disk=vda&mib=9')).toMatch(/^507 the disk ends after 8 MiB/);
  expect(await type('do GET /read?disk=vdb&mib=1')).toBe('404 no such disk');
});

test('memory is eaten, and processes stay, until they are freed', async () => {
  const before = await residentMib();
  expect(await type('do POST /eat?mib=100')).toBe('200 holds 100 MiB');
  expect((await residentMib()) - before).toBeGreaterThan(60);
  expect(await type('do POST /fork?count=5')).toBe('200 holds 5 processes');
  expect(await type('do POST /free')).toBe('200 ended 6');
  expect(await type('do POST /free')).toBe('200 ended 0');
});

test('a burn takes CPU time of the host', async () => {
  const before = await cpuTicks();
  expect(await type('do POST /burn?seconds=60&vcpus=2')).toBe('200 burns 2 for 60 s');
  await until('a second of it is burnt', cpuTicks, (ticks) => ticks > before + 100);
  expect(await type('do POST /free')).toBe('200 ended 2');
});

test('a spoofed frame is on the wire with its forged source', async () => {
  expect(await type('do POST /spoof?mac=52:54:00:aa:bb:cc&ip=10.9.8.7&to=10.0.2.2')).toBe(
    '200 sent 60',
  );
  // Broadcast, from the forged address, ARP; inside, the same sender with the forged IP.
  const forged = 'ffffffffffff525400aabbcc08060001080006040001525400aabbcc0a090807';
  const packets = async () => (await readFile(join(folder, 'packets'))).toString('hex');
  await until('it is on the wire', packets, (seen) => seen.includes(forged));
});

test('any frame is on the wire as it stands, and as often', async () => {
  const frame = `0180c200000e52eeeeeeeeee88cc${'5a'.repeat(50)}`;
  expect(await type(`do POST /frame?hex=${frame}&count=3`)).toBe('200 sent 64');
  const seen = async () =>
    (await readFile(join(folder, 'packets'))).toString('hex').split(frame).length - 1;
  await until('all of them are on the wire', seen, (count) => count === 3);
});

test('it says whether anybody answers', async () => {
  // An answer that is late does not count.
  const both = () => type('do GET /echo?to=10.0.2.2&count=2');
  await until('both pings are answered', both, (answer) => answer === '200 2 of 2');
  expect(await type('do GET /echo?to=10.0.2.200&count=1&wait=1')).toBe('200 0 of 1');
});

test('over AF_VSOCK, by loopback, the guest answers itself', async () => {
  expect(await type('do POST /request?cid=1&port=1024&path=/ping')).toBe(
    String.raw`200 {"status":200,"body":"pong\u000a"}`,
  );
  expect(await type('do POST /request?cid=1&port=1024&path=/nothing')).toMatch(
    /^200 {"status":404/,
  );
  expect(await type('do POST /request?cid=1&port=77')).toMatch(/^502 cannot connect to 1:77/);
});

test('garbage on the console is refused, and the next command works', async () => {
  for (const line of [
    'hello',
    'do',
    'do get /ping',
    'do GET ping',
    '\u0001\u0002{{{',
    'x'.repeat(3000),
  ]) {
    expect(await type(line)).toBe('400 say: do METHOD PATH');
  }
  expect(await type('do GET /burn')).toMatch(/^405 /);
  expect(await type('do POST /eat?mib=-1')).toMatch(/^400 mib must be/);
  expect(await type('do POST /spoof?mac=no')).toMatch(/^400 mac must be/);
  expect(await type('do POST /frame?hex=00')).toMatch(/^400 hex must be/);
  expect(await type('do GET /tcp?to=nowhere&port=1')).toMatch(/^400 ip and to/);
  expect(await type('do GET /ping')).toBe('200 pong');
});

test.each([
  ['with headers', 'GET /ping HTTP/1.1\r\nhost: x\r\n\r\n', 200],
  ['of 1.0 with bare newlines', 'GET /ping HTTP/1.0\n\n', 200],
  ['with a body', 'GET /ping HTTP/1.1\r\ncontent-length: 4\r\n\r\nabcd', 200],
  ['with half a body', 'GET /ping HTTP/1.1\r\ncontent-length: 5\r\n\r\nabcd', 400],
  ['with a huge body', 'GET /ping HTTP/1.1\r\ncontent-length: 65537\r\n\r\n', 413],
  ['in chunks', 'GET /ping HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n', 501],
  ['with a huge head', `GET /ping HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
  ['of another version', 'GET /ping HTTP/2\r\n\r\n', 400],
  ['of no version', 'GET /ping\r\n\r\n', 400],
  ['of zeros', '\u0000\u0001\r\n\r\n', 400],
  ['of nothing', '', 400],
])('an HTTP request %s', (_, request, status) => {
  const answer = overStdio(request);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  expect(head).toContain(`content-length: ${body.length}\r\n`);
});

test('it powers off on command', async () => {
  const ended = once(qemu, 'exit');
  expect(await type('do POST /poweroff')).toBe('200 powers off');
  expect(await ended).toEqual([0, null]);
});
