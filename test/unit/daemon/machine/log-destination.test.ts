/** Standard output as a log: what cannot be written is refused, and does not pile up. */
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { logDestinationOf } from '../../../../src/daemon/machine/log-destination.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('lines go through as they are', () => {
  const chunks: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk.toString());
      done();
    },
  });
  logDestinationOf(stream).write('{"msg":"a"}\n');
  expect(chunks).toEqual(['{"msg":"a"}\n']);
});

test('a full disk refuses a line and harms nobody, and the next is taken again', async () => {
  let error: Error | null = new Error('ENOSPC');
  // As standard output, it is not destroyed by an error.
  const stream = new Writable({
    autoDestroy: false,
    write: (_chunk, _encoding, done) => done(error),
  });
  const destination = logDestinationOf(stream);
  destination.write('lost\n');
  await turn();
  error = null;
  expect(() => destination.write('tells of it\n')).toThrow('ENOSPC');
  await turn();
  destination.write('taken\n');
});

test('a reader that goes away harms nobody', async () => {
  const stream = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
  const destination = logDestinationOf(stream);
  destination.write('lost\n');
  await turn();
  for (let n = 0; n < 3; n += 1) {
    expect(() => destination.write('lost\n')).toThrow(/EPIPE|destroyed/);
    await turn();
  }
});

test('lines that nobody reads do not pile up', () => {
  const stream = new Writable({ write: () => undefined });
  const destination = logDestinationOf(stream);
  const line = `${'x'.repeat(2 ** 20)}\n`;
  for (let n = 0; n < 4; n += 1) destination.write(line);
  expect(() => destination.write(line)).toThrow('nobody reads the log');
  expect(stream.writableLength).toBeLessThan(6 * 2 ** 20);
});
