/** The built program while it runs: what it has written so far, and its end by Ctrl-C. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { until } from './until.ts';

export interface Heard {
  /** To its standard input. */
  readonly write: (text: string) => void;
  readonly said: () => string;
  /** Waits until it has written it. @returns all that it has written so far */
  readonly hears: (what: RegExp) => Promise<string>;
  /** By Ctrl-C. @returns its exit code */
  readonly end: () => Promise<number | null>;
}

/** However long that takes: a time limit of its own would have to be right for every machine. */
const patience = { msMax: 100_000, everyMs: 20 };

export function heard(child: ChildProcess): Heard {
  const closed = once(child, 'close').then(([code]) => code as number | null);
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
  return {
    write: (text) => void child.stdin?.write(text),
    said: () => said,
    hears: (what) =>
      until(
        `it says ${what}`,
        () => said,
        (now) => what.test(now),
        patience,
      ),
    end: () => {
      child.kill('SIGINT');
      return closed;
    },
  };
}
