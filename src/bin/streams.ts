/** Standard input, output and error, as the command line wants them. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { isatty, type ReadStream, type WriteStream } from 'node:tty';
import type { Environment, Output, Terminal } from '../cli/environment.ts';

export interface CheckedOutput extends Output {
  /** What else than a reader's going away has closed it; null while nothing has. */
  readonly failure: () => Error | null;
}

/**
 * A reader that goes away (`unnest get | head -1`), a full disk or a terminal that hangs up must not
 * turn work half done into work broken off, so an error of an output only closes that output.
 */
export function outputOf(stream: WriteStream & { readonly fd: number }): CheckedOutput {
  const closed = new AbortController();
  let failure: Error | null = null;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    closed.abort();
    if (error.code !== 'EPIPE') failure ??= error;
  });
  return {
    write: (text) => {
      if (!closed.signal.aborted) stream.write(text);
    },
    taken: async (signal) => {
      if (!stream.writableNeedDrain || closed.signal.aborted) return;
      // Whichever comes first; that it was not the drain is no error of the one who waits.
      const ends = AbortSignal.any([signal, closed.signal]);
      await once(stream, 'drain', { signal: ends }).catch(() => undefined);
    },
    isTerminal: isatty(stream.fd),
    columns: stream.columns ?? 80,
    failure: () => failure,
  };
}

/** At the end of the process Node itself sets a terminal back, whatever has ended it but SIGKILL. */
export function terminalOf(input: ReadStream, output: WriteStream): Terminal | null {
  if (!input.isTTY || !output.isTTY) return null;
  return {
    open: ({ onBytes, onHangUp }) => {
      input.setRawMode(true);
      asItIs();
      input.on('data', onBytes);
      for (const end of ['end', 'error', 'close'] as const) input.once(end, onHangUp);
      output.once('error', onHangUp);
      return {
        write: (bytes) => void output.write(bytes),
        taken: async (signal) => {
          if (!output.writableNeedDrain) return;
          await once(output, 'drain', { signal }).catch(() => undefined);
        },
        close: () => {
          input.off('data', onBytes);
          for (const end of ['end', 'error', 'close'] as const) input.off(end, onHangUp);
          output.off('error', onHangUp);
          input.setRawMode(false);
          input.pause();
        },
      };
    },
  };
}

/** Node's raw mode still turns each end of a line into two bytes, which programs in a guest do by themselves. */
function asItIs(): void {
  // Where there is none, lines begin at the left when they should not, and that is all.
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
}

export function askOnTerminal(
  input: ReadStream,
  output: WriteStream,
  stop: AbortSignal,
): Environment['ask'] {
  if (!input.isTTY || !output.isTTY) return null;
  return async (question) => {
    const lines = createInterface({ input, output });
    // readline takes Ctrl-C for itself while it asks.
    lines.on('SIGINT', () => process.emit('SIGINT'));
    // A terminal that hangs up has not said yes.
    const onHangUp = () => lines.close();
    input.once('error', onHangUp);
    try {
      return await lines.question(question, { signal: stop });
    } catch {
      output.write('\n');
      return '';
    } finally {
      input.off('error', onHangUp);
      lines.close();
    }
  };
}
