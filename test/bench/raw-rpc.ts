/**
 * The floor: a client of libvirtd that sends calls made beforehand, so many at a time, and of the
 * answers only finds where each ends and whether it is an error. Whatever a client does beyond
 * this is its own cost. It shares no code with the client that is measured against it.
 */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';

const headerBytes = 28;
const program = 0x2000_8086;

export const procedures = {
  open: 1,
  xml: 14,
  info: 16,
  authList: 66,
  list: 273,
  stats: 344,
  define: 350,
} as const;

export const sockets = {
  readWrite: '/run/libvirt/libvirt-sock',
  readOnly: '/run/libvirt/libvirt-sock-ro',
} as const;

/** XDR (RFC 4506): big-endian, in units of four bytes. */
export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([u32(bytes.length), bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

/** How a domain is named on the wire; -1 is the id of one that does not run. */
export function domain({ name, uuid }: { readonly name: string; readonly uuid: string }): Buffer {
  return Buffer.concat([
    string(name),
    Buffer.from(uuid.replaceAll('-', ''), 'hex'),
    u32(2 ** 32 - 1),
  ]);
}

let serial = 0;

export function call(procedure: number, ...body: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(body);
  const words = [headerBytes + bytes.length, program, 1, procedure, 0, (serial += 1), 0];
  return Buffer.concat([...words.map(u32), bytes]);
}

/** How many bytes of answers came. @throws Error at the first answer that is an error. */
export function exchange(
  socket: Socket,
  calls: readonly Buffer[],
  inFlightMax: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const answers = new AnswerCounter();
    let [sent, received] = [0, 0];
    const fill = () => {
      socket.cork();
      for (; sent < calls.length && sent - answers.count < inFlightMax; sent += 1) {
        socket.write(calls[sent] ?? '');
      }
      socket.uncork();
    };
    const end = (error?: Error) => {
      socket.off('data', onData).off('close', onClose);
      if (error === undefined) resolve(received);
      else reject(error);
    };
    const onData = (chunk: Buffer) => {
      received += chunk.length;
      answers.push(chunk);
      if (answers.errors > 0) return end(new Error('libvirtd refused a raw call'));
      if (answers.count === calls.length) return end();
      fill();
    };
    const onClose = () => end(new Error('libvirtd closed the raw socket'));
    socket.on('data', onData).on('close', onClose);
    fill();
  });
}

/** Finds packets in a stream; looks at their length and status and at nothing else. */
class AnswerCounter {
  count = 0;
  errors = 0;
  /** Bytes of the current packet that are still to come. */
  #left = 0;
  /** The beginning of a header that the last chunk ended in. */
  #rest = Buffer.alloc(0);

  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = Buffer.alloc(0);
    for (let offset = 0; offset < bytes.length;) {
      if (this.#left === 0) {
        if (bytes.length - offset < headerBytes) {
          this.#rest = Buffer.from(bytes.subarray(offset));
          return;
        }
        this.#left = bytes.readUInt32BE(offset);
        if (bytes.readUInt32BE(offset + 24) !== 0) this.errors += 1;
      }
      const taken = Math.min(this.#left, bytes.length - offset);
      this.#left -= taken;
      offset += taken;
      if (this.#left === 0) this.count += 1;
    }
  }
}

/** A socket on which the driver is open. To be ended by `destroy()`. */
export async function openRaw(path: string): Promise<Socket> {
  const socket = createConnection(path);
  await once(socket, 'connect');
  const readOnlyFlag = path === sockets.readOnly ? 1 : 0;
  const opening = call(procedures.open, u32(1), string('qemu:///system'), u32(readOnlyFlag));
  await exchange(socket, [call(procedures.authList), opening], 1);
  return socket;
}
