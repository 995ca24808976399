/**
 * systemd's notification protocol, as its service has it: where to, and how often it wants a sign of
 * life. Through koffi, because that costs a system call; where koffi cannot be loaded, through the
 * program `systemd-notify`, which speaks for its parent if that is root. So a unit with
 * `NotifyAccess=main` works either way, and no worker can speak for the daemon.
 */
import { execFile } from 'node:child_process';
import { type DatagramSocket, openDatagramSocket } from './notify-socket.ts';

export interface SystemdNotify {
  /** @param lines such as `READY=1`; never rejects: nobody can do anything about it */
  send(lines: readonly string[]): Promise<void>;
  /** Without a sign of life for so long, systemd ends us; null: it does not look. */
  readonly watchdogMs: number | null;
}

/**
 * @param variables of the process; what is for this process only is taken out, so that no child
 *   takes it for its own
 * @returns null where no service manager wants to be told
 */
export function systemdNotify(
  variables: NodeJS.ProcessEnv,
  pid: number,
): Promise<SystemdNotify | null> {
  return systemdNotifyWith(variables, pid, openDatagramSocket);
}

/** @param open rejects where it cannot be done; then the program does it */
export async function systemdNotifyWith(
  variables: NodeJS.ProcessEnv,
  pid: number,
  open: (address: string) => Promise<DatagramSocket>,
): Promise<SystemdNotify | null> {
  const address = variables['NOTIFY_SOCKET'];
  const watchdogMs = watchdogOf(variables, pid);
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete variables[name];
  if (address === undefined || address === '') return null;
  const socket = await open(address).catch(() => null);
  const send = socket === null ? throughProgram(address) : throughSocket(socket);
  return { send, watchdogMs };
}

function watchdogOf(variables: NodeJS.ProcessEnv, pid: number): number | null {
  const forPid = variables['WATCHDOG_PID'] ?? '';
  if (forPid !== '' && forPid !== String(pid)) return null;
  const microseconds = Number(variables['WATCHDOG_USEC'] ?? '');
  return Number.isSafeInteger(microseconds) && microseconds > 0 ? microseconds / 1000 : null;
}

function throughSocket(socket: DatagramSocket): SystemdNotify['send'] {
  return async (lines) => {
    try {
      socket.send(lines.join('\n'));
    } catch {
      // A sign of life that is lost is followed by another.
    }
  };
}

const programMs = 5000;

function throughProgram(address: string): SystemdNotify['send'] {
  const options = {
    env: { PATH: '/usr/bin:/bin', NOTIFY_SOCKET: address },
    timeout: programMs,
  };
  // Whom it speaks for stays alive, so there is no need to wait until systemd has looked.
  return (lines) =>
    new Promise((done) => {
      execFile('systemd-notify', ['--no-block', '--', ...lines], options, () => done());
    });
}
