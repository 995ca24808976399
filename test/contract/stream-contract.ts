/** What every way between a VM and its host must do, as a stream of bytes: run against each on real sockets. */
import { readdirSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

export interface StreamWay {
  /** From the side that connects. */
  dial(): Promise<Duplex>;
  close(): Promise<void>;
}

/** In a `describe` of its own. @param open the other side's stream is handed over, paused */
export function streamContract(
  open: (onConnection: (stream: Duplex) => void) => Promise<StreamWay>,
): void {
  let way: StreamWay;
  let onConnection: (stream: Duplex) => void;
  let descriptors: number;
  beforeEach(async () => {
    descriptors = openDescriptors();
    onConnection = (stream) => stream.destroy();
    way = await open((stream) => {
      stream.on('error', () => undefined);
      onConnection(stream);
    });
  });
  afterEach(() => way.close());

  const both = async () => {
    const theirs = new Promise<Duplex>((done) => (onConnection = done));
    const ours = await way.dial();
    ours.on('error', () => undefined);
    return { ours, theirs: await theirs };
  };

  test('carries bytes both ways, as they are', async () => {
    const { ours, theirs } = await both();
    const sent = Buffer.from(Array.from({ length: 70_000 }, (_, at) => at % 256));
    theirs.pipe(theirs);
    ours.end(sent);
    expect(Buffer.compare(await all(ours), sent)).toBe(0);
  });

  test('what comes at once with the connection is not lost', async () => {
    onConnection = (stream) => stream.end('hello');
    const ours = await way.dial();
    expect((await all(ours)).toString()).toBe('hello');
  });

  test('one side may end, and still be answered', async () => {
    const { ours, theirs } = await both();
    ours.end('question');
    expect((await all(theirs)).toString()).toBe('question');
    // Long after it has ended.
    await new Promise((done) => setTimeout(done, 20));
    theirs.end('answer');
    expect((await all(ours)).toString()).toBe('answer');
  });

  test('who does not read holds up who writes, and nothing is lost of it', async () => {
    const { ours, theirs } = await both();
    const piece = Buffer.alloc(64 * 1024, 7);
    const pieces = 256;
    let written = 0;
    const writing = (async () => {
      for (; written < pieces; written += 1) {
        if (!ours.write(piece)) await new Promise((done) => ours.once('drain', done));
      }
      ours.end();
    })();
    await new Promise((done) => setTimeout(done, 100));
    // The buffers of two sockets, and of whoever is between them.
    expect(written).toBeLessThan(pieces / 4);
    const read = await all(theirs);
    await writing;
    expect(read.length).toBe(pieces * piece.length);
  });

  test('one side that is gone is gone for the other', async () => {
    const { ours, theirs } = await both();
    const closed = new Promise((done) => theirs.once('close', () => done('closed')));
    theirs.resume();
    theirs.once('end', () => theirs.end());
    ours.destroy();
    expect(await closed).toBe('closed');
  });

  test('two thousand at once are served, and leave no descriptor', async () => {
    let accepted = 0;
    onConnection = (stream) => {
      accepted += 1;
      stream.pipe(stream);
    };
    const streams: Duplex[] = [];
    // No faster than a socket's queue takes them.
    while (streams.length < 2000) {
      const more = Array.from({ length: 100 }, () => way.dial());
      streams.push(...(await Promise.all(more)));
      await vi.waitFor(() => expect(accepted).toBe(streams.length), { interval: 2 });
    }
    const heard = await Promise.all(
      streams.map(async (stream, index) => {
        stream.end(`${index}`);
        return (await all(stream)).toString();
      }),
    );
    expect(heard).toEqual(streams.map((_, index) => `${index}`));
    for (const stream of streams) stream.destroy();
    await way.close();
    await vi.waitFor(() => expect(openDescriptors()).toBeLessThanOrEqual(descriptors + 2));
  });
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

function all(stream: Duplex): Promise<Buffer> {
  return new Promise((done, fail) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.once('end', () => done(Buffer.concat(chunks)));
    stream.once('error', fail);
  });
}
