import type { CallOptions, TimedCallOptions } from './call-options.ts';
import { reported } from './call-report.ts';
import type { ResolvedOptions } from './connect-options.ts';
import type { ConnectionState } from './connection-state.ts';
import { ConnectionError } from './errors.ts';
import { openSocket } from './open-socket.ts';
import type { Procedure, ProcedureFacts } from './procedure.ts';
import { retryUntilDone } from './reconnect.ts';
import type { RpcSocket, RpcSocketOptions } from './rpc-socket.ts';
import { openRpcStream, type RpcStream, type StreamDirection } from './rpc-stream.ts';

/**
 * The sockets of one connection, and which call goes where. The fast socket carries queries
 * and events and stands for the connection: when it is lost, the connection is. The slow one
 * is opened by the first slow call. Each stream gets a socket of its own, so that its reader
 * may stop it without stopping anything else.
 */
export interface SessionHandlers {
  readonly onEvent: RpcSocketOptions['onEvent'];
  readonly onState: (state: ConnectionState) => void;
  /** Puts back on a new fast socket what the lost one had. */
  readonly restore: (call: CallOn) => Promise<void>;
}

/** Calls a procedure on one certain socket. */
export type CallOn = <A, R>(procedure: Procedure<A, R>, args: A) => Promise<R>;

export class Session {
  readonly #options: ResolvedOptions;
  readonly #handlers: SessionHandlers;
  readonly #closing = new AbortController();
  /** Every open socket but the fast one. */
  readonly #others = new Set<RpcSocket>();
  #fast: RpcSocket | undefined;
  #slow: Promise<RpcSocket> | undefined;
  #lostBy: ConnectionError | undefined;

  constructor(options: ResolvedOptions, handlers: SessionHandlers) {
    this.#options = options;
    this.#handlers = handlers;
  }

  /** Connects. To be called once. */
  async open(): Promise<void> {
    this.#publish(await this.#openFast(this.#options));
  }

  /** As `open`, but what keeps it from connecting is told, and it goes on trying. */
  async openEventually(): Promise<ConnectionError | undefined> {
    try {
      await this.open();
      return undefined;
    } catch (cause) {
      const error =
        cause instanceof ConnectionError
          ? cause
          : new ConnectionError('unreachable', 'libvirtd does not let us in', { cause });
      this.#onLost(error);
      return error;
    }
  }

  call<A, R>(procedure: Procedure<A, R>, args: A, options: CallOptions = {}): Promise<R> {
    const { onCall } = this.#options;
    const call = () => this.#call(procedure, args, options);
    return onCall === undefined ? call() : reported(procedure.name, call, onCall);
  }

  #call<A, R>(procedure: Procedure<A, R>, args: A, options: CallOptions): Promise<R> {
    const refusal = this.#refusalOf(procedure);
    if (refusal !== undefined) return Promise.reject(refusal);
    const timed = this.#timed(procedure, options);
    if (procedure.lane === 'slow') return this.#callSlowly(procedure, args, timed);
    // Not refused, so the fast socket is there.
    return this.#fast?.call(procedure, args, timed) ?? Promise.reject(this.#downError());
  }

  async openStream<A>(
    procedure: Procedure<A, void>,
    args: A,
    direction: StreamDirection,
    options: CallOptions = {},
  ): Promise<RpcStream> {
    const refusal = this.#refusalOf(procedure);
    if (refusal !== undefined) throw refusal;
    const socket = await this.#openOther(false);
    return openRpcStream(socket, procedure, args, direction, this.#timed(procedure, options));
  }

  /** Closes every socket; calls without an answer fail. Harmless when repeated. */
  close(): void {
    if (this.#closing.signal.aborted) return;
    const wasOver = this.#lostBy !== undefined && this.#options.reconnect === false;
    this.#closing.abort();
    this.#lostBy = new ConnectionError('closed', 'the connection was closed by its user');
    this.#fast?.close(this.#lostBy);
    this.#closeOthers(this.#lostBy);
    if (!wasOver) this.#handlers.onState({ kind: 'closed', error: undefined });
  }

  #refusalOf(procedure: ProcedureFacts): ConnectionError | undefined {
    if (this.#options.isReadOnly && procedure.access === 'write') {
      return new ConnectionError(
        'read-only',
        `${procedure.name} needs a connection that may write`,
      );
    }
    return this.#fast === undefined ? this.#downError() : undefined;
  }

  #downError(): ConnectionError {
    return new ConnectionError('closed', 'there is no connection to libvirtd', {
      cause: this.#lostBy,
    });
  }

  #timed(procedure: ProcedureFacts, { signal, timeoutMs }: CallOptions): TimedCallOptions {
    const { callTimeoutMs, slowCallTimeoutMs } = this.#options;
    const defaultMs = procedure.lane === 'slow' ? slowCallTimeoutMs : callTimeoutMs;
    return { signal, timeoutMs: timeoutMs ?? defaultMs };
  }

  async #callSlowly<A, R>(
    procedure: Procedure<A, R>,
    args: A,
    options: TimedCallOptions,
  ): Promise<R> {
    this.#slow ??= this.#openSlow();
    const socket = await this.#slow;
    return socket.call(procedure, args, options);
  }

  async #openSlow(): Promise<RpcSocket> {
    try {
      return await this.#openOther(this.#options.keepalive, () => (this.#slow = undefined));
    } catch (error) {
      this.#slow = undefined;
      throw error;
    }
  }

  async #openOther(
    keepalive: ResolvedOptions['keepalive'],
    onGone?: () => void,
  ): Promise<RpcSocket> {
    let socket: RpcSocket | undefined;
    const onClose = () => {
      if (socket === undefined || !this.#others.delete(socket)) return;
      onGone?.();
    };
    const options = { ...this.#options, signal: this.#closing.signal };
    socket = await openSocket(options, keepalive, { onEvent: this.#handlers.onEvent, onClose });
    if (socket.closedBy !== undefined) throw socket.closedBy;
    this.#others.add(socket);
    return socket;
  }

  async #openFast(options: ResolvedOptions): Promise<RpcSocket> {
    let socket: RpcSocket | undefined;
    const onClose = (error: ConnectionError) => {
      if (socket !== undefined && socket === this.#fast) this.#onLost(error);
    };
    socket = await openSocket(options, options.keepalive, {
      onEvent: this.#handlers.onEvent,
      onClose,
    });
    return socket;
  }

  async #reopen(): Promise<void> {
    const socket = await this.#openFast({ ...this.#options, signal: this.#closing.signal });
    const limits = { timeoutMs: this.#options.callTimeoutMs, signal: this.#closing.signal };
    try {
      await this.#handlers.restore((procedure, args) => socket.call(procedure, args, limits));
      this.#publish(socket);
    } catch (cause) {
      socket.close(
        new ConnectionError('closed', 'the connection could not be restored', { cause }),
      );
      throw cause;
    }
    this.#handlers.onState({ kind: 'reconnected' });
  }

  #publish(socket: RpcSocket): void {
    if (socket.closedBy !== undefined) throw socket.closedBy;
    this.#closing.signal.throwIfAborted();
    this.#fast = socket;
  }

  #onLost(error: ConnectionError): void {
    this.#fast = undefined;
    if (this.#closing.signal.aborted) return;
    this.#lostBy = error;
    this.#closeOthers(error);
    const { reconnect, timers } = this.#options;
    if (reconnect === false) return this.#handlers.onState({ kind: 'closed', error });
    this.#handlers.onState({ kind: 'disconnected', error });
    void retryUntilDone(() => this.#reopen(), reconnect, timers, this.#closing.signal);
  }

  #closeOthers(error: ConnectionError): void {
    for (const socket of this.#others) socket.close(error);
  }
}
