/**
 * A port of this machine that leads to one elsewhere: TCP, both ways, each side closed when the other is, and
 * read only as fast as the other takes it.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Forwarded, Forwarding } from '../cli/environment.ts';

const connectionsMax = 256;
const connectMs = 10_000;

/** Rejects where it cannot listen. */
export async function forwardTcp({ from, to, onTrouble }: Forwarding): Promise<Forwarded> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host: to.address, port: to.port, allowHalfOpen: true });
    far.setTimeout(connectMs, () => far.destroy(new Error('it does not answer')));
    far.once('connect', () => far.setTimeout(0));
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      open.add(socket);
      socket.once('close', () => open.delete(socket));
    }
    far.once('error', (error) => {
      onTrouble(`${to.address} port ${to.port}: ${error.message}`);
      near.destroy();
    });
    near.once('error', () => far.destroy());
    near.pipe(far);
    far.pipe(near);
  });
  server.maxConnections = connectionsMax;
  server.on('drop', () => onTrouble(`more than ${connectionsMax} connections: one is refused`));
  server.listen(from.port, from.address);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : from.port,
    close: async () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
