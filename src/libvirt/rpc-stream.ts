import { Duplex, type DuplexOptions } from 'node:stream';
import type { TimedCallOptions } from './call-options.ts';
import { ConnectionError } from './errors.ts';
import type { Written } from './packet-writer.ts';
import type { Procedure } from './procedure.ts';
import type { RpcSocket, StreamSink } from './rpc-socket.ts';
import { readServerError } from './server-error.ts';
import { packetBytesMin, streamChunkBytesMax } from './wire/limits.ts';
import type { PacketHeader } from './wire/packet.ts';

/**
 * A libvirt stream as a Node stream, on a socket of its own. The protocol has no window: the
 * reader slows libvirtd down by not reading the socket, the writer waits until the kernel has
 * taken each piece. `end` and `finish` are emitted only after libvirtd has confirmed the end,
 * so that a transfer that looks complete is. Destroying it before that aborts the transfer.
 */
export type StreamDirection = 'read' | 'write' | 'both';

const empty = Buffer.alloc(0);

export class RpcStream extends Duplex implements StreamSink {
  readonly #socket: RpcSocket;
  readonly #procedure: string;
  readonly #direction: StreamDirection;
  #phase: 'opening' | 'open' | 'finishing' | 'done' = 'opening';
  #failure: Error | undefined;
  #onFinished: Written | undefined;

  constructor(socket: RpcSocket, procedure: string, direction: StreamDirection) {
    super(duplexOptions(direction));
    this.#socket = socket;
    this.#procedure = procedure;
    this.#direction = direction;
  }

  /** The opening call has been answered: from now on a failure destroys the stream. */
  opened(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#phase === 'opening') this.#phase = 'open';
  }

  packet(header: PacketHeader, packet: Buffer): void {
    switch (header.status) {
      case 'continue':
        return this.#onData(packet.subarray(packetBytesMin));
      case 'ok':
        return this.#onConfirmed();
      case 'error':
        return this.#fail(readServerError(this.#procedure, packet));
    }
  }

  socketClosed(error: ConnectionError): void {
    if (this.#phase !== 'done') this.#fail(error);
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, onWritten: Written): void {
    if (this.#phase !== 'open') {
      return onWritten(new ConnectionError('closed', `the stream of ${this.#procedure} has ended`));
    }
    let offset = 0;
    for (; chunk.length - offset > streamChunkBytesMax; offset += streamChunkBytesMax) {
      this.#socket.sendStream('continue', chunk.subarray(offset, offset + streamChunkBytesMax));
    }
    // An empty packet would mean the end.
    if (offset === chunk.length) onWritten();
    else this.#socket.sendStream('continue', chunk.subarray(offset), onWritten);
  }

  override _final(onFinished: Written): void {
    if (this.#phase === 'done') return onFinished();
    this.#onFinished = onFinished;
    this.#finish();
  }

  override _destroy(error: Error | null, onDestroyed: Written): void {
    if (this.#phase === 'open' || this.#phase === 'finishing') {
      this.#phase = 'done';
      this.#socket.sendStream('error', empty, () => this.#closeSocket());
    }
    onDestroyed(error);
  }

  #onData(data: Buffer): void {
    if (data.length === 0) return this.#finish();
    // After our own end() nobody wants the rest, but the confirmation comes behind it.
    if (this.#phase === 'finishing' || this.#phase === 'done') return;
    if (!this.push(data)) this.#socket.pause();
  }

  #finish(): void {
    if (this.#phase !== 'open' && this.#phase !== 'opening') return;
    this.#phase = 'finishing';
    this.#socket.sendStream('ok', empty);
    this.#socket.resume();
  }

  #onConfirmed(): void {
    if (this.#phase === 'done') return;
    this.#phase = 'done';
    if (this.#direction !== 'write') this.push(null);
    this.#onFinished?.();
    this.#closeSocket();
  }

  #fail(error: Error): void {
    const wasOpening = this.#phase === 'opening';
    this.#phase = 'done';
    // Before the stream is handed out nobody listens for `error`: opened() throws it instead.
    if (wasOpening) this.#failure = error;
    else this.destroy(error);
    this.#closeSocket();
  }

  #closeSocket(): void {
    this.#socket.close(new ConnectionError('closed', `the stream of ${this.#procedure} has ended`));
  }
}

function duplexOptions(direction: StreamDirection): DuplexOptions {
  const sides = { readable: direction !== 'write', writable: direction !== 'read' };
  // Node takes `readable` and `writable`, which its type declarations do not know; spread in,
  // they are no excess properties.
  return { allowHalfOpen: false, ...sides };
}

/** Opens a stream on a socket that serves for nothing else, and closes the socket with it. */
export async function openRpcStream<A>(
  socket: RpcSocket,
  procedure: Procedure<A, void>,
  args: A,
  direction: StreamDirection,
  options: TimedCallOptions,
): Promise<RpcStream> {
  const stream = new RpcStream(socket, procedure.name, direction);
  try {
    await socket.openStream(procedure, args, options, stream);
    stream.opened();
    return stream;
  } catch (error) {
    stream.destroy();
    socket.close(new ConnectionError('closed', `${procedure.name} has failed`, { cause: error }));
    throw error;
  }
}
