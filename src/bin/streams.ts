/** Standard input, output and error, as the command line wants them. */
import { createInterface } from 'node:readline/promises';
import { isatty, type ReadStream, type WriteStream } from 'node:tty';
import type { Environment, Output } from '../cli/environment.ts';

/**
 * A reader that goes away (`unnest get | head -1`) must not turn work half done into work broken
 * off, so a broken pipe only ends the output; the exit code still says what became of the work.
 */
export function outputOf(stream: WriteStream & { readonly fd: number }): Output {
  let open = true;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    open = false;
    if (error.code !== 'EPIPE') throw error;
  });
  return {
    write: (text) => {
      if (open) stream.write(text);
    },
    isTerminal: isatty(stream.fd),
    columns: stream.columns ?? 80,
  };
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
    try {
      return await lines.question(question, { signal: stop });
    } catch {
      output.write('\n');
      return '';
    } finally {
      lines.close();
    }
  };
}

export async function readStandardInput(input: ReadStream, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of input) {
    chunks.push(chunk as Uint8Array);
    length += (chunk as Uint8Array).length;
    if (length >= bytesMax) break;
  }
  return Buffer.concat(chunks, Math.min(length, bytesMax));
}
