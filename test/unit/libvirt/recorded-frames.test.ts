import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../../src/libvirt/index.ts';
import { FrameSplitter } from '../../../src/libvirt/wire/frame-splitter.ts';
import type { RecordedFrame, Recording } from '../../support/frames/recording.ts';
import { scenario, scenarioOptions, toJson } from '../../support/frames/scenario.ts';

const file = new URL('../../support/frames/libvirt-9.0.json', import.meta.url);
const recording = JSON.parse(readFileSync(file, 'utf8')) as Recording;

/** Plays libvirtd's part on one socket, and notes what the client says in its own. */
function play(socket: Socket, frames: readonly RecordedFrame[], said: string[]): void {
  let position = 0;
  const speak = () => {
    for (; frames[position]?.from === 'server'; position += 1) {
      socket.write(Buffer.from(frames[position]?.hex ?? '', 'hex'));
    }
  };
  const splitter = new FrameSplitter((packet) => {
    said.push(packet.toString('hex'));
    position += 1;
    speak();
  });
  socket.on('data', (chunk) => splitter.push(chunk)).on('error', () => {});
}

test('says and understands what a real libvirtd 9.0 heard and said, byte for byte', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'frames-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const said: string[][] = [];
  const server = createServer((socket) => {
    const mine: string[] = [];
    said.push(mine);
    play(socket, recording.sockets[said.length - 1] ?? [], mine);
  }).listen(join(directory, 'sock'));
  onTestFinished(() => void server.close());
  await once(server, 'listening');

  const connection = await connect({ ...scenarioOptions, socketPath: join(directory, 'sock') });
  onTestFinished(() => connection.close());
  expect(toJson(await scenario(connection))).toEqual(recording.results);

  const expected = recording.sockets.map((frames) =>
    frames.filter(({ from }) => from === 'client').map(({ hex }) => hex),
  );
  expect(said).toEqual(expected);
});
