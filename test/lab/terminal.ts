/** This terminal as the keyboard and screen of a serial console. */
import { connect } from 'node:net';

/** Ctrl-], as with telnet and virsh. */
const leaveByte = 0x1d;

/** @param first typed first; '': nothing */
export function attach(path: string, first: string): Promise<void> {
  const { stdin, stdout } = process;
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const leave = () => {
      if (stdin.isTTY) stdin.setRawMode(false);
      stdin.pause();
      socket.destroy();
      stdout.write('\n');
      resolve();
    };
    socket.once('error', reject);
    socket.once('close', leave);
    socket.once('connect', () => {
      stdout.write('Ctrl-] leaves (of a Primary: twice).\n');
      if (stdin.isTTY) stdin.setRawMode(true);
      socket.pipe(stdout, { end: false });
      stdin.on('data', (bytes: Buffer) => {
        if (bytes.length === 1 && bytes[0] === leaveByte && first === '') leave();
        else socket.write(bytes);
      });
      stdin.once('end', leave);
      // The shell has said its prompt to nobody.
      socket.write(`${first}\n`);
    });
  });
}
