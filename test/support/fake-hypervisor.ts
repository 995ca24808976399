/** The host's side of a VM's vsock, as Firecracker gives it: `CONNECT port` at its socket leads to the guest. */
import { createServer, type Server, type Socket } from 'node:net';

/** In pieces of one byte, so that nobody relies on a line that comes at once. */
const answer = 'OK 1073741824\n';

/** @param guest gets what comes behind the line; null: nobody listens at that port */
export function fakeHypervisor(guest: (port: number) => ((stream: Socket) => void) | null): Server {
  return createServer({ allowHalfOpen: true }, (stream) => {
    let line = '';
    stream.on('error', () => undefined);
    const onReadable = () => {
      let byte: Buffer | null = null;
      while (!line.endsWith('\n') && (byte = stream.read(1) as Buffer | null) !== null) {
        line += byte.toString();
      }
      if (!line.endsWith('\n')) return;
      stream.off('readable', onReadable);
      const port = Number(/^CONNECT (\d+)\n$/.exec(line)?.[1]);
      const listens = Number.isInteger(port) ? guest(port) : null;
      if (listens === null) return void stream.destroy();
      for (const byte of answer) stream.write(byte);
      listens(stream);
    };
    stream.on('readable', onReadable);
  });
}
