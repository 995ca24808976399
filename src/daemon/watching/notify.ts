/**
 * What the service manager is told: that we are ready, that we stop, what we do, and, at half the
 * time it waits, that we live. A sign of life is only given while the loop gives one too: a daemon
 * whose timers run and whose work stands still is to be restarted.
 */
import type { Timers } from '../runtime.ts';

export interface NotifyTarget {
  /** Never rejects. @param lines such as `READY=1` */
  send(lines: readonly string[]): Promise<void>;
  readonly watchdogMs: number | null;
}

export interface Notifier {
  /** Once everything that can be asked of us can be asked. */
  ready(status: string): Promise<void>;
  /** A line for `systemctl status`. */
  status(status: string): Promise<void>;
  stopping(): Promise<void>;
  /** No more signs of life. */
  close(): void;
}

/** @param target null: nobody wants to be told. @param isAlive whether the loop makes progress */
export function notifier(
  target: NotifyTarget | null,
  timers: Pick<Timers, 'after'>,
  isAlive: () => boolean,
): Notifier {
  const tell = async (...lines: readonly string[]) => target?.send(lines);
  const stopWatchdog = feedWatchdog(target, timers, isAlive);
  return {
    ready: (status) => tell('READY=1', statusLine(status)),
    status: (status) => tell(statusLine(status)),
    stopping: () => tell('STOPPING=1', statusLine('stopping')),
    close: stopWatchdog,
  };
}

function feedWatchdog(
  target: NotifyTarget | null,
  timers: Pick<Timers, 'after'>,
  isAlive: () => boolean,
): () => void {
  if (target === null || target.watchdogMs === null) return () => undefined;
  const everyMs = target.watchdogMs / 2;
  let stopTimer = () => {};
  const feed = () => {
    if (isAlive()) void target.send(['WATCHDOG=1']);
    stopTimer = timers.after(everyMs, feed);
  };
  feed();
  return () => stopTimer();
}

const statusCharactersMax = 200;

/** One line, whatever is in it: another line would be another message. */
function statusLine(status: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  const line = status.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
  return `STATUS=${line.slice(0, statusCharactersMax)}`;
}
