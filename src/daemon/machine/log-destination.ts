/**
 * Standard output as the log's destination. Whoever reads it may stop reading, go away or have a
 * full disk: then lines are refused instead of piling up in memory, and taken again once they can be.
 */
import type { Writable } from 'node:stream';

const backlogBytesMax = 4 * 2 ** 20;

/** @returns what the log writes its lines to; it throws for a line that was not taken */
export function logDestinationOf(stream: Writable): { write(line: string): void } {
  let failure: Error | null = null;
  // Without a listener, an error of a stream ends the process.
  stream.on('error', () => undefined);
  const written = (error?: Error | null) => {
    if (error !== undefined && error !== null) failure = error;
  };
  return {
    write: (line) => {
      const before = failure;
      failure = null;
      if (stream.writableLength > backlogBytesMax) throw new Error('nobody reads the log');
      stream.write(line, written);
      // That a line was lost is known after it, so the next one is the one that says so.
      if (before !== null) throw before;
    },
  };
}
