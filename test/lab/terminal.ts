/** This terminal as the keyboard and screen of a serial console. */
import { connect } from 'node:net';

/** Ctrl-], as with telnet and virsh. */
const leaveByte = 0x1d;
const leaveMs = 500;

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
      stdout.write('Ctrl-] leaves.\n');
      if (stdin.isTTY) stdin.setRawMode(true);
      socket.pipe(stdout, { end: false });
      stdin.on('data', (bytes: Buffer) => {
        // What was begun there by `first` is ended by it, too.
        const isLast = bytes.length === 1 && bytes[0] === leaveByte;
        if (!isLast || first !== '') socket.write(bytes);
        if (isLast) setTimeout(leave, first === '' ? 0 : leaveMs);
      });
      stdin.once('end', leave);
      // The shell has said its prompt to nobody.
      socket.write(`${first}\n`);
    });
  });
}
