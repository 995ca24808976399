/**
 * A socket between the daemon and libvirtd that passes everything on, and knows when a call has come:
 * the one place where the moment of a call can be seen from outside of both.
 */
import { createConnection, createServer, type Socket } from 'node:net';

const remoteProgram = 0x2000_8086;

export interface LibvirtProxy {
  /** When the next call of libvirt comes, by `performance.now()`; keepalives are none. */
  nextCall(): Promise<number>;
  close(): void;
}

export async function openProxy(path: string, libvirtd: string): Promise<LibvirtProxy> {
  const waiting: ((atMs: number) => void)[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = createConnection(libvirtd);
    for (const socket of [client, upstream]) sockets.add(socket);
    client.on('data', (chunk) => {
      if (isCall(chunk)) for (const tell of waiting.splice(0)) tell(performance.now());
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => client.write(chunk));
    join(client, upstream);
    join(upstream, client);
  });
  await new Promise<void>((done) => server.listen(path, done));
  return {
    nextCall: () => new Promise((tell) => waiting.push(tell)),
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** On a connection that rests, what comes next begins with a header. */
function isCall(chunk: Buffer): boolean {
  return chunk.length >= 8 && chunk.readUInt32BE(4) === remoteProgram;
}

function join(from: Socket, to: Socket): void {
  from.on('error', () => to.destroy()).on('close', () => to.destroy());
}
