/**
 * systemd's side of the notification, as a socket of the test's own: what really comes out at the
 * other end, through koffi and through the program `systemd-notify`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import koffi from 'koffi';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemdNotify, systemdNotifyWith } from '../../../src/daemon/machine/notify.ts';

const c = koffi.load(null);
const socket = c.func('int socket(int domain, int type, int protocol)');
const bind = c.func('int bind(int fd, const void *address, uint32_t length)');
const recv = c.func('long recv(int fd, _Out_ void *data, size_t length, int flags)');
const close = c.func('int close(int fd)');
const MSG_DONTWAIT = 0x40;

/** @param address as in `NOTIFY_SOCKET` */
function listening(address: string) {
  const path = address.startsWith('@') ? `\0${address.slice(1)}` : `${address}\0`;
  const sockaddr = Buffer.concat([Buffer.from(Uint16Array.of(1).buffer), Buffer.from(path)]);
  const fd = Number(socket(1, 2, 0));
  onTestFinished(() => void close(fd));
  expect(bind(fd, sockaddr, sockaddr.length)).toBe(0);
  const received = (): string | null => {
    const data = Buffer.alloc(1000);
    const length = Number(recv(fd, data, data.length, MSG_DONTWAIT));
    return length < 0 ? null : data.subarray(0, length).toString();
  };
  return received;
}

function address(): string {
  const folder = mkdtempSync(join(tmpdir(), 'unnest-notify-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'notify');
}

const abstract = `@unnest-test-${process.pid}`;

describe('notification', () => {
  test.each([
    ['a path', address],
    ['an abstract address', () => abstract],
  ])('comes to %s, one message for each sending', async (_what, make) => {
    const where = make();
    const received = listening(where);
    const notify = await systemdNotify({ NOTIFY_SOCKET: where }, process.pid);
    await notify?.send(['READY=1', 'STATUS=2 partitions: ä']);
    await notify?.send(['WATCHDOG=1']);
    expect([received(), received(), received()]).toEqual([
      'READY=1\nSTATUS=2 partitions: ä',
      'WATCHDOG=1',
      null,
    ]);
  });

  const hasProgram = spawnSync('systemd-notify', ['--version']).status === 0;

  test.skipIf(!hasProgram)('comes through systemd-notify without koffi (needs it)', async () => {
    const where = address();
    const received = listening(where);
    const notify = await systemdNotifyWith({ NOTIFY_SOCKET: where }, process.pid, () =>
      Promise.reject(new Error('there is no koffi')),
    );
    await notify?.send(['READY=1', 'STATUS=--help']);
    expect(received()).toBe('READY=1\nSTATUS=--help');
  });

  test('that nobody takes is no error', async () => {
    const notify = await systemdNotify({ NOTIFY_SOCKET: address() }, process.pid);
    await expect(notify?.send(['READY=1'])).resolves.toBeUndefined();
    const where = address();
    listening(where);
    const full = await systemdNotify({ NOTIFY_SOCKET: where }, process.pid);
    for (let n = 0; n < 5000; n += 1) await full?.send(['WATCHDOG=1']);
  });

  test('takes what is for this process out of what children are given', async () => {
    const variables = {
      NOTIFY_SOCKET: abstract,
      WATCHDOG_USEC: '30000000',
      WATCHDOG_PID: '12',
      PATH: '/bin',
    };
    const notify = await systemdNotify(variables, 12);
    expect(notify?.watchdogMs).toBe(30_000);
    expect(variables).toEqual({ PATH: '/bin' });
  });

  test.each([
    [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '13' }, null],
    [{ WATCHDOG_USEC: '30000000' }, 30_000],
    [{ WATCHDOG_USEC: 'soon' }, null],
    [{ WATCHDOG_USEC: '0' }, null],
    [{}, null],
  ])('with %o the watchdog wants a sign each %s ms', async (variables, expected) => {
    const notify = await systemdNotify({ NOTIFY_SOCKET: abstract, ...variables }, 12);
    expect(notify?.watchdogMs).toBe(expected);
  });

  test.each([{}, { NOTIFY_SOCKET: '' }])('with %o nobody wants to be told', async (variables) => {
    expect(await systemdNotify(variables, 12)).toBeNull();
  });
});
