/** What tests of the daemon rely on: one time, and crashes that lose what a crash would lose. */
import { expect, test } from 'vitest';
import { testHost, worldOf } from '../../support/simulation.ts';
import { virtualRuntime } from '../../support/virtual-runtime.ts';
import { callFails, writeFails, writesFail } from '../../support/virtual-files.ts';

const never = new AbortController().signal;

test('timers run in order, each at its own time, and what they start runs in between', async () => {
  const { timers, clock, advance } = virtualRuntime();
  const seen: string[] = [];
  const say = (what: string) => seen.push(`${what} at ${clock.now()}`);
  timers.after(20, () => say('b'));
  timers.after(10, () => {
    say('a');
    void timers.sleep(5, never).then(() => say('woken'));
  });
  timers.after(20, () => say('c'));
  const stop = timers.after(15, () => say('stopped'));
  stop();
  timers.after(21, () => say('late'));
  await advance(20);
  expect(seen).toEqual(['a at 10', 'woken at 15', 'b at 20', 'c at 20']);
  expect(clock.now()).toBe(20);
});

test('a sleep ends when its signal fires', async () => {
  const { timers, settle, time } = virtualRuntime();
  const abort = new AbortController();
  let isAwake = false;
  void timers.sleep(1000, abort.signal).then(() => (isAwake = true));
  abort.abort();
  await settle();
  expect(isAwake).toBe(true);
  expect(time.waiting).toBe(0);
});

test('the simulated host lives in the same time', async () => {
  const runtime = virtualRuntime();
  const host = testHost(worldOf({}), { clock: runtime.time.hostClock });
  let isAwake = false;
  void host.clock.sleep(500, never).then(() => (isAwake = true));
  await runtime.advance(499);
  expect(isAwake).toBe(false);
  await runtime.advance(1);
  expect(isAwake).toBe(true);
  expect(host.clock.now()).toBe(runtime.clock.wall());
});

test('a crash before a write leaves what was there, one after it leaves the new', async () => {
  for (const [when, left] of [
    ['before', 'one'],
    ['after', 'two'],
  ] as const) {
    const runtime = virtualRuntime();
    await runtime.files.replace('/a', 'one', 0o600);
    runtime.files.crashAtWrite(2, when);
    await expect(runtime.files.replace('/a', 'two', 0o600)).rejects.toThrow('dead');
    await expect(runtime.files.replace('/b', 'x', 0o600)).rejects.toThrow('dead');
    await expect(runtime.files.read('/a', 9)).rejects.toThrow('dead');
    expect(runtime.disk.text('/a')).toBe(left);
    expect(runtime.disk.text('/b')).toBeNull();
    const next = runtime.restart();
    await next.files.replace('/b', 'x', 0o600);
    expect(next.disk.text('/b')).toBe('x');
  }
});

test('a dead process wakes no more, and tells nothing', async () => {
  const runtime = virtualRuntime();
  runtime.disk.folder('/f');
  const seen: string[] = [];
  runtime.timers.after(10, () => seen.push('timer'));
  void runtime.timers.sleep(10, never).then(() => seen.push('sleep'));
  await runtime.files.watch('/f', (sign) => seen.push(sign));
  await runtime.sockets.listen({ kind: 'loopback', port: 1 }, () => seen.push('connection'));
  runtime.crash();
  runtime.disk.write('/f/a', 'x');
  await runtime.advance(100);
  expect(seen).toEqual([]);
  expect(() => runtime.sockets.connect(1)).toThrow('nobody listens');
});

test('a loss of power takes back swaps, and never replacements', async () => {
  const runtime = virtualRuntime();
  await runtime.files.replace('/kept', 'one', 0o600);
  await runtime.files.swap('/kept', 'two', 0o600);
  await runtime.files.swap('/new', 'x', 0o600);
  await runtime.files.swap('/then', 'x', 0o600);
  await runtime.files.replace('/then', 'y', 0o600);
  const { disk } = runtime.restart({ losePower: true });
  expect(disk.text('/kept')).toBe('one');
  expect(disk.text('/new')).toBeNull();
  expect(disk.text('/then')).toBe('y');
});

test('what is spoiled fails as it says, and writes nothing', async () => {
  const { files, disk } = virtualRuntime();
  files.faults.push(writeFails(1, 'NoSpace'), writesFail('ReadOnly', '/ro'));
  disk.folder('/ro');
  await expect(files.replace('/a', 'x', 0o600)).rejects.toMatchObject({ code: 'NoSpace' });
  await expect(files.replace('/a', 'x', 0o600)).resolves.toBeUndefined();
  await expect(files.swap('/ro/a', 'x', 0o600)).rejects.toMatchObject({ code: 'ReadOnly' });
  files.faults.push(callFails('read', 'PermissionDenied', '/a'));
  await expect(files.read('/a', 9)).rejects.toMatchObject({ code: 'PermissionDenied' });
  expect(disk.filesBelow('/')).toEqual(['/a']);
});

test('sockets connect two ends', async () => {
  const { sockets, settle } = virtualRuntime();
  const address = { kind: 'unix', path: '/run/s', mode: 0o660, group: null } as const;
  const peers: unknown[] = [];
  const listening = await sockets.listen(address, (stream, peer) => {
    peers.push(peer);
    stream.end('hello');
  });
  await expect(sockets.listen(address, () => {})).rejects.toThrow('somebody listens');
  const stream = sockets.connect('/run/s', { uid: 7, gid: 8, pid: 9 });
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await settle();
  expect([text, peers]).toEqual(['hello', [{ uid: 7, gid: 8, pid: 9 }]]);
  await listening.close();
  expect(() => sockets.connect('/run/s')).toThrow('nobody listens');
});
