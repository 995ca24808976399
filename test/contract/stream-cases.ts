/**
 * What every way between a VM and its host must do, as a stream of bytes, on real sockets. Without a
 * test runner, as the lab's host has none: `stream-contract.ts` runs them on any machine, the lab's
 * scenario `streams` over AF_VSOCK.
 */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../support/until.ts';

export interface StreamWay {
  /** From the side that connects. */
  dial(): Promise<Duplex>;
  close(): Promise<void>;
}

/** The other side's stream is handed over, paused. */
export type OpenWay = (onConnection: (stream: Duplex) => void) => Promise<StreamWay>;

export interface StreamBounds {
  /** Connections at the same time. */
  readonly atOnce: number;
  /** What a listening socket's queue takes of them. */
  readonly queue: number;
}

/** A way that is open, for one case. */
interface Opened {
  readonly way: StreamWay;
  readonly bounds: StreamBounds;
  /** Of this process, before it was opened. */
  readonly descriptors: number;
  readonly onConnection: (act: (stream: Duplex) => void) => void;
  readonly both: () => Promise<{ readonly ours: Duplex; readonly theirs: Duplex }>;
}

export interface StreamCase {
  readonly name: string;
  readonly run: (opened: Opened) => Promise<void>;
}

/** @throws AssertionError, or whatever the way has failed with */
export async function runStreamCase(
  { run }: StreamCase,
  open: OpenWay,
  bounds: StreamBounds,
): Promise<void> {
  const descriptors = openDescriptors();
  let act = (stream: Duplex): void => void stream.destroy();
  const way = await open((stream) => {
    stream.on('error', () => undefined);
    act(stream);
  });
  const onConnection: Opened['onConnection'] = (next) => (act = next);
  const both = async () => {
    const theirs = new Promise<Duplex>((done) => onConnection(done));
    const ours = await way.dial();
    ours.on('error', () => undefined);
    return { ours, theirs: await theirs };
  };
  try {
    await run({ way, bounds, descriptors, onConnection, both });
  } finally {
    await way.close();
  }
}

export const streamCases: readonly StreamCase[] = [
  {
    name: 'carries bytes both ways, as they are',
    run: async ({ both }) => {
      const { ours, theirs } = await both();
      const sent = Buffer.from(Array.from({ length: 70_000 }, (_, at) => at % 256));
      theirs.pipe(theirs);
      ours.end(sent);
      equal(Buffer.compare(await all(ours), sent), 0);
    },
  },
  {
    name: 'what comes at once with the connection is not lost',
    run: async ({ way, onConnection }) => {
      onConnection((stream) => stream.end('hello'));
      equal(String(await all(await way.dial())), 'hello');
    },
  },
  {
    name: 'one side may end, and still be answered',
    run: async ({ both }) => {
      const { ours, theirs } = await both();
      ours.end('question');
      equal(String(await all(theirs)), 'question');
      // Long after it has ended.
      await sleep(20);
      theirs.end('answer');
      equal(String(await all(ours)), 'answer');
    },
  },
  {
    name: 'who does not read holds up who writes, and nothing is lost of it',
    run: async ({ both }) => {
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
      await sleep(100);
      // The buffers of two sockets, and of whoever is between them.
      ok(written < pieces / 4, `${written} pieces were taken of somebody who reads none`);
      const read = await all(theirs);
      await writing;
      equal(read.length, pieces * piece.length);
    },
  },
  {
    name: 'one side that is gone is gone for the other',
    run: async ({ both }) => {
      const { ours, theirs } = await both();
      const closed = new Promise((done) => theirs.once('close', () => done('closed')));
      theirs.resume();
      theirs.once('end', () => theirs.end());
      ours.destroy();
      equal(await closed, 'closed');
    },
  },
  {
    name: 'many at once are served, and leave no descriptor',
    run: async ({ way, bounds, descriptors, onConnection }) => {
      let accepted = 0;
      onConnection((stream) => {
        accepted += 1;
        stream.pipe(stream);
      });
      const streams: Duplex[] = [];
      while (streams.length < bounds.atOnce) {
        const count = Math.min(bounds.queue, bounds.atOnce - streams.length);
        streams.push(...(await Promise.all(Array.from({ length: count }, () => way.dial()))));
        // Whoever gave one up, and tried again, has been accepted more than once.
        await until('all are accepted', () => accepted >= streams.length);
      }
      const heard = await Promise.all(
        streams.map(async (stream, index) => {
          stream.end(`${index}`);
          return String(await all(stream));
        }),
      );
      deepEqual(
        heard,
        streams.map((_, index) => `${index}`),
      );
      for (const stream of streams) stream.destroy();
      await way.close();
      await until('no descriptor is left', () => openDescriptors() <= descriptors + 2);
    },
  },
];

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
