/**
 * Records what a real libvirtd says: stands between it and the client, and writes both sides'
 * packets down. Run it beside one, from the root of the repository:
 *
 *   test/support/rig.sh node --import tsx test/support/frames/record.ts && npx oxfmt
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { connect } from '../../../src/libvirt/index.ts';
import { defaultSocketPath } from '../../../src/libvirt/uri.ts';
import { FrameSplitter } from '../../../src/libvirt/wire/frame-splitter.ts';
import type { RecordedFrame, Recording } from './recording.ts';
import { scenario, scenarioOptions, toJson } from './scenario.ts';

const proxyPath = `${process.env.TMPDIR ?? '/tmp'}/frames-${process.pid}.sock`;
const output = new URL('libvirt-9.0.json', import.meta.url);

const sockets: RecordedFrame[][] = [];

function forward(
  from: RecordedFrame['from'],
  source: Socket,
  target: Socket,
  frames: RecordedFrame[],
): void {
  const splitter = new FrameSplitter((packet) => {
    frames.push({ from, hex: packet.toString('hex') });
    target.write(packet);
  });
  source.on('data', (chunk) => splitter.push(chunk)).on('close', () => target.destroy());
}

const proxy = createServer((client) => {
  const frames: RecordedFrame[] = [];
  sockets.push(frames);
  const server = createConnection(defaultSocketPath);
  forward('client', client, server, frames);
  forward('server', server, client, frames);
}).listen(proxyPath);
await once(proxy, 'listening');

const connection = await connect({ ...scenarioOptions, socketPath: proxyPath });
const results = toJson(await scenario(connection));
connection.close();
proxy.close();

const recording: Recording = { about: 'libvirtd 9.0.0, QEMU driver', sockets, results };
writeFileSync(output, `${JSON.stringify(recording, null, 1)}\n`);
