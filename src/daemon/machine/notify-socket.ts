/**
 * Datagrams on a Unix socket, which Node cannot send: two calls of the C library.
 * They do not wait: a service manager that does not read is no reason to stand still.
 */
import { loadLibc } from './libc.ts';

export interface DatagramSocket {
  /** @throws Error if the other end does not take it */
  send(text: string): void;
}

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2_000_000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** `sun_path` of Linux. */
const pathBytesMax = 108;

/**
 * @param address a path, or `@name` for an abstract one, as in `NOTIFY_SOCKET`
 * @throws Error if koffi is not there (it is an optional dependency), or the address is none
 */
export async function openDatagramSocket(address: string): Promise<DatagramSocket> {
  const libc = await loadLibc();
  const sockaddr = unixAddress(address);
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw libc.error('making a socket for datagrams');
  return {
    // It stays open for as long as the process lives.
    send: (text) => {
      const data = Buffer.from(text);
      const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
      if (libc.sendto(fd, data, data.length, flags, sockaddr, sockaddr.length) < 0) {
        throw libc.error(`sending to ${address}`);
      }
    },
  };
}

/** A `sockaddr_un`. An abstract name ends with the structure, so nothing may follow it. */
function unixAddress(address: string): Buffer {
  const isAbstract = address.startsWith('@');
  if (!isAbstract && !address.startsWith('/')) throw new Error(`${address} is no Unix address`);
  const path = Buffer.from(isAbstract ? `\0${address.slice(1)}` : `${address}\0`);
  if (path.length > pathBytesMax) throw new Error(`${address} is too long for a Unix address`);
  const family = Buffer.from(Uint16Array.of(AF_UNIX).buffer);
  return Buffer.concat([family, path]);
}
