/** Whether somebody takes a connection, on this machine's own loopback. */
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { machineSockets } from '../../../../src/daemon/machine/sockets.ts';

const address = '127.0.0.1';
let server: Server;
let bytes: number;
beforeEach(async () => {
  bytes = 0;
  server = createServer((socket) => {
    socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
    socket.on('error', () => undefined);
  });
  await new Promise<void>((done) => server.listen(0, address, done));
});
afterEach(() => server.close());

const port = () => (server.address() as AddressInfo).port;
const tries = (more: { from?: string; signal?: AbortSignal; at?: number } = {}) =>
  machineSockets.takesConnections(
    { address, port: more.at ?? port() },
    more.from ?? address,
    more.signal ?? new AbortController().signal,
  );

test('who listens does, and hears nothing', async () => {
  expect(await tries()).toBe(true);
  await new Promise((done) => setImmediate(done));
  expect(bytes).toBe(0);
});

test('nobody does not', async () => {
  const at = port();
  await new Promise((done) => server.close(done));
  expect(await tries({ at })).toBe(false);
});

test('nor does anybody from an address that this host does not have', async () => {
  // TEST-NET-2 of RFC 5737: where the network of a partition is not there, its gateway is not either.
  expect(await tries({ from: '198.51.100.7' })).toBe(false);
});

test('what is given up is no connection', async () => {
  expect(await tries({ signal: AbortSignal.abort() })).toBe(false);
});
