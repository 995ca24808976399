/** Ports that lead elsewhere, over real sockets: both ways, half-closed, slow, broken, and too many. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { forwardTcp } from '../../../src/bin/forward-tcp.ts';
import type { Forwarded } from '../../../src/cli/environment.ts';

let server: Server;
let take: (socket: Socket) => void;
let forwarded: Forwarded;
let troubles: string[];
const sockets = new Set<Socket>();

beforeEach(async () => {
  troubles = [];
  take = () => undefined;
  server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    take(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  forwarded = await forwardTcp({
    from: { address: '127.0.0.1', port: 0 },
    to: { address: '127.0.0.1', port },
    onTrouble: (message) => troubles.push(message),
  });
});
afterEach(async () => {
  await forwarded.close();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  server.close();
});

function dial(allowHalfOpen = false): Socket {
  const socket = connect({ host: '127.0.0.1', port: forwarded.port, allowHalfOpen });
  socket.on('error', () => undefined);
  sockets.add(socket);
  return socket;
}

/** Iterating it would destroy it at its end. */
function textOf(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => (text += String(chunk)));
  return once(socket, 'end').then(() => text);
}

test('what is sent arrives, and who has said all still hears the answer', async () => {
  take = (socket) => {
    void textOf(socket).then((asked) => socket.end(`you said ${asked}`));
  };
  const socket = dial(true);
  socket.end('hello');
  expect(await textOf(socket)).toBe('you said hello');
});

test('what is sent after the other side has said all arrives too', async () => {
  const heard = new Promise<number>((done) => {
    take = (socket) => {
      socket.end('first');
      let bytes = 0;
      socket.on('data', (chunk) => (bytes += chunk.length));
      socket.on('end', () => done(bytes));
    };
  });
  const socket = dial(true);
  expect(await textOf(socket)).toBe('first');
  socket.end(Buffer.alloc(8 * 2 ** 20));
  expect(await heard).toBe(8 * 2 ** 20);
});

test('a side that does not read holds the other one back', async () => {
  const socket = dial();
  const arrived = once(server, 'connection');
  await arrived;
  let sent = 0;
  const piece = Buffer.alloc(2 ** 16);
  const deadline = performance.now() + 1000;
  // What the kernel and two streams hold is bounded; 256 MiB is not.
  while (sent < 256 * 2 ** 20 && performance.now() < deadline) {
    sent += piece.length;
    if (socket.write(piece)) continue;
    await Promise.race([once(socket, 'drain'), new Promise((done) => setTimeout(done, 200))]);
    if (socket.writableNeedDrain) break;
  }
  expect(sent).toBeLessThan(64 * 2 ** 20);
});

test('one that breaks off ends both', async () => {
  const socket = dial();
  const [far] = (await once(server, 'connection')) as [Socket];
  const ended = once(socket.resume(), 'close');
  far.resetAndDestroy();
  await ended;
  expect(troubles.join()).toContain('ECONNRESET');
});

test('where nobody listens the connection ends, and it is said why', async () => {
  server.close();
  const socket = dial();
  await once(socket.resume(), 'close');
  expect(troubles.join()).toContain('ECONNREFUSED');
});

test('closing ends what is open', async () => {
  const socket = dial();
  await once(server, 'connection');
  const ended = once(socket.resume(), 'close');
  await forwarded.close();
  await ended;
  const late = dial();
  const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNREFUSED');
});

test('a port that is taken is refused', async () => {
  const again = { address: '127.0.0.1', port: forwarded.port };
  await expect(
    forwardTcp({ from: again, to: again, onTrouble: () => undefined }),
  ).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
