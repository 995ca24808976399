import type { Socket } from 'node:net';
import type { TimedCallOptions } from './call-options.ts';
import { CallSlots } from './call-slots.ts';
import { ConnectionError } from './errors.ts';
import {
  Keepalive,
  type KeepaliveOptions,
  keepaliveProcedures,
  pingPacket,
  pongPacket,
} from './keepalive.ts';
import { PacketWriter, type Written } from './packet-writer.ts';
import { type GiveUp, pendingCall } from './pending-call.ts';
import type { Procedure } from './procedure.ts';
import type { Timers } from './timers.ts';
import { FrameSplitter } from './wire/frame-splitter.ts';
import { MalformedError } from './wire/malformed.ts';
import { type PacketHeader, type PacketStatus, programs, readHeader } from './wire/packet.ts';

/**
 * One socket to libvirtd: calls and their answers, events, and at most one stream. Everything
 * that comes in is handled in the parser itself, so that no user code can delay a pong. The
 * first malformed packet ends the socket and fails every call on it.
 */
export interface RpcSocketOptions {
  readonly callsInFlightMax: number;
  readonly timers: Timers;
  /** An event of the remote program. It may throw `MalformedError`. */
  readonly onEvent: (procedure: number, packet: Buffer) => void;
  /** Called once, when the socket is of no more use. */
  readonly onClose: (error: ConnectionError) => void;
}

/** Takes what belongs to the stream of a socket. */
export interface StreamSink {
  packet(header: PacketHeader, packet: Buffer): void;
  socketClosed(error: ConnectionError): void;
}

interface OpenStream {
  readonly procedure: number;
  readonly serial: number;
  readonly sink: StreamSink;
}

export class RpcSocket {
  readonly #socket: Socket;
  readonly #options: RpcSocketOptions;
  readonly #writer: PacketWriter;
  readonly #slots: CallSlots;
  readonly #splitter = new FrameSplitter((packet) => this.#onPacket(packet));
  /** One function for every call. */
  readonly #giveUp: GiveUp = (call, reason, failure) => {
    const canMove = this.#slots.abandon(call, failure);
    if (canMove || reason === 'aborted') return;
    this.close(new ConnectionError('timeout', 'libvirtd answers none of the calls that it has'));
  };
  #keepalive: Keepalive | undefined;
  #stream: OpenStream | undefined;
  #serial = 0;
  #isPongUnsent = false;
  #closedBy: ConnectionError | undefined;

  constructor(socket: Socket, options: RpcSocketOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#writer = new PacketWriter(socket);
    this.#slots = new CallSlots(options.callsInFlightMax, (packet) => this.#writer.send(packet));
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('error', (cause) => this.close(goneError(cause)));
    socket.on('end', () => this.close(goneError(undefined)));
    socket.on('close', () => this.close(goneError(undefined)));
  }

  /** Why the socket is of no more use; undefined while it is. */
  get closedBy(): ConnectionError | undefined {
    return this.#closedBy;
  }

  /** Calls a procedure; rejects with `LibvirtError`, `ConnectionError` or `RangeError`. */
  call<A, R>(procedure: Procedure<A, R>, args: A, options: TimedCallOptions): Promise<R> {
    return this.#call(this.#nextSerial(), procedure, args, options);
  }

  /**
   * Calls a procedure that opens a stream. What arrives on the stream goes to `sink`, possibly
   * before the returned promise has been seen to resolve. One socket carries one stream.
   */
  openStream<A>(
    procedure: Procedure<A, void>,
    args: A,
    options: TimedCallOptions,
    sink: StreamSink,
  ): Promise<void> {
    const serial = this.#nextSerial();
    this.#stream = { procedure: procedure.number, serial, sink };
    return this.#call(serial, procedure, args, options);
  }

  /** Sends the next packet of this socket's stream. */
  sendStream(status: PacketStatus, body: Buffer, onWritten?: Written): void {
    if (this.#stream === undefined) return;
    const { procedure, serial } = this.#stream;
    const header = { program: programs.remote, procedure, kind: 'stream', serial, status } as const;
    this.#writer.sendRaw(header, body, onWritten);
  }

  /** Starts to ping; only for a server that has said it knows how to answer. */
  startKeepalive(options: KeepaliveOptions): void {
    if (this.#closedBy !== undefined) return;
    this.#keepalive = new Keepalive(
      options,
      this.#options.timers,
      () => this.#writer.send(pingPacket),
      () => this.close(new ConnectionError('timeout', 'libvirtd gives no sign of life')),
    );
  }

  /** Stops reading, which is the protocol's only way of slowing a sender down. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Closes the socket and fails every call on it that has no answer. Harmless when repeated. */
  close(error: ConnectionError): void {
    if (this.#closedBy !== undefined) return;
    this.#closedBy = error;
    this.#keepalive?.stop();
    this.#socket.destroy();
    const { reason, message, cause } = error;
    this.#slots.failAll(
      (mayHaveRun) => new ConnectionError(reason, message, { cause, mayHaveRun }),
    );
    this.#stream?.sink.socketClosed(error);
    this.#options.onClose(error);
  }

  #call<A, R>(
    serial: number,
    procedure: Procedure<A, R>,
    args: A,
    options: TimedCallOptions,
  ): Promise<R> {
    return new Promise((resolve, reject) => {
      if (this.#closedBy !== undefined) throw this.#closedBy;
      const { timers } = this.#options;
      this.#slots.add(
        pendingCall(serial, procedure, args, options, timers, this.#giveUp, { resolve, reject }),
      );
    });
  }

  #onData(chunk: Buffer): void {
    this.#keepalive?.heard();
    try {
      this.#splitter.push(chunk);
    } catch (cause) {
      this.close(new ConnectionError('protocol', 'libvirtd has broken the protocol', { cause }));
    }
  }

  #onPacket(packet: Buffer): void {
    if (this.#closedBy !== undefined) return;
    const header = readHeader(packet);
    if (header.program === programs.keepalive) return this.#onKeepalive(header);
    if (header.program !== programs.remote) throw new MalformedError(`program ${header.program}`);
    switch (header.kind) {
      case 'reply':
        if (!this.#slots.answer(header, packet)) this.#onStream(header, packet);
        return;
      case 'event':
        return this.#options.onEvent(header.procedure, packet);
      case 'stream':
        return this.#onStream(header, packet);
      case 'call':
        throw new MalformedError('a call from the server');
    }
  }

  #onStream(header: PacketHeader, packet: Buffer): void {
    if (this.#stream?.serial !== header.serial) throw new MalformedError(`serial ${header.serial}`);
    this.#stream.sink.packet(header, packet);
  }

  #onKeepalive(header: PacketHeader): void {
    if (header.procedure === keepaliveProcedures.ping) return this.#pong();
    if (header.procedure === keepaliveProcedures.pong) return;
    throw new MalformedError(`keepalive procedure ${header.procedure}`);
  }

  /** At most one pong waits to be sent, or a peer that pings without reading could fill memory. */
  #pong(): void {
    if (this.#isPongUnsent) return;
    this.#isPongUnsent = true;
    this.#writer.send(pongPacket, () => (this.#isPongUnsent = false));
  }

  #nextSerial(): number {
    this.#serial = this.#serial === 0xffff_ffff ? 1 : this.#serial + 1;
    return this.#serial;
  }
}

function goneError(cause: unknown): ConnectionError {
  return new ConnectionError('closed', 'libvirtd closed the connection', { cause });
}
