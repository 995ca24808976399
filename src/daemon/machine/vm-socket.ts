/**
 * The Unix sockets by which Firecracker and cloud-hypervisor give a VM's vsock to its host. The guest connects to
 * port N: it comes out at `<socket>_N`, where the host listens. The host connects to the guest: at `<socket>` it
 * says `CONNECT N`, and is answered `OK M`, a line each; all that follows is the guest's.
 */
import { lstat } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { FileError } from '../runtime.ts';
import { HandshakeReader } from './vm-handshake.ts';

const others = 0o007;
const groupWrites = 0o020;
const sticky = 0o1000;

/**
 * Whoever may enter the folder speaks for the VM; and whoever may take our socket's name away, too.
 * @throws FileError unless nobody but us, and the group of the VM's hypervisor, can do the first, and only we the second
 */
export async function refuseOpenFolder(socket: string): Promise<void> {
  const folder = dirname(socket);
  const stats = await lstat(folder).catch(() => null);
  if (stats === null) throw new FileError('Missing', `there is no folder ${folder}`);
  const refuse = (why: string) => {
    throw new FileError('PermissionDenied', `the folder ${folder} of a VM's socket ${why}`);
  };
  if (!stats.isDirectory()) refuse('is no folder, but a link or a file');
  if (stats.uid !== process.getuid?.()) refuse('belongs to another user than unnestd');
  if ((stats.mode & others) !== 0) refuse('is open to everybody: chmod o= it');
  if ((stats.mode & groupWrites) !== 0 && (stats.mode & sticky) === 0) {
    refuse('lets its group take away what others have made there: chmod +t it');
  }
}

/** The hypervisor has a while to ask its guest. */
const handshakeMs = 5000;

/** Connects to a port of the guest. @throws Error */
export function dialGuest(socket: string, port: number): Promise<Socket> {
  return new Promise((done, fail) => {
    const stream = connect({ path: socket, allowHalfOpen: true });
    const reader = new HandshakeReader();
    const giveUp = (why: string) => {
      stream.destroy();
      fail(new Error(`connecting to port ${port} of the guest at ${socket}: ${why}`));
    };
    const late = setTimeout(() => giveUp('no answer in time'), handshakeMs);
    const onEnd = () => giveUp('nobody listens there');
    const onError = (error: Error) => giveUp(error.message);
    // Read byte by byte: what comes behind the line is the guest's, and for whoever asked.
    const onReadable = () => {
      let byte: Buffer | null = null;
      while (reader.state === 'reading' && (byte = stream.read(1) as Buffer | null) !== null) {
        reader.take(byte[0] ?? 0);
      }
      if (reader.state === 'reading') return;
      clearTimeout(late);
      stream.off('readable', onReadable).off('end', onEnd).off('error', onError);
      // Whoever uses it listens as well; until then a reset must not end the process.
      stream.on('error', () => {});
      if (reader.state === 'connected') done(stream);
      else giveUp(`not the answer of a hypervisor: ${JSON.stringify(reader.said)}`);
    };
    stream.on('readable', onReadable).on('end', onEnd).on('error', onError);
    stream.once('close', () => clearTimeout(late));
    stream.write(`CONNECT ${port}\n`);
  });
}
